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

    /// Fields of which a request's fields that differ by underscores are taken out.
    private static let known: Set<String> = framing.union([
        "host", "x-api-key", "x-weir-tenant", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host",
        "x-forwarded-port", "x-forwarded-prefix", "x-real-ip", "x-request-id", "ratelimit-policy", "ratelimit-limit",
        "ratelimit-remaining", "ratelimit-reset", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset",
        "retry-after", "content-type", "user-agent",
    ])

    /// Of a field that says who asks: it must be there when it is looked for, and mean nothing else.
    ///
    /// `isFromProxies`: trusted proxies write it, whose fields stay.
    static func checkCredential(_ name: String, isFromProxies: Bool) throws(ConfigurationError) {
        let field = normalized(name)
        if framing.contains(field) || field == "host" {
            throw ConfigurationError(
                "`\(name)` says how or where a message goes, and nobody looks for a caller there; choose another header"
            )
        }
        if name.contains("_"), known.contains(field) {
            throw ConfigurationError(
                "`\(name)` is taken out of requests, for programs cannot tell it from `\(field)`; choose another header"
            )
        }
        if !isFromProxies,
            field.hasPrefix("x-forwarded-") || ["forwarded", "x-real-ip", "x-weir-tenant"].contains(field)
        {
            throw ConfigurationError(
                "`\(name)` is taken out of what clients send, for only proxies are believed it; choose another header")
        }
    }

    /// Names that have a meaning by the configuration, in the form in which they are compared.
    struct Reserved {
        /// Of the fields that say who asks.
        var credentials: Set<String> = []
        /// Of the fields that say what a token claims.
        var claims: Set<String> = []

        init(_ identity: IdentitySettings) {
            let names = [identity.header, identity.apiKeys?.header].compactMap { $0 } + identity.tokens.map(\.header)
            credentials = Set(names.map(FieldTarget.normalized))
            claims = Set(identity.tokens.flatMap { $0.fields.map { FieldTarget.normalized($0.name) } })
        }
    }

    /// `isWritten`: there will be such a field, and not only be one the less.
    static func check(
        _ name: String, in message: Message, isWritten: Bool, _ reserved: Reserved
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
        if message == .request, reserved.credentials.contains(field) {
            throw ConfigurationError("`\(name)` says who asks, and goes no further than here; choose another field")
        }
        if message == .request, reserved.claims.contains(field) {
            throw ConfigurationError(
                "`\(name)` says what a token claims, so that upstreams can believe it; choose another field")
        }
    }

    /// An underscore may stand for a hyphen where fields become environment variables.
    static func normalized(_ name: String) -> String { name.lowercased().replacing("_", with: "-") }
}
