import HTTPTypes
import Hummingbird
import LimiterCore

/// Who may ask: whoever carries the token, where there is one; and no web page that a browser has open.
struct Access<Context: RequestContext>: RouterMiddleware {
    private let token: [UInt8]?
    /// Probes ask these and have no token.
    private let openPaths: Set<String> = ["/healthz", "/readyz"]

    init(token: String?) { self.token = token.map { Array($0.utf8) } }

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard !openPaths.contains(request.uri.path) else { return try await next(request, context) }
        if let token {
            guard let given = Self.bearer(request.headers[.authorization]), Self.areEqual(given, token) else {
                throw ControlError(
                    .unauthorized, "the control API needs its token; send it as `Authorization: Bearer <token>`")
            }
        } else if let authority = request.head.authority, !Self.isLocal(authority) {
            // Without a token the listener is on loopback; a name that others resolve to it is a page's attempt to get in.
            throw ControlError(.forbidden, "without a token the control API answers only to localhost or an address")
        }
        if let origin = request.headers[.origin], !Self.isSame(origin, request.head.authority) {
            throw ControlError(.forbidden, "the control API does not answer pages of other origins")
        }
        return try await next(request, context)
    }

    private static func bearer(_ field: String?) -> [UInt8]? {
        guard let field, let space = field.firstIndex(of: " "), field[..<space].lowercased() == "bearer" else {
            return nil
        }
        return Array(field[space...].drop { $0 == " " }.utf8)
    }

    /// Takes a time that depends on what was given alone, not on how much of it is right.
    static func areEqual(_ given: [UInt8], _ expected: [UInt8]) -> Bool {
        guard !expected.isEmpty else { return given.isEmpty }
        var difference: UInt8 = given.count == expected.count ? 0 : 1
        for index in given.indices { difference |= given[index] ^ expected[index % expected.count] }
        return difference == 0
    }

    static func isLocal(_ authority: String) -> Bool {
        if ClientAddress(parsing: authority) != nil { return true }
        let host = authority.lastIndex(of: ":").map { authority[..<$0] } ?? authority[...]
        return host.lowercased() == "localhost" || ClientAddress(parsing: String(host)) != nil
    }

    private static func isSame(_ origin: String, _ authority: String?) -> Bool {
        guard let authority else { return false }
        return origin == "http://\(authority)" || origin == "https://\(authority)"
    }
}
