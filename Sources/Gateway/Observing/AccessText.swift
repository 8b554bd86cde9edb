import HTTPWire
import LimiterCore
import Telemetry

/// The texts that are known of an exchange at its end, as bytes.
extension Exchange {
    /// Calls `body` once, or not at all where there is no such text. `scratch` is for what must be put together first.
    func withText(
        _ text: AccessLine.Text, _ scratch: inout [UInt8], _ body: (UnsafeRawBufferPointer) -> Void
    ) {
        switch text {
        case .requestID: requestID.withBytes(client.reader.head.fields, body)
        case .traceID:
            guard let trace = traceID else { return }
            scratch.removeAll(keepingCapacity: true)
            trace.append(to: &scratch)
            scratch.withUnsafeBytes(body)
        case .clientIP:
            scratch.removeAll(keepingCapacity: true)
            clientAddress.appendText(to: &scratch)
            scratch.withUnsafeBytes(body)
        case .method: if hasHead { Self.give(client.reader.head.method.name, body) }
        case .host: if hasHead { withHost(body) }
        case .path: if hasHead { withPath(body) }
        case .query: if hasHead { withQuery(body) }
        case .service: if let place { Self.give(edition.plan.services[place.service].name, body) }
        case .route:
            if let place { Self.give(edition.plan.services[place.service].routes[place.route].name, body) }
        case .apiKey:
            if let name = apiKey?.name { Self.give(name, body) }
        case .tenant: if !tenant.name.isEmpty { tenant.name.withUnsafeBytes(body) }
        case .upstream: if let gate { gate.authority.withUnsafeBytes(body) }
        case .version: if version == .second { Self.give(edition.plan.services[target].name, body) }
        case .cause: if let cause { Self.give(cause.name, body) }
        case .header(let name):
            if hasHead { _ = client.reader.head.fields.withReceivedValue(named: name, body) }
        }
    }

    private static func give(_ text: StaticString, _ body: (UnsafeRawBufferPointer) -> Void) {
        body(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private static func give(_ text: String, _ body: (UnsafeRawBufferPointer) -> Void) {
        var text = text
        text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }

    func withHost(_ body: (UnsafeRawBufferPointer) -> Void) {
        if !client.reader.head.authority.isEmpty {
            client.reader.head.fields.withBytes(client.reader.head.authority, body)
        } else if let index = client.reader.head.fields.firstIndex(of: .host) {
            client.reader.head.fields.withValue(at: index, body)
        }
    }

    /// As it is routed; as it came where it was refused before that.
    func withPath(_ body: (UnsafeRawBufferPointer) -> Void) {
        if phase == .guarding {
            client.reader.head.fields.withBytes(client.reader.head.path, body)
        } else {
            path.withBytes(of: client.reader.head, body)
        }
    }

    /// Without its question mark; not called where it is empty.
    private func withQuery(_ body: (UnsafeRawBufferPointer) -> Void) {
        guard client.reader.head.query.count > 1 else { return }
        client.reader.head.fields.withBytes(client.reader.head.query) {
            body(UnsafeRawBufferPointer(rebasing: $0[1...]))
        }
    }

    /// The trace that the request belongs to, whether it is continued here or passed through.
    var traceID: TraceID? {
        if let trace { return trace.context.trace }
        guard hasHead else { return nil }
        return TraceContext(of: client.reader.head.fields)?.trace
    }
}
