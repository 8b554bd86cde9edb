import HTTPWire
import WeirConfiguration

/// An answer that a route gives by itself: a redirect, or a response that the configuration holds.
struct FixedAnswer: Sendable {
    let status: Int
    let body: [UInt8]
    /// The status line, and what does not depend on the request.
    private let head: [UInt8]
    private let fields: [(lineStart: [UInt8], value: CompiledTemplate)]
    private let location: CompiledTemplate?
    /// Whether it says where to with the request's host, which not every request has.
    let needsHost: Bool
    private let keepsQuery: Bool

    /// nil: the route forwards.
    init?(_ action: RouteAction, of scope: CompiledTemplate.Scope) {
        switch action {
        case .forward: return nil
        case .redirect(let redirect):
            status = redirect.status
            body = []
            head = Self.statusLine(redirect.status)
            fields = []
            location = CompiledTemplate(redirect.location, in: .location, of: scope)
            needsHost = redirect.location.variables.contains(.host)
            keepsQuery = redirect.keepsQuery
        case .respond(let response):
            status = response.status
            body = Array(response.body.utf8)
            head =
                Self.statusLine(response.status)
                + (response.contentType.map { Array("Content-Type: \($0)\r\n".utf8) } ?? [])
            fields = response.headers.map {
                (Array("\($0.name): ".utf8), CompiledTemplate($0.value, in: .field, of: scope))
            }
            location = nil
            needsHost = false
            keepsQuery = false
        }
    }

    private static func statusLine(_ status: Int) -> [UInt8] {
        Array("HTTP/1.1 \(status) \(ReasonPhrase.of(status))\r\n".utf8)
    }

    func bound(_ exchange: Exchange) -> Int {
        var bound = head.count + fields.reduce(0) { $0 + $1.lineStart.count + $1.value.bound(exchange) + 2 }
        if let location { bound += location.bound(exchange) + exchange.client.reader.head.query.count + 16 }
        return bound
    }

    func write(_ exchange: Exchange, to cursor: inout ByteCursor) {
        cursor.write(head)
        for (lineStart, value) in fields {
            cursor.write(lineStart)
            value.write(exchange, to: &cursor)
            cursor.write("\r\n")
        }
        guard let location else { return }
        cursor.write("Location: ")
        location.write(exchange, to: &cursor)
        if keepsQuery { cursor.write(exchange.client.reader.head.fields, exchange.client.reader.head.query) }
        cursor.write("\r\n")
    }
}
