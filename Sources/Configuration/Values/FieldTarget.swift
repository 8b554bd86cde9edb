/// Fields that a configuration must not change, because Weir reads or writes them itself.
enum FieldTarget {
    enum Message {
        case request, response
    }

    private static let framing: Set<String> = [
        "content-length", "transfer-encoding", "connection", "keep-alive", "proxy-connection", "te", "trailer",
        "upgrade", "http2-settings", "proxy-authenticate", "proxy-authorization", "expect",
    ]

    /// Of a request's condition: these are not there when routes are looked for, or mean something to this hop alone.
    static func isForOneHop(_ name: String) -> Bool { framing.contains(normalized(name)) }

    /// Returns the name as it is. `credentials`: lowercase names of the fields that say who asks.
    ///
    /// `isWritten`: there will be such a field, and not only be one the less.
    static func check(
        _ name: String, in message: Message, isWritten: Bool, credentials: Set<String>
    ) throws(ConfigurationError) {
        guard HeaderName.isValid(name) else {
            throw ConfigurationError("`\(name)` cannot be a header's name; use letters, digits and hyphens")
        }
        let field = normalized(name)
        if framing.contains(field) {
            throw ConfigurationError(
                "`\(name)` says how the message is framed, or is for one hop alone; Weir writes it itself")
        }
        if field == "host" {
            throw ConfigurationError("`\(name)` is not changed as a field; use `request: {host: upstream}` or a name")
        }
        if field.hasPrefix("x-weir-") || field.hasPrefix("x-forwarded-") || field == "forwarded" {
            throw ConfigurationError("`\(name)` is written by Weir alone, so that upstreams can believe it")
        }
        if field == "x-request-id" || field == "date" {
            throw ConfigurationError("`\(name)` is written by Weir itself, and cannot be changed")
        }
        if message == .response, isWritten, field.hasPrefix("ratelimit") || field.hasPrefix("x-ratelimit-") {
            throw ConfigurationError("`\(name)` is written by Weir itself; it can be removed or renamed, not written")
        }
        if message == .request, credentials.contains(field) {
            throw ConfigurationError("`\(name)` says who asks, and goes no further than here; choose another field")
        }
    }

    /// An underscore may stand for a hyphen where fields become environment variables.
    static func normalized(_ name: String) -> String { name.lowercased().replacing("_", with: "-") }
}
