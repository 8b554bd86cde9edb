package import LimiterCore

package struct GatewaySettings: Hashable, Sendable {
    package enum LimitHeaders: String, Sendable, CaseIterable {
        case standard
        /// `standard`, and `X-RateLimit-*` of the tightest limit.
        case legacy
        case none
    }

    package struct Timeouts: Hashable, Sendable {
        /// For a whole request head, from its first byte.
        package var header: Duration = .seconds(10)
        /// Between two requests of a connection.
        package var idle: Duration = .seconds(75)
        /// Without a byte of a request's body, or behind its least rate.
        package var body: Duration = .seconds(30)
        /// To connect to an upstream.
        package var connect: Duration = .seconds(5)
        /// Without a byte from an upstream that owes an answer.
        package var upstream: Duration = .seconds(60)
        /// For requests in flight to finish when Weir is asked to stop.
        package var drain: Duration = .seconds(30)

        package init() {}
    }

    package var listen = ListenAddress(host: "127.0.0.1", port: 8080)
    /// Event loops; at least 1.
    package var workers = 1
    package var trustedProxies: [AddressBlock] = []
    package var headers = LimitHeaders.standard
    package var timeouts = Timeouts()
    /// Bytes of a request's start line and header fields together.
    package var maximumHeaderBytes = 32 * 1024
    package var maximumHeaderFields = 100
    /// Bytes of a request's body; nil: unbounded.
    package var maximumBodyBytes: Int64? = nil
    /// Bytes a second that a request's body must bring on average, once `timeouts.body` has been waited for it; 0: none.
    package var minimumBodyRate: Int64 = 100
    /// Open connections from clients, all workers together; more are closed at once.
    package var maximumConnections = 20_000
    /// Connections a worker keeps open to one upstream.
    package var maximumUpstreamConnections = 256
    package var accessLog = AccessLogSettings()

    package init() {}
}
