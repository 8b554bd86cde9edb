package import HTTPWire

/// The same bytes to this module and to NIO's decoder: what is accepted here, NIO must frame alike. NIO may accept more.
package enum FramingDifference {
    /// nil where both agree; else what differs.
    private static func difference(
        _ wire: Observation, _ reference: ReferenceObservation, answering method: HTTPWire.Method
    ) -> String? {
        for (index, message) in wire.messages.enumerated() {
            let meansMore = meansMoreToNIO(message)
            let isLast = index == wire.messages.count - 1
            guard index < reference.messages.count else { return "only here: \(message)" }
            let other = reference.messages[index]
            var same = message.startLine == other.startLine && message.fields == other.fields
            same =
                same && (message.keepsAlive == other.keepsAlive || meansMore || mayDifferInKeepAlive(message, method))
            // A body that is refused half-way is not compared.
            if !isLast || wire.error == nil {
                same = same && message.body == other.body && message.isComplete == other.isComplete
            }
            guard same else { return "here \(message)\nNIO \(other)" }
            if meansMore { return nil }
            // NIO fails if anything follows the last message of a connection.
            if isLast, wire.error == nil, !message.isComplete, reference.failed { return "refused by NIO: \(message)" }
        }
        return nil
    }

    /// NIO stops where a client asks for an upgrade, and takes Proxy-Connection, which RFC 9112 tells not to, for Connection.
    /// Here both are ignored and removed, so connections may go on differently.
    private static func meansMoreToNIO(_ message: ObservedMessage) -> Bool {
        message.fields.contains {
            let field = $0.lowercased()
            return field.hasPrefix("upgrade:") || field.hasPrefix("proxy-connection:")
        }
    }

    private static func mayDifferInKeepAlive(_ message: ObservedMessage, _ method: HTTPWire.Method) -> Bool {
        let fields = message.fields.map { $0.lowercased() }
        // NIO takes a response to HEAD without a length for one that ends with the connection.
        if message.keepsAlive {
            return method == .head
                && !fields.contains { $0.hasPrefix("content-length:") || $0.hasPrefix("transfer-encoding:") }
        }
        // Where both close and keep-alive are said in HTTP/1.0, NIO keeps the connection; closing it is the safe reading.
        return message.startLine.contains("http10")
            && fields.contains { $0.hasPrefix("connection:") && $0.contains("close") }
    }

    private static func check(
        _ bytes: [UInt8], answering method: HTTPWire.Method = .get,
        wire: ([UInt8], Feeding) -> Observation,
        reference: ([UInt8], Feeding) -> ReferenceObservation
    ) -> (accepted: Int, failure: String?) {
        let whole = wire(bytes, .whole)
        let accepted = whole.messages.lazy.filter(\.isComplete).count
        func failure(_ text: String) -> (Int, String?) {
            (accepted, "\(text)\nbytes \(String(decoding: bytes, as: UTF8.self).debugDescription)")
        }
        let byteByByte = wire(bytes, .byteByByte)
        if whole != byteByByte { return failure("whole: \(whole)\nbyte by byte: \(byteByByte)") }
        if whole.messages.isEmpty { return (0, nil) }
        for feeding in Feeding.allCases {
            if let difference = difference(whole, reference(bytes, feeding), answering: method) {
                return failure(difference)
            }
        }
        return (accepted, nil)
    }

    package static func ofRequests(_ bytes: [UInt8]) -> (accepted: Int, failure: String?) {
        check(
            bytes, wire: { Observation.ofRequests($0, $1) },
            reference: { ReferenceObservation.ofRequests($0, $1) })
    }

    package static func ofResponses(
        _ bytes: [UInt8], answering method: HTTPWire.Method
    ) -> (accepted: Int, failure: String?) {
        check(
            bytes, answering: method, wire: { Observation.ofResponses($0, $1, answering: method) },
            reference: { ReferenceObservation.ofResponses($0, $1, answering: method) })
    }
}
