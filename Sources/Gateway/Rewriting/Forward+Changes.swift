import HTTPWire
import NIOCore

/// What a route changes of the head that is forwarded.
extension Forwarding {
    /// Makes `exchange.forwardedPath`. False where values of the request would make a path that is not canonical, so that it would
    /// not be read everywhere alike: such a request goes nowhere.
    static func rewritePath(_ exchange: Exchange, _ path: CompiledTemplate) -> Bool {
        exchange.forwardedPath.clear()
        guard exchange.client.reader.head.targetForm != .asterisk else { return true }
        exchange.forwardedPath.append(atMost: path.bound(exchange)) { path.write(exchange, to: &$0) }
        return exchange.forwardedPath.withUnsafeReadableBytes {
            CanonicalPath.isCanonical($0, scratch: &exchange.worker.scratch)
        }
    }

    static func writeRequestLine(_ exchange: Exchange, _ changes: ForwardChanges, into out: inout ByteBuffer) {
        let client = exchange.client
        out.writeStaticString(client.reader.head.method.name)
        out.writeInteger(UInt8(ascii: " "))
        if changes.path != nil, exchange.forwardedPath.readableBytes > 0 {
            out.writeImmutableBuffer(exchange.forwardedPath)
        } else {
            exchange.path.withBytes(of: client.reader.head) { _ = out.writeBytes($0) }
        }
        // An asterisk has no query, and would be no target with one.
        if let query = changes.query, client.reader.head.targetForm != .asterisk {
            query.write(exchange, into: &out)
        } else {
            client.reader.head.fields.withBytes(client.reader.head.query) { _ = out.writeBytes($0) }
        }
        out.writeStaticString(" HTTP/1.1\r\n")
    }

    /// Before the fields that are left are written.
    static func withhold(_ exchange: Exchange, _ changes: ForwardChanges) {
        changes.fields?.withhold(in: &exchange.client.reader.head.fields)
        if changes.host != nil { exchange.client.reader.head.fields.withhold(.host) }
        if !changes.strippedPrefix.isEmpty { exchange.client.reader.head.fields.withhold(.xForwardedPrefix) }
    }

    /// Behind the fields that are left.
    static func writeFields(_ exchange: Exchange, _ changes: ForwardChanges, into out: inout ByteBuffer) {
        let client = exchange.client
        changes.fields?.write(client.reader.head.fields, exchange, into: &out)
        if let host = changes.host {
            out.writeStaticString("Host: ")
            switch host {
            case .upstream: out.writeBytes(exchange.gate?.authority ?? [])
            case .name(let name): out.writeBytes(name)
            }
            out.writeCRLF()
        }
        guard !changes.strippedPrefix.isEmpty else { return }
        out.writeStaticString("X-Forwarded-Prefix: ")
        // A proxy in front, if it is believed, has stripped something before.
        client.reader.head.fields.withValue(of: .xForwardedPrefix) { _ = out.writeBytes($0) }
        out.writeBytes(changes.strippedPrefix)
        out.writeCRLF()
    }
}
