/// Why a request got no whole answer of its upstream's, in one word for the access log, the metrics, the log and traces.
package enum FailureCause: Int, CaseIterable, Sendable {
    /// Nobody listens at the upstream's address.
    case connectRefused
    case connectTimeout
    /// The address cannot be reached, its name cannot be resolved, or no TLS came about.
    case connectFailed
    /// The connection broke before the answer's head.
    case reset
    /// No byte came in time.
    case timeout
    case invalidResponse
    /// The connection ended within the answer.
    case truncated
    /// The upstream itself answered with 5xx.
    case upstreamStatus
    /// The upstream is left alone for a while, because it failed too often.
    case circuitOpen
    /// The service has no upstream that may be asked.
    case noEndpoint
    /// All connections were in use for too long, or too many requests waited for one.
    case upstreamBusy
    /// Limits could not be decided.
    case storeUnavailable

    package var name: StaticString {
        switch self {
        case .connectRefused: "connect_refused"
        case .connectTimeout: "connect_timeout"
        case .connectFailed: "connect_failed"
        case .reset: "reset"
        case .timeout: "timeout"
        case .invalidResponse: "invalid_response"
        case .truncated: "truncated"
        case .upstreamStatus: "upstream_status"
        case .circuitOpen: "circuit_open"
        case .noEndpoint: "no_endpoint"
        case .upstreamBusy: "upstream_busy"
        case .storeUnavailable: "store_unavailable"
        }
    }

    /// Whether an upstream, or the way to it, is at fault.
    package var isOfUpstream: Bool { self != .storeUnavailable }
}
