package import LimiterCore

/// Everything that one Weir process is told: validated, immutable.
package struct Configuration: Sendable {
    package var gateway: GatewaySettings
    package var control: ControlSettings
    /// nil: counters live in this process's memory.
    package var store: StoreSettings?
    /// nil: the counts of calendar quotas are kept nowhere else.
    package var usage: UsageSettings?
    package var dns = DNSSettings()
    /// nil: traces are passed through as they are.
    package var tracing: TracingSettings?
    package var logging = LoggingSettings()
    package var identity: IdentitySettings
    package var services: [Service]
    package var limits: LimitTable
    /// Paths of the files that it was read from.
    package var files: [String] = []

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

package struct ControlSettings: Hashable, Sendable {
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
