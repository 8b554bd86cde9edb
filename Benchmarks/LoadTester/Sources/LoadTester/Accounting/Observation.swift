/// What the client saw of one request. The decision fell at some time between `sent` and `received`; nothing narrower is known.
package struct Observation: Hashable, Sendable {
    package enum Outcome: UInt8, Sendable {
        /// 2xx or 3xx.
        case admitted
        /// 429.
        case refused
        /// Another status, or no answer: it may have been charged, at any time after it was sent.
        case unknown
    }

    /// Nanoseconds from the start of the run.
    package let sent: Int64
    /// Until the answer was there, in microseconds, rounded up.
    private let latencyMicroseconds: UInt32
    package let tenant: Int32
    package let cost: UInt32
    /// What a refusal's Retry-After said, in seconds.
    private let retrySeconds: UInt16
    package let outcome: Outcome

    private static let noRetry = UInt16.max
    private static let badRetry = UInt16.max - 1

    package enum RetryAfter: Hashable, Sendable, BitwiseCopyable {
        case missing
        /// Not a number of seconds from 1 to a day's.
        case invalid
        case seconds(Int)
    }

    package init(
        sent: Int64, received: Int64, tenant: Int, cost: Int, outcome: Outcome, retryAfter: RetryAfter = .missing
    ) {
        self.sent = sent
        latencyMicroseconds = UInt32(clamping: (max(0, received - sent) + 999) / 1000)
        self.tenant = Int32(tenant)
        self.cost = UInt32(clamping: cost)
        self.outcome = outcome
        switch retryAfter {
        case .missing: retrySeconds = Self.noRetry
        case .invalid: retrySeconds = Self.badRetry
        case .seconds(let seconds): retrySeconds = UInt16(clamping: min(seconds, Int(Self.badRetry) - 1))
        }
    }

    package var received: Int64 { sent + Int64(latencyMicroseconds) * 1000 }

    package var retryAfter: RetryAfter {
        switch retrySeconds {
        case Self.noRetry: .missing
        case Self.badRetry: .invalid
        default: .seconds(Int(retrySeconds))
        }
    }
}
