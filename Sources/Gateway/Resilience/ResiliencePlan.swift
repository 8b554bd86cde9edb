import HTTPWire
import NIOCore
import WeirConfiguration

/// What a route, or a service that others fall back to, does about upstreams that fail. Routes that declare nothing have none.
final class ResiliencePlan: Sendable {
    enum Answer: Hashable, Sendable {
        case stale
        /// The index of a service.
        case fallback(Int)
    }

    struct Retries: Sendable {
        let rules: RetryRules
        let backoff: Backoff
        /// Index of the edition's budget.
        let budget: Int
    }

    struct Stale: Sendable {
        let rules: StaleRules
        let vary: [FieldName]
        /// Index of the edition's cache.
        let cache: Int
    }

    struct Concurrency: Sendable {
        let inFlight: RequestsInFlight
        let maximum: Int
    }

    /// Nanoseconds; nil: not declared.
    let connect, attempt, total: Int64?
    let retries: Retries?
    let breaker: SharedBreaker?
    /// Statuses that the breaker takes for failures.
    let breakerFailures: StatusSet
    /// For the breaker, in nanoseconds.
    let slowOver: Int64
    let answers: [Answer]
    /// Where `answers` has stale ones.
    let stale: Stale?
    let concurrency: Concurrency?
    /// Statuses of answers that are not passed on if there is something better.
    let failures: StatusSet
    /// Methods whose requests may be sent again though an upstream may have acted on them.
    private let repeatable: UInt64

    init(_ declared: Resilience, _ parts: Parts) {
        connect = declared.timeouts?.connect.map { TimeAmount($0).nanoseconds }
        attempt = declared.timeouts?.attempt.map { TimeAmount($0).nanoseconds }
        total = declared.timeouts?.total.map { TimeAmount($0).nanoseconds }
        retries = parts.retries
        breaker = parts.breaker
        breakerFailures = declared.breaker?.rules?.failures ?? StatusSet()
        slowOver = declared.breaker?.rules?.slow.map { TimeAmount($0.over).nanoseconds } ?? .max
        answers = parts.answers
        stale = parts.stale
        concurrency = parts.concurrency
        var failures = breakerFailures
        if let retries = parts.retries { failures.formUnion(retries.rules.statuses) }
        self.failures = parts.retries == nil && parts.breaker == nil ? .serverFailures : failures
        let methods = parts.retries?.rules.methods ?? RetryRules.idempotent
        repeatable = Method.allCases.reduce(0) { mask, method in
            methods.contains(method.name.description) ? mask | 1 << UInt64(method.rawValue) : mask
        }
    }

    /// What belongs to the service or to one of its routes, whichever declared it.
    struct Parts {
        var retries: Retries?
        var breaker: SharedBreaker?
        var answers: [Answer] = []
        var stale: Stale?
        var concurrency: Concurrency?
    }

    func mayRepeat(_ method: Method) -> Bool { repeatable & 1 << UInt64(method.rawValue) != 0 }

    /// Bytes of a request's body that are kept for another attempt.
    var longestKeptBody: Int {
        if let retries { return retries.rules.maximumBodyBytes }
        return answers.contains { $0 != .stale } ? RetryRules().maximumBodyBytes : 0
    }
}
