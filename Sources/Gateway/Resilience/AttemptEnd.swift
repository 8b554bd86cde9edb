import Telemetry
import WeirConfiguration

/// How one attempt to have a request answered ended.
enum AttemptEnd: Hashable, Sendable {
    /// The head of an answer came, with this status.
    case answered(Int)
    case unreachable
    case connectTimeout
    /// The connection ended before the answer's head was whole.
    case reset
    /// What came is no answer.
    case invalid
    case timedOut
    /// No connection became free.
    case busy
    /// None was made: the breaker is open.
    case circuitOpen
    /// None was made: the service has no upstream just now.
    case noUpstream

    /// What the client is told where nothing better is declared.
    var problem: Problem {
        switch self {
        case .answered, .unreachable, .reset, .invalid: .upstreamFailed
        case .connectTimeout, .timedOut: .upstreamTimeout
        case .busy: .upstreamBusy
        case .circuitOpen: .circuitOpen
        case .noUpstream: .noUpstream
        }
    }

    /// Whether no byte of the request can have reached the upstream.
    var isBeforeSending: Bool {
        switch self {
        case .unreachable, .connectTimeout, .busy, .circuitOpen, .noUpstream: true
        case .answered, .reset, .invalid, .timedOut: false
        }
    }

    /// Why there is no good answer; nil: there is one, or whoever tried to connect has said why.
    var cause: FailureCause? {
        switch self {
        case .answered(let status): status >= 500 ? .upstreamStatus : nil
        case .unreachable: nil
        case .connectTimeout: .connectTimeout
        case .reset: .reset
        case .invalid: .invalidResponse
        case .timedOut: .timeout
        case .busy: .upstreamBusy
        case .circuitOpen: .circuitOpen
        case .noUpstream: .noEndpoint
        }
    }

    /// What it tells of the upstream; nil: nothing.
    var outcome: AttemptOutcome? {
        switch self {
        case .answered(let status): AttemptOutcome(status: status)
        case .unreachable, .connectTimeout: .unreachable
        case .reset, .invalid, .timedOut: .failed
        case .busy, .circuitOpen, .noUpstream: nil
        }
    }

    /// For `Cache-Status`.
    var detail: StaticString {
        switch self {
        case .answered: "status"
        case .unreachable, .connectTimeout: "connect"
        case .reset: "reset"
        case .invalid: "invalid"
        case .timedOut: "timeout"
        case .busy: "busy"
        case .circuitOpen: "circuit-open"
        case .noUpstream: "no-upstream"
        }
    }
}

extension RetryRules {
    func cover(_ end: AttemptEnd) -> Bool {
        switch end {
        case .answered(let status): statuses.contains(status)
        case .unreachable, .connectTimeout: failures.contains(.connect)
        case .reset, .invalid: failures.contains(.reset)
        case .timedOut: failures.contains(.timeout)
        case .busy, .circuitOpen, .noUpstream: false
        }
    }
}
