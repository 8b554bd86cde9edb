package struct StoreSettings: Sendable {
    package var redis: RedisAddress
    /// Who to be and whom to believe where `redis` uses TLS.
    package var tls = TLSSettings()
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

/// `redis://[user:password@]host:port/db`, or `rediss://` for TLS.
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

    package var server: Server
    package var usesTLS: Bool
    package var user: String?
    package var password: String?
    package var database: Int

    package init(
        host: String, port: Int = 6379, user: String? = nil, password: String? = nil, database: Int = 0,
        usesTLS: Bool = false
    ) {
        server = Server(host: host, port: port)
        self.usesTLS = usesTLS
        self.user = user
        self.password = password
        self.database = database
    }

    /// Without the password.
    package var description: String {
        "\(usesTLS ? "rediss" : "redis")://\(user.map { "\($0)@" } ?? "")\(server)/\(database)"
    }
}
