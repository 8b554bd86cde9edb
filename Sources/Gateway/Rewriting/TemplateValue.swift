import HTTPWire
import LimiterCore
import NIOCore
import Tokens
import WeirConfiguration

/// Something of a request that a template names.
enum TemplateValue: Sendable {
    case tenant, requestID, clientIP, method, host, path, query
    case pathBelow(prefixLength: Int, orRoot: Bool)
    case parameter(Int)
    case header(FieldName)
    case claim([UInt8])

    /// `variable` is not one that the configuration alone decides.
    init(_ variable: Template.Variable, prefixLength: Int) {
        switch variable {
        case .tenant: self = .tenant
        case .requestID: self = .requestID
        case .clientIP: self = .clientIP
        case .method: self = .method
        case .host: self = .host
        case .path: self = .path
        case .pathBelow(let orRoot): self = .pathBelow(prefixLength: prefixLength, orRoot: orRoot)
        case .query: self = .query
        case .parameter(let index): self = .parameter(index)
        case .header(let name):
            guard let name = FieldName(name) else { preconditionFailure("the configuration checks field names") }
            self = .header(name)
        case .claim(let name): self = .claim(Array(name.utf8))
        case .service, .route: preconditionFailure("these are texts")
        }
    }

    private static let longestHost = 255
    private static let longestAddress = 45

    func bound(_ exchange: Exchange) -> Int {
        switch self {
        case .tenant: exchange.tenant.name.count
        case .requestID: RequestID.longest
        case .clientIP: Self.longestAddress
        case .method: exchange.client.reader.head.method.name.utf8CodeUnitCount
        case .host: Self.longestHost
        // An empty path becomes a slash, and otherwise no path becomes longer.
        case .path, .pathBelow, .query, .parameter: exchange.client.reader.head.target.count + 1
        case .header: min(CompiledTemplate.longestFieldValue, exchange.client.reader.head.bytes.readableBytes)
        case .claim(let name):
            min(CompiledTemplate.longestFieldValue, exchange.claims?.text(named: name)?.count ?? 0)
        }
    }

    /// The bytes are valid only within `body`; there are none where the request has no such thing.
    func withBytes(_ exchange: Exchange, _ body: (UnsafeRawBufferPointer) -> Void) {
        let client = exchange.client
        switch self {
        case .tenant: exchange.tenant.name.withUnsafeBytes(body)
        case .requestID: exchange.requestID.withBytes(client.reader.head.fields, body)
        case .clientIP:
            if exchange.clientAddress == client.peer {
                client.peerText.withUnsafeBytes(body)
            } else {
                Array(exchange.clientAddress.description.utf8).withUnsafeBytes(body)
            }
        case .method: client.reader.head.method.name.withUTF8Buffer { body(UnsafeRawBufferPointer($0)) }
        case .host: client.reader.head.fields.withValue(of: .host) { Self.withName(of: $0, body) }
        case .path: withPath(exchange, body)
        case .pathBelow(let prefixLength, let orRoot):
            withPath(exchange) { path in
                let rest = path.dropFirst(prefixLength)
                if rest.isEmpty, orRoot {
                    body(UnsafeRawBufferPointer(rebasing: path[..<1]))
                } else {
                    body(UnsafeRawBufferPointer(rebasing: rest))
                }
            }
        case .query:
            client.reader.head.fields.withBytes(client.reader.head.query) {
                body(UnsafeRawBufferPointer(rebasing: $0.dropFirst()))
            }
        case .parameter(let index):
            withPath(exchange) { body(UnsafeRawBufferPointer(rebasing: $0[exchange.parameters[index]])) }
        case .header(let name):
            guard let index = client.reader.head.fields.firstIndex(named: name) else { return }
            client.reader.head.fields.withValue(at: index) {
                body(UnsafeRawBufferPointer(rebasing: $0.prefix(CompiledTemplate.longestFieldValue)))
            }
        case .claim(let name):
            exchange.claims?.text(named: name)?.withUnsafeBytes {
                body(UnsafeRawBufferPointer(rebasing: $0.prefix(CompiledTemplate.longestFieldValue)))
            }
        }
    }

    /// A slash where the request's target is an asterisk, which no path may hold.
    private func withPath(_ exchange: Exchange, _ body: (UnsafeRawBufferPointer) -> Void) {
        exchange.path.withBytes(of: exchange.client.reader.head) { path in
            guard path.first != UInt8(ascii: "/") else { return body(path) }
            withUnsafeBytes(of: UInt8(ascii: "/"), body)
        }
    }

    /// Lowercase, without port.
    private static func withName(of host: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        let length = min(RouteTable.nameLength(host), longestHost)
        withUnsafeTemporaryAllocation(byteCount: max(1, length), alignment: 1) { name in
            for index in 0..<length {
                let byte = host[index]
                name[index] = byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
            }
            body(UnsafeRawBufferPointer(rebasing: name[..<length]))
        }
    }
}
