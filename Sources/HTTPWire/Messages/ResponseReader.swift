package import NIOCore

/// A connection's responses, one after the other: head, body, end, next head. An interim response (1xx) is one of them.
package struct ResponseReader: ~Copyable, Sendable {
    private enum Phase: Sendable {
        case head, body, finished
    }

    /// The response at hand. The steps may change its fields.
    package var head = ResponseHead()
    private var parser: HeadParser
    private var body = BodyReader(.none)
    private var phase = Phase.head

    package init(limits: HeadLimits = HeadLimits()) { parser = HeadParser(limits: limits) }

    package var payloadBytes: Int64 { body.payloadBytes }

    /// No response has been begun.
    package var isBetweenResponses: Bool { phase != .body && !parser.isWithinHead }

    /// Reads on in `buffer`. `method` is that of the request which is answered; `chunks`, what to yield of a chunked body
    /// (`.payload` for a client of HTTP/1.0). After a response that ends the connection nothing more is read.
    package mutating func next(
        _ buffer: inout ByteBuffer, answering method: Method, chunks: ChunkedDecoder.Output = .framing
    ) throws(WireError) -> MessageEvent {
        switch phase {
        case .head:
            guard try parser.parse(&buffer, into: &head, answering: method) else { return .needsMore }
            body = BodyReader(head.framing, chunks: chunks)
            phase = .body
            return .head
        case .body:
            switch try body.next(&buffer) {
            case .bytes(let bytes): return .body(bytes)
            case .needsMore: return .needsMore
            case .end:
                phase = head.keepAlive || head.isInterim ? .head : .finished
                return .end
            }
        case .finished:
            return .needsMore
        }
    }

    /// The upstream will send no more. Afterwards `next` yields the end of a body that ends with the connection; where a
    /// response is not complete, or none has begun, it throws.
    package mutating func inputClosed() throws(WireError) {
        switch phase {
        case .head: throw WireError(.truncated)
        case .body: try body.inputClosed()
        case .finished: break
        }
    }
}
