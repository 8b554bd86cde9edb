package import LimiterCore

/// Everything that one Weir process is told: validated, immutable.
package struct Configuration: Sendable {
    package var gateway: GatewaySettings
    package var control: ControlSettings
    /// nil: counters live in this process's memory.
    package var store: StoreSettings?
    /// nil: the counts of calendar quotas are kept nowhere else.
    package var usage: UsageSettings?
    package var identity: IdentitySettings
    package var services: [Service]
    package var limits: LimitTable

    package init(
        gateway: GatewaySettings, control: ControlSettings, store: StoreSettings?, identity: IdentitySettings,
        services: [Service], limits: LimitTable
    ) {
        self.gateway = gateway
        self.control = control
        self.store = store
        self.identity = identity
        self.services = services
        self.limits = limits
    }
}

/// Where to listen: a host name or address, and a port; port 0 takes a free one.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    package var isLoopback: Bool { host == "localhost" || ClientAddress(parsing: host)?.isLoopback == true }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

package struct GatewaySettings: Sendable {
    package enum LimitHeaders: String, Sendable, CaseIterable {
        case standard
        /// `standard`, and `X-RateLimit-*` of the tightest limit.
        case legacy
        case none
    }

    package struct Timeouts: Sendable {
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
    package var accessLog = AccessLogSettings.off

    package init() {}
}

package enum AccessLogSettings: Hashable, Sendable {
    case off
    case standardOutput
    case file(String)
}

package struct ControlSettings: Sendable {
    package var listen = ListenAddress(host: "127.0.0.1", port: 8081)
    /// What `Authorization: Bearer` must carry; nil: nobody is asked, which only a loopback listener may do.
    package var token: String? = nil

    package init() {}
}

/// Where the counts of calendar quotas are recorded, so that they survive the store of the counters.
package struct UsageSettings: Hashable, Sendable {
    /// A path.
    package var file: String
    package var interval: Duration = .seconds(60)

    package init(file: String) { self.file = file }
}

package struct IdentitySettings: Sendable {
    /// A header that a trusted proxy sets to the tenant; lowercase name.
    package var header: String? = nil
    package var apiKeys: APIKeys? = nil

    package struct APIKeys: Sendable {
        /// Lowercase name.
        package var header: String
        /// SHA-256 of the key (32 bytes) to tenant.
        package var tenants: [[UInt8]: String]

        package init(header: String, tenants: [[UInt8]: String]) {
            self.header = header
            self.tenants = tenants
        }
    }

    package init() {}

    /// Whether requests have no identity at all.
    package var isAnonymous: Bool { header == nil && apiKeys == nil }
}

package struct Service: Sendable {
    package var name: String
    package var routes: [Route]
    package var upstreams: [Upstream]

    package init(name: String, routes: [Route], upstreams: [Upstream]) {
        self.name = name
        self.routes = routes
        self.upstreams = upstreams
    }
}

package struct Route: Sendable {
    /// Its path where it was given no name.
    package var name: String
    /// Canonical, starts with `/`; matches itself and what continues it after a `/`.
    package var path: String
    /// Lowercase, without port; nil: any.
    package var host: String?

    package init(name: String, path: String, host: String?) {
        self.name = name
        self.path = path
        self.host = host
    }
}

package struct Upstream: Hashable, Sendable, CustomStringConvertible {
    package var usesTLS: Bool
    package var host: String
    package var port: Int

    package init(usesTLS: Bool, host: String, port: Int) {
        self.usesTLS = usesTLS
        self.host = host
        self.port = port
    }

    package var description: String {
        "\(usesTLS ? "https" : "http")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }
}
