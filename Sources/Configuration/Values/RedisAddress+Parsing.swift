extension RedisAddress {
    /// Reads `redis://[user:password@]host[:port][/db]`, `redis+sentinel://[user:password@]host[:port],.../primary[/db]` or
    /// `redis+cluster://[user:password@]host[:port],...`, or one of them with `rediss` for TLS. User, password and the primary's name may be percent-encoded. Messages never hold the password.
    package init(parsing url: String) throws(ConfigurationError) {
        guard let separator = url.firstRange(of: "://") else {
            throw ConfigurationError("the Redis URL has no scheme; write it like redis://127.0.0.1:6379")
        }
        let scheme = try Scheme(url[..<separator.lowerBound])
        var rest = url[separator.upperBound...]
        guard !rest.contains("?"), !rest.contains("#") else {
            throw ConfigurationError(
                "a Redis URL has no query and no fragment; write `?` and `#` in a password as %3F and %23")
        }
        var credentials: Substring?
        if let at = rest.lastIndex(of: "@") {
            credentials = rest[..<at]
            rest = rest[rest.index(after: at)...]
        }
        let path = rest.firstIndex(of: "/").map { rest[$0...].dropFirst() } ?? ""
        rest = rest.prefix { $0 != "/" }
        if let credentials, credentials.contains("/") || credentials.contains("@") {
            throw ConfigurationError("write `/` and `@` in the Redis URL's user or password as %2F and %40")
        }
        let servers = try Self.servers(rest, scheme, mayQuote: credentials != nil)
        switch scheme.kind {
        case .server:
            self.init(.server, servers, usesTLS: scheme.usesTLS, database: try Self.database(path))
        case .sentinel:
            let name = path.prefix { $0 != "/" }
            guard let primary = Self.percentDecoded(name), !primary.isEmpty else {
                throw ConfigurationError("the Redis URL does not name the primary; \(scheme.form)")
            }
            self.init(
                .sentinel(primary: primary), servers, usesTLS: scheme.usesTLS,
                database: try Self.database(path.dropFirst(name.count + 1)))
        case .cluster:
            guard try Self.database(path) == 0 else {
                throw ConfigurationError("a Redis Cluster has database 0 only; end the URL behind the last port")
            }
            self.init(.cluster, servers, usesTLS: scheme.usesTLS)
        }
        if let credentials { (user, password) = try Self.decode(credentials) }
    }

    private struct Scheme {
        enum Kind {
            case server
            case sentinel
            case cluster
        }

        var kind = Kind.server
        let usesTLS: Bool

        init(_ text: Substring) throws(ConfigurationError) {
            let (name, rest) = (text.prefix { $0 != "+" }, text.drop { $0 != "+" })
            switch (name, rest) {
            case ("redis", ""), ("rediss", ""): kind = .server
            case ("redis", "+sentinel"), ("rediss", "+sentinel"): kind = .sentinel
            case ("redis", "+cluster"), ("rediss", "+cluster"): kind = .cluster
            default:
                throw ConfigurationError(
                    "the Redis URL's scheme should be `redis`, `redis+sentinel` or `redis+cluster`, with `rediss` for TLS; write it like redis://127.0.0.1:6379"
                )
            }
            usesTLS = name == "rediss"
        }

        var port: Int {
            switch kind {
            case .server, .cluster: 6379
            case .sentinel: 26_379
            }
        }

        /// What would do.
        var form: String {
            switch kind {
            case .server: "write it like redis://127.0.0.1:6379"
            case .sentinel: "write it like redis+sentinel://10.0.0.1:26379,10.0.0.2:26379/mymaster"
            case .cluster: "write it like redis+cluster://10.0.0.1:6379,10.0.0.2:6379"
            }
        }
    }

    /// Messages may quote the text only where it cannot be part of a password whose `@` is missing.
    private static func servers(
        _ text: Substring, _ scheme: Scheme, mayQuote: Bool
    ) throws(ConfigurationError) -> [Server] {
        let places = text.split(separator: ",", omittingEmptySubsequences: false)
        if places.count > 1, scheme.kind == .server {
            throw ConfigurationError(
                "a redis:// URL has one server; several are for redis+sentinel:// and redis+cluster://")
        }
        var servers: [Server] = []
        for place in places {
            let address: HostPort
            do {
                address = try HostPort(parsing: String(place), ports: 1...65_535)
            } catch {
                guard mayQuote || text.isEmpty else {
                    throw ConfigurationError("the Redis URL's host or port is wrong; \(scheme.form)")
                }
                throw ConfigurationError("the Redis URL's address is wrong: \(error.message); \(scheme.form)")
            }
            let server = Server(host: address.host, port: address.port ?? scheme.port)
            if !servers.contains(server) { servers.append(server) }
        }
        return servers
    }

    private static func database(_ digits: Substring) throws(ConfigurationError) -> Int {
        guard !digits.isEmpty else { return 0 }
        guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(digits), number <= 65_535 else {
            throw ConfigurationError(
                "`\(digits)` in the Redis URL is not a database; use a number, like /0, or leave it out")
        }
        return number
    }

    private static func decode(_ credentials: Substring) throws(ConfigurationError) -> (
        user: String?, password: String?
    ) {
        guard let colon = credentials.firstIndex(of: ":") else {
            throw ConfigurationError("the Redis URL has a user without a password; write user:password@, or :password@")
        }
        guard let user = percentDecoded(credentials[..<colon]),
            let password = percentDecoded(credentials[credentials.index(after: colon)...])
        else {
            throw ConfigurationError(
                "the Redis URL's user or password has a `%` that is not followed by two hexadecimal digits; write % as %25"
            )
        }
        guard !password.isEmpty else {
            throw ConfigurationError("the Redis URL's password is empty; give one, or leave out all up to the @")
        }
        return (user.isEmpty ? nil : user, password)
    }

    private static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let high = hexValue(rest.removeFirst()), let low = hexValue(rest.removeFirst())
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

/// The value of a hexadecimal digit of either case.
func hexValue(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
}
