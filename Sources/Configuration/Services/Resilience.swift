/// What a service or a route says about upstreams that fail. nil: it says nothing of that part.
package struct Resilience: Hashable, Sendable {
    package var timeouts: AttemptTimeouts?
    package var retries: Toggle<RetryRules>?
    package var breaker: Toggle<BreakerRules>?
    /// What the client gets instead of a failure, the first that there is; empty: the failure.
    package var onFailure: [FailureAnswer]?
    package var stale: StaleRules?
    /// Requests in flight at most, in this process.
    package var concurrency: Toggle<Int>?

    package init() {}

    /// What holds for a route that says `route` in a service that says this.
    package func replaced(by route: Resilience) -> Resilience {
        var both = self
        both.timeouts = route.timeouts ?? timeouts
        both.retries = route.retries ?? retries
        both.breaker = route.breaker ?? breaker
        both.onFailure = route.onFailure ?? onFailure
        both.stale = route.stale ?? stale
        both.concurrency = route.concurrency ?? concurrency
        return both
    }

    package var isEmpty: Bool { self == Resilience() }
}

/// A route may turn off what its service declares.
package enum Toggle<Rules: Hashable & Sendable>: Hashable, Sendable {
    case off
    case on(Rules)

    package var rules: Rules? { if case .on(let rules) = self { rules } else { nil } }
}

/// nil: `gateway.timeouts` says how long.
package struct AttemptTimeouts: Hashable, Sendable {
    /// To get a connection to an upstream.
    package var connect: Duration?
    /// From the end of the sent request to the head of the answer.
    package var attempt: Duration?
    /// From the request's head to the head of the answer: all attempts, and what is waited between them.
    package var total: Duration?

    package init() {}
}

package struct RetryRules: Hashable, Sendable {
    /// How an attempt may end without an answer.
    package enum Failure: String, Hashable, Sendable, CaseIterable {
        /// No connection could be made, or not in time.
        case connect
        /// The connection ended, or brought what is no answer.
        case reset
        case timeout
    }

    /// In all, the first one included.
    package var attempts = 3
    package var failures: Set<Failure> = [.connect, .reset]
    package var statuses = StatusSet([502, 503, 504])
    /// Those whose requests may be repeated though an upstream may have acted on them.
    package var methods: Set<String> = RetryRules.idempotent
    package var backoff: Duration = .milliseconds(25)
    package var maximumBackoff: Duration = .milliseconds(250)
    /// Retries in percent of the requests of the last 10 s.
    package var budgetPercent = 20
    /// Bytes of a request's body that are kept for a retry.
    package var maximumBodyBytes = 64 * 1024

    package init() {}

    /// RFC 9110 §9.2.2, and those of WebDAV.
    package static let idempotent: Set<String> = [
        "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PROPFIND", "SEARCH", "REPORT", "QUERY",
    ]
    /// All that may be named.
    package static let repeatable = idempotent.union(["POST", "PATCH"])
}

package struct BreakerRules: Hashable, Sendable {
    package struct Slow: Hashable, Sendable {
        package var over: Duration
        package var percent: Int

        package init(over: Duration, percent: Int) {
            self.over = over
            self.percent = percent
        }
    }

    package var window: Duration = .seconds(10)
    /// In the window; with fewer the ratios say nothing.
    package var minimumRequests = 20
    package var errorPercent = 50
    /// nil: how many in a row fail does not matter.
    package var consecutiveFailures: Int?
    package var slow: Slow?
    /// Statuses that are failures.
    package var failures = StatusSet.serverFailures
    /// How long it stays open the first time; doubled with each probe that fails.
    package var open: Duration = .seconds(5)
    package var longestOpen: Duration = .seconds(60)
    /// Successes that close it again.
    package var probes = 3

    package init() {}
}

/// What a client gets instead of a failure.
package enum FailureAnswer: Hashable, Sendable {
    /// The last good answer to the same request.
    case stale
    /// What the service of that name answers.
    case fallback(String)
}

/// The last good answers of a service, one set a worker.
package struct StaleRules: Hashable, Sendable {
    package var maximumEntries = 1000
    /// Of all answers together, with their keys.
    package var maximumBytes = 16 << 20
    /// Of one answer's body.
    package var maximumBodyBytes = 256 << 10
    package var maximumAge: Duration = .seconds(600)
    /// Lowercase names of the request's fields by which answers differ.
    package var vary = ["accept", "accept-encoding", "accept-language"]
    /// Whether tenants get one another's answers.
    package var isShared = false

    package init() {}
}
