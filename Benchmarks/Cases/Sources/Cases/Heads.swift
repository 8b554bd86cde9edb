import HTTPWire
import NIOCore

/// A request read from the buffer that it arrived in, to its end.
final class RequestParsing: Exercise {
    private var reader = RequestReader()

    func run(calls: Int) {
        for _ in 0..<calls {
            reader.head.clear()
            var inbound = SampleHeads.request
            guard case .head? = try? reader.next(&inbound), case .end? = try? reader.next(&inbound) else {
                preconditionFailure("the sample is a request without a body")
            }
        }
    }

    var outcome: String {
        "\(reader.head.method.name) of \(SampleHeads.request.readableBytes) bytes, \(reader.head.fields.count) fields"
    }
}

/// A response and its body read from the buffer that they arrived in, to the end.
final class ResponseParsing: Exercise {
    private var reader = ResponseReader()

    func run(calls: Int) {
        for _ in 0..<calls {
            reader.head.clear()
            var inbound = SampleHeads.response
            guard case .head? = try? reader.next(&inbound, answering: .get),
                case .body? = try? reader.next(&inbound, answering: .get),
                case .end? = try? reader.next(&inbound, answering: .get)
            else { preconditionFailure("the sample is a response with a body") }
        }
    }

    var outcome: String {
        "\(reader.head.status), \(reader.head.fields.count) fields, \(reader.payloadBytes) bytes of body"
    }
}

/// What the gateway passes on of a request's head, in the form in which it was routed.
final class RequestWriting: Exercise {
    private var reader = RequestReader()
    private var path = CanonicalPath()
    private var out = ByteBuffer()

    init() throws {
        var inbound = SampleHeads.request
        _ = try reader.next(&inbound)
    }

    func run(calls: Int) {
        for _ in 0..<calls {
            out.clear()
            guard (try? path.resolve(reader.head)) != nil else { preconditionFailure("the sample's path is valid") }
            reader.head.writeRequestLine(into: &out, path: path)
            reader.head.fields.write(into: &out)
            out.writeCRLF()
        }
    }

    var outcome: String { String(buffer: out) }
}

/// What the gateway passes on of a response's head.
final class ResponseWriting: Exercise {
    private var reader = ResponseReader()
    private var out = ByteBuffer()

    init() {
        var inbound = SampleHeads.response
        guard case .head? = try? reader.next(&inbound, answering: .get) else {
            preconditionFailure("the sample is a response")
        }
    }

    func run(calls: Int) {
        for _ in 0..<calls {
            out.clear()
            reader.head.writeStatusLine(into: &out)
            reader.head.fields.write(into: &out)
            out.writeCRLF()
        }
    }

    var outcome: String { String(buffer: out) }
}
