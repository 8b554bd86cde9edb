package import LimiterCore

/// What a limit promises, as a function of time.
///
/// A sliding window of L per W admits at most L in each clock window and at most L(1+x/W) in any interval x ≤ W; a bucket of
/// burst B and rate r at most B + r·x in any interval x.
package struct Promise: Hashable, Sendable {
    package enum Algorithm: Hashable, Sendable {
        case slidingWindow
        case tokenBucket(burst: Int64)
    }

    package let rate: Rate
    package let algorithm: Algorithm

    package init(rate: Rate, algorithm: Algorithm) {
        self.rate = rate
        self.algorithm = algorithm
    }

    /// Reads `100/minute`, `10/minute,token_bucket`, `10/minute,burst=20`.
    package init(parsing text: String) throws(LoadError) {
        let words = text.split(separator: ",").map { $0.trimmed }
        guard let first = words.first else { throw .usage("--limit is empty; write it like 100/minute") }
        do { rate = try Rate(parsing: first) } catch { throw .usage("--limit: \(error.message)") }
        guard !rate.needsCalendar else {
            throw .usage("--limit: a \(rate.calendarUnit!) is too long to be tested; use a period up to 53 weeks")
        }
        var isBucket = false
        var burst: Int64?
        var isWindow = false
        for word in words.dropFirst() {
            if word == "sliding_window" {
                isWindow = true
            } else if word == "token_bucket" {
                isBucket = true
            } else if word.hasPrefix("burst="), let number = Int64(word.dropFirst(6)), (1...1 << 40).contains(number) {
                burst = number
                isBucket = true
            } else {
                throw .usage(
                    "--limit: `\(word)` is not understood; after the rate there may be sliding_window, token_bucket or burst=20"
                )
            }
        }
        guard !(isWindow && isBucket) else { throw .usage("--limit: a sliding window has no burst") }
        algorithm = isBucket ? .tokenBucket(burst: burst ?? rate.count) : .slidingWindow
    }

    package var description: String {
        switch algorithm {
        case .slidingWindow: "\(rate), sliding window"
        case .tokenBucket(let burst): "\(rate), token bucket of \(burst)"
        }
    }

    /// What may pass at once: L or B.
    package var burst: Int64 {
        switch algorithm {
        case .slidingWindow: rate.count
        case .tokenBucket(let burst): burst
        }
    }

    /// L, or what a bucket gains in its period.
    package var unitsPerPeriod: Int64 { rate.count }

    package var unitsPerNanosecond: Double { Double(rate.count) / Double(periodNanoseconds) }

    package var periodNanoseconds: Int64 { rate.periodMicroseconds * 1000 }

    /// Longer intervals than this are not bounded by `bound`; nil: all are.
    package var longestInterval: Int64? { algorithm == .slidingWindow ? periodNanoseconds : nil }

    /// The most cost units that may be admitted in any interval of so many nanoseconds, at most `longestInterval`.
    package func bound(_ nanoseconds: Int64) -> Int64 {
        let gained = Int128(rate.count) * Int128(nanoseconds) / Int128(periodNanoseconds)
        return burst + Int64(clamping: gained)
    }
}
