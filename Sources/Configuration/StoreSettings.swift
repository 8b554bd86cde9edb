package struct StoreSettings: Hashable, Sendable {
    package var redis: RedisAddress
    /// Who to be and whom to believe where `redis` uses TLS.
    package var tls = TLSSettings()
    /// Who to be to the sentinels, where there are some.
    package var sentinel = SentinelSettings()
    /// For one decision.
    package var deadline: Duration = .milliseconds(20)
    /// How many replicas there are at least.
    package var replicas = 1

    package init(redis: RedisAddress) { self.redis = redis }
}

/// Paths of PEM files.
package struct TLSSettings: Hashable, Sendable {
    /// The authorities to believe; nil: the system's.
    package var authorityFile: String?
    /// This client's certificates, its own first, and the key of that one; both or neither.
    package var certificateFile: String?
    package var keyFile: String?

    package init(authorityFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil) {
        self.authorityFile = authorityFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
    }
}

/// What sentinels want to hear; they know nothing of the users that Redis has.
package struct SentinelSettings: Hashable, Sendable {
    package var user: String?
    package var password: String?

    package init(user: String? = nil, password: String? = nil) {
        self.user = user
        self.password = password
    }
}

/// `redis://[user:password@]host:port/db`, `redis+sentinel://[user:password@]host:port,host:port/primary/db`,
/// `redis+cluster://[user:password@]host:port,host:port`; with `rediss` for TLS.
package struct RedisAddress: Hashable, Sendable, CustomStringConvertible {
    package struct Server: Hashable, Sendable, CustomStringConvertible {
        /// A name or an address; lowercase, IPv6 without brackets.
        package var host: String
        package var port: Int

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    }

    /// What `servers` are.
    package enum Form: Hashable, Sendable {
        /// The one Redis.
        case server
        /// Sentinels, which say where the primary of this name is.
        case sentinel(primary: String)
        /// Some nodes of a cluster, which know the others.
        case cluster
    }

    package var form: Form
    /// At least one.
    package var servers: [Server]
    package var usesTLS: Bool
    package var user: String?
    package var password: String?
    package var database: Int

    package init(
        host: String, port: Int = 6379, user: String? = nil, password: String? = nil, database: Int = 0,
        usesTLS: Bool = false
    ) {
        self.init(.server, [Server(host: host, port: port)], usesTLS: usesTLS, database: database)
        self.user = user
        self.password = password
    }

    package init(_ form: Form, _ servers: [Server], usesTLS: Bool = false, database: Int = 0) {
        precondition(!servers.isEmpty, "a Redis is somewhere")
        self.form = form
        self.servers = servers
        self.usesTLS = usesTLS
        self.database = database
    }

    /// Without the password.
    package var description: String {
        let who = user.map { "\($0)@" } ?? ""
        let places = servers.map(\.description).joined(separator: ",")
        let scheme = usesTLS ? "rediss" : "redis"
        switch form {
        case .server: return "\(scheme)://\(who)\(places)/\(database)"
        case .sentinel(let primary): return "\(scheme)+sentinel://\(who)\(places)/\(primary)/\(database)"
        case .cluster: return "\(scheme)+cluster://\(who)\(places)"
        }
    }
}
