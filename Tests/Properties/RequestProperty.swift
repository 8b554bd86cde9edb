import HTTPWire
import NIOCore

/// Requests of one connection: read alike however their bytes come and by NIO's decoder; and what is written to an upstream is
/// read there as the same request.
enum RequestProperty {
    static func fault(_ bytes: [UInt8]) -> String? {
        if let difference = FramingDifference.ofRequests(bytes).failure { return difference }
        return faultInWriting(bytes) ?? faultInChunks(bytes)
    }

    private static func faultInWriting(_ bytes: [UInt8]) -> String? {
        var reader = RequestReader()
        var buffer = ByteBuffer(bytes: bytes)
        var path = CanonicalPath()
        while true {
            do throws(WireError) {
                switch try reader.next(&buffer) {
                case .needsMore: return nil
                case .body, .end: continue
                case .head:
                    guard (try? path.resolve(reader.head)) != nil else { return nil }
                    // The gateway meets expectations itself.
                    reader.head.fields.remove(.expect)
                    if let fault = faultInWriting(reader.head, path) { return "\(fault) in \(bytes.quoted)" }
                }
            } catch { return nil }
        }
    }

    private static func faultInWriting(_ head: borrowing RequestHead, _ path: CanonicalPath) -> String? {
        var out = ByteBuffer()
        head.writeRequestLine(into: &out, path: path)
        head.fields.write(into: &out)
        // What an upstream needs and the gateway would write.
        if !head.fields.contains(.host) { out.writeString("Host: upstream\r\n") }
        out.writeCRLF()
        let text = String(buffer: out)
        let again: RequestHead
        do { again = try parseRequest(text) } catch { return "\(error) where \(text.debugDescription) is read again" }
        if again.method != head.method { return "another method in \(text.debugDescription)" }
        if again.framing != head.framing { return "another framing in \(text.debugDescription)" }
        if again.fields.text(again.query) != head.fields.text(head.query) {
            return "another query in \(text.debugDescription)"
        }
        let written = path.withBytes(of: head) { Array($0) }
        if Array(again.fields.text(again.path).utf8) != written { return "another path in \(text.debugDescription)" }
        let lines = forwarded(head.fields)
        let expected = head.fields.contains(.host) ? lines : lines + ["Host: upstream"]
        return again.fields.lines == expected ? nil : "other fields in \(text.debugDescription)"
    }

    private static func forwarded(_ fields: borrowing HeadFields) -> [String] {
        (0..<fields.count).filter { !fields[$0].isRemoved }.map {
            "\(fields.text(fields[$0].name)): \(fields.text(fields[$0].value))"
        }
    }

    /// The chunks that are passed on hold the body that was read.
    private static func faultInChunks(_ bytes: [UInt8]) -> String? {
        let plain = Observation.ofRequests(bytes)
        for feeding in Feeding.allCases {
            let framed = Observation.ofRequests(bytes, feeding, chunks: .framing)
            guard framed.error == plain.error else { return "\(feeding): another error in \(bytes.quoted)" }
            for (chunks, message) in zip(framed.messages, plain.messages) where message.isComplete {
                let isChunked = message.fields.contains {
                    $0.lowercased().hasPrefix("transfer-encoding:")
                }
                let body = isChunked ? try? DecodedChunks(chunks.body, yielding: .payload) : nil
                if isChunked, body?.bytes != message.body || body?.isAtEnd != true || body?.rest.isEmpty != true {
                    return "the chunks passed on hold another body: \(chunks.body.quoted) of \(bytes.quoted)"
                }
            }
        }
        return nil
    }
}
