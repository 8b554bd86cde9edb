import WeirConfiguration

/// Whether the second version of a service fails more often than the first: counts what both answered within a window that moves on by
/// tenths of it.
struct ErrorComparison {
    enum Version: Int {
        case first, second
    }

    /// Requests, and how many of them failed.
    struct Counts: Hashable {
        var requests = 0
        var failures = 0

        static func + (a: Counts, b: Counts) -> Counts {
            Counts(requests: a.requests + b.requests, failures: a.failures + b.failures)
        }
    }

    private struct Slice {
        var number: Int64 = .min
        var first = Counts()
        var second = Counts()
    }

    private static let sliceCount = 10

    private let terms: Shift.Return
    private let sliceNanoseconds: Int64
    private var slices = [Slice](repeating: Slice(), count: sliceCount)

    init(_ terms: Shift.Return) {
        self.terms = terms
        let (seconds, attoseconds) = terms.window.components
        let window = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        sliceNanoseconds = max(1, window / Int64(Self.sliceCount))
    }

    /// Counts an answer, at a time of a monotonic clock in nanoseconds. Returns whether the second version is now worse than it may be.
    mutating func count(_ version: Version, failed: Bool, at now: Int64) -> Bool {
        let number = now / sliceNanoseconds
        let index = Int(number % Int64(Self.sliceCount))
        if slices[index].number != number { slices[index] = Slice(number: number) }
        let one = Counts(requests: 1, failures: failed ? 1 : 0)
        switch version {
        case .first: slices[index].first = slices[index].first + one
        case .second: slices[index].second = slices[index].second + one
        }
        return version == .second && failed && isWorse(at: now)
    }

    /// What was counted within the window.
    func counts(at now: Int64) -> (first: Counts, second: Counts) {
        let oldest = now / sliceNanoseconds - Int64(Self.sliceCount) + 1
        return slices.filter { $0.number >= oldest }.reduce((Counts(), Counts())) { sum, slice in
            (sum.0 + slice.first, sum.1 + slice.second)
        }
    }

    /// Where the first version gets no requests any more, the second must not fail by more than the margin.
    private func isWorse(at now: Int64) -> Bool {
        let (first, second) = counts(at: now)
        guard second.requests >= terms.minimumRequests else { return false }
        let ratioOfFirst = first.requests > 0 ? 10_000 * first.failures / first.requests : 0
        return 10_000 * second.failures / second.requests > ratioOfFirst + terms.margin
    }
}
