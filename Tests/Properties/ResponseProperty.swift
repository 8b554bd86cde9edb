import HTTPWire
import NIOCore

/// Responses of one connection: read alike however their bytes come and by NIO's decoder, and again after they were written.
enum ResponseProperty {
    static func fault(_ bytes: [UInt8]) -> String? {
        // The first byte of an input chooses what is answered.
        let method: Method = bytes.first == UInt8(ascii: "h") ? .head : .get
        let bytes = Array(bytes.drop { $0 == UInt8(ascii: "h") })
        return FramingDifference.ofResponses(bytes, answering: method).failure ?? faultInWriting(bytes, method)
    }

    private static func faultInWriting(_ bytes: [UInt8], _ method: Method) -> String? {
        var reader = ResponseReader()
        var buffer = ByteBuffer(bytes: bytes)
        while true {
            do throws(WireError) {
                switch try reader.next(&buffer, answering: method) {
                case .needsMore: return nil
                case .body, .end: continue
                case .head:
                    if let fault = faultInWriting(reader.head, method) { return "\(fault) in \(bytes.quoted)" }
                }
            } catch { return nil }
        }
    }

    private static func faultInWriting(_ head: borrowing ResponseHead, _ method: Method) -> String? {
        var out = ByteBuffer()
        head.writeStatusLine(into: &out)
        head.fields.write(into: &out)
        out.writeCRLF()
        let text = String(buffer: out)
        do {
            let again = try parseResponse(text, answering: method)
            if again.status != head.status { return "another status in \(text.debugDescription)" }
            return again.framing == head.framing ? nil : "another framing in \(text.debugDescription)"
        } catch { return "\(error) where \(text.debugDescription) is read again" }
    }
}
