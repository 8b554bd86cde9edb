extension RedisAddress {
    /// Reads `redis://[user:password@]host[:port][/db]`, or `rediss://` for TLS; user and password may be percent-encoded. Messages never
    /// hold the password.
    package init(parsing url: String) throws(ConfigurationError) {
        let form = "write it like redis://127.0.0.1:6379"
        guard let separator = url.firstRange(of: "://") else {
            throw ConfigurationError("the Redis URL has no scheme; \(form)")
        }
        let scheme = url[..<separator.lowerBound]
        guard scheme == "redis" || scheme == "rediss" else {
            switch scheme.lowercased() {
            case "redis+sentinel", "redis+cluster":
                throw ConfigurationError("`\(scheme)://` is not built yet; use redis:// with one server")
            default:
                throw ConfigurationError("the Redis URL's scheme should be `redis`; \(form)")
            }
        }
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
        let path = rest.firstIndex(of: "/").map { rest[$0...] }
        rest = rest.prefix { $0 != "/" }
        if let credentials, credentials.contains("/") || credentials.contains("@") {
            throw ConfigurationError("write `/` and `@` in the Redis URL's user or password as %2F and %40")
        }
        let address: HostPort
        do {
            address = try HostPort(parsing: String(rest), ports: 1...65_535)
        } catch {
            // What stands here may be a part of a password whose `@` is missing.
            guard credentials != nil || rest.isEmpty else {
                throw ConfigurationError("the Redis URL's host or port is wrong; \(form)")
            }
            throw ConfigurationError("the Redis URL's address is wrong: \(error.message); \(form)")
        }
        self.init(
            host: address.host, port: address.port ?? 6379, database: try Self.database(path ?? ""),
            usesTLS: scheme == "rediss")
        if let credentials { (user, password) = try Self.decode(credentials) }
    }

    private static func database(_ path: Substring) throws(ConfigurationError) -> Int {
        let digits = path.dropFirst()
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
