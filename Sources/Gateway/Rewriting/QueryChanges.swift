import HTTPWire
import NIOCore
import WeirConfiguration

/// What becomes of a query: some parameters are left out, some get another name, and new ones follow.
struct QueryChanges: Sendable {
    /// In the form in which names are once they are decoded.
    private let gone: [[UInt8]]
    private let renamed: [(from: [UInt8], to: [UInt8])]
    /// Names in the form in which they are written, with their `=`.
    private let written: [(name: [UInt8], value: CompiledTemplate)]

    /// nil: nothing is changed.
    init?(_ levels: [NamedChanges], of scope: CompiledTemplate.Scope) {
        let changes = CombinedChanges(levels) { $0 }
        guard !changes.isEmpty else { return nil }
        gone = changes.gone.map { Array($0.utf8) }
        renamed = changes.renamed.map { (Array($0.from.utf8), CompiledTemplate.escaped($0.to)) }
        written = changes.written.map { item in
            (
                CompiledTemplate.escaped(item.name) + [UInt8(ascii: "=")],
                CompiledTemplate(item.value, in: .query, of: scope)
            )
        }
    }

    /// With its question mark, unless nothing is left of it.
    func write(_ exchange: Exchange, into out: inout ByteBuffer) {
        var separator = UInt8(ascii: "?")
        let head = exchange.client.reader.head.fields.bytes
        let range = exchange.client.reader.head.query.range
        head.withUnsafeReadableBytes { bytes in
            let query = UnsafeRawBufferPointer(rebasing: bytes[range])
            var rest = QueryParameters(query)
            while let parameter = rest.next() {
                let name = UnsafeRawBufferPointer(rebasing: query[parameter.name])
                if let new = renamed.first(where: { QueryParameters.isSame(name, $0.from) })?.to {
                    out.writeInteger(separator)
                    out.writeBytes(new)
                    out.writeBytes(query[parameter.name.upperBound..<parameter.whole.upperBound])
                } else if gone.contains(where: { QueryParameters.isSame(name, $0) }) {
                    continue
                } else {
                    out.writeInteger(separator)
                    out.writeBytes(query[parameter.whole])
                }
                separator = UInt8(ascii: "&")
            }
        }
        for (name, value) in written {
            out.append(atMost: 1 + name.count + value.bound(exchange)) { cursor in
                cursor.write(byte: separator)
                cursor.write(name)
                value.write(exchange, to: &cursor)
            }
            separator = UInt8(ascii: "&")
        }
    }
}
