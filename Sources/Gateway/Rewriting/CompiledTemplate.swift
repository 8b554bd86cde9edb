import HTTPWire
import WeirConfiguration

/// A template made ready to be written: it allocates nothing, but for the text of an address behind a proxy.
struct CompiledTemplate: Sendable {
    /// Where it is written to, which says how values must be written not to mean something else there.
    enum Context {
        /// A field's value: control characters are left out.
        case field
        /// A path: what is no part of the request's own path is percent-encoded.
        case path
        /// A value in a query: everything is percent-encoded, the text too.
        case query
        /// A location: a path up to its `?`, and a query from there on.
        case location
    }

    private enum Encoding: Sendable {
        /// It has been a part of a request's target, and of no more than that.
        case none
        case withoutControls
        case escaped
        /// The same, and its escapes stay.
        case escapedOnce
    }

    private enum Piece: Sendable {
        case text([UInt8])
        case value(TemplateValue, Encoding)
    }

    /// Bytes of a field's value that are used; what is beyond is left out.
    static let longestFieldValue = 4096

    private let pieces: [Piece]

    /// What does not depend on the request.
    struct Scope {
        let service: String
        let route: String
        /// Bytes of the route's prefix, if it has one.
        let prefixLength: Int
    }

    init(_ template: Template, in context: Context, of scope: Scope) {
        var isQuery = context == .query
        var pieces: [Piece] = []
        for piece in template.pieces {
            switch piece {
            case .text(let text):
                pieces.append(.text(context == .query ? Self.escaped(text) : Array(text.utf8)))
                if context == .location, text.contains("?") { isQuery = true }
            case .variable(.service):
                pieces.append(.text(context == .field ? Array(scope.service.utf8) : Self.escaped(scope.service)))
            case .variable(.route):
                pieces.append(.text(context == .field ? Array(scope.route.utf8) : Self.escaped(scope.route)))
            case .variable(let variable):
                let value = TemplateValue(variable, prefixLength: scope.prefixLength)
                pieces.append(.value(value, Self.encoding(of: value, in: context, isQuery: isQuery)))
            }
        }
        self.pieces = pieces
    }

    private static func encoding(of value: TemplateValue, in context: Context, isQuery: Bool) -> Encoding {
        guard context != .field else { return .withoutControls }
        switch value {
        case .path, .pathBelow, .parameter: return isQuery ? .escapedOnce : .none
        case .query: return isQuery ? context == .location ? .none : .escapedOnce : .escaped
        default: return .escaped
        }
    }

    static func escaped(_ text: String) -> [UInt8] {
        Array(text.utf8).withUnsafeBytes { bytes in
            [UInt8](unsafeUninitializedCapacity: bytes.count * 3 + 1) { memory, count in
                var cursor = ByteCursor(UnsafeMutableRawBufferPointer(memory))
                cursor.write(percentEncoding: bytes)
                count = cursor.count
            }
        }
    }

    /// Bytes that are written at most.
    func bound(_ exchange: Exchange) -> Int {
        pieces.reduce(0) { sum, piece in
            switch piece {
            case .text(let text): sum + text.count
            case .value(let value, .none), .value(let value, .withoutControls): sum + value.bound(exchange)
            case .value(let value, _): sum + value.bound(exchange) * 3
            }
        }
    }

    func write(_ exchange: Exchange, to cursor: inout ByteCursor) {
        for piece in pieces {
            switch piece {
            case .text(let text): cursor.write(text)
            case .value(let value, let encoding):
                value.withBytes(exchange) { bytes in
                    switch encoding {
                    case .none: cursor.write(bytes)
                    case .withoutControls: cursor.write(fieldValue: bytes)
                    case .escaped: cursor.write(percentEncoding: bytes)
                    case .escapedOnce: cursor.write(percentEncoding: bytes, keepsEscapes: true)
                    }
                }
            }
        }
    }
}
