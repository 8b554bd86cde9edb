/// The fields that the gateway looks at. The parser finds out which one a field is, once.
package enum KnownField: UInt8, CaseIterable, Sendable {
    case other
    // What the parser itself reads comes first, so that one comparison tells the rest from it.
    case host, contentLength, transferEncoding, connection, expect
    // For one hop only: never forwarded.
    case keepAlive, proxyConnection, te, trailer, upgrade, http2Settings, proxyAuthenticate, proxyAuthorization
    case authorization, cookie, xAPIKey, xWeirTenant
    case forwarded, via, xForwardedFor, xForwardedProto, xForwardedHost, xForwardedPort, xForwardedPrefix, xRealIP
    case xRequestID, traceparent, tracestate
    case rateLimit, rateLimitPolicy, rateLimitLimit, rateLimitRemaining, rateLimitReset
    case xRateLimitLimit, xRateLimitRemaining, xRateLimitReset, retryAfter
    case date, server, contentType, accept, userAgent

    /// In lower case.
    package var name: StaticString {
        switch self {
        case .other: ""
        case .host: "host"
        case .contentLength: "content-length"
        case .transferEncoding: "transfer-encoding"
        case .connection: "connection"
        case .expect: "expect"
        case .keepAlive: "keep-alive"
        case .proxyConnection: "proxy-connection"
        case .te: "te"
        case .trailer: "trailer"
        case .upgrade: "upgrade"
        case .http2Settings: "http2-settings"
        case .proxyAuthenticate: "proxy-authenticate"
        case .proxyAuthorization: "proxy-authorization"
        case .authorization: "authorization"
        case .cookie: "cookie"
        case .xAPIKey: "x-api-key"
        case .xWeirTenant: "x-weir-tenant"
        case .forwarded: "forwarded"
        case .via: "via"
        case .xForwardedFor: "x-forwarded-for"
        case .xForwardedProto: "x-forwarded-proto"
        case .xForwardedHost: "x-forwarded-host"
        case .xForwardedPort: "x-forwarded-port"
        case .xForwardedPrefix: "x-forwarded-prefix"
        case .xRealIP: "x-real-ip"
        case .xRequestID: "x-request-id"
        case .traceparent: "traceparent"
        case .tracestate: "tracestate"
        case .rateLimit: "ratelimit"
        case .rateLimitPolicy: "ratelimit-policy"
        case .rateLimitLimit: "ratelimit-limit"
        case .rateLimitRemaining: "ratelimit-remaining"
        case .rateLimitReset: "ratelimit-reset"
        case .xRateLimitLimit: "x-ratelimit-limit"
        case .xRateLimitRemaining: "x-ratelimit-remaining"
        case .xRateLimitReset: "x-ratelimit-reset"
        case .retryAfter: "retry-after"
        case .date: "date"
        case .server: "server"
        case .contentType: "content-type"
        case .accept: "accept"
        case .userAgent: "user-agent"
        }
    }

    /// The parser marks these as removed. Transfer-Encoding is not among them: what is forwarded keeps its framing.
    var isHopByHop: Bool {
        self == .connection
            || (rawValue >= KnownField.keepAlive.rawValue && rawValue <= KnownField.proxyAuthorization.rawValue)
    }

    /// Connection may not name it: were it dropped, the message would mean something else to the next hop.
    var isProtected: Bool {
        switch self {
        case .other, .contentType, .accept, .userAgent: false
        default: !isHopByHop
        }
    }
}
