package import NIOCore

/// A connection's requests, one after the other: head, body, end, next head.
package struct RequestReader: ~Copyable, Sendable {
    private enum Phase: Sendable {
        case head, body, finished
    }

    /// The request at hand. The steps may change its fields.
    package var head = RequestHead()
    private var parser: HeadParser
    private var body = BodyReader(.none)
    private var phase = Phase.head
    private let chunks: ChunkedDecoder.Output

    package init(limits: HeadLimits = HeadLimits(), chunks: ChunkedDecoder.Output = .framing) {
        parser = HeadParser(limits: limits)
        self.chunks = chunks
    }

    /// Of heads that have not been begun.
    package var limits: HeadLimits {
        get { parser.limits }
        set { parser.limits = newValue }
    }

    /// Bytes of the body so far; chunk framing does not count.
    package var payloadBytes: Int64 { body.payloadBytes }

    /// No request has been begun: the connection may be closed without harm.
    package var isBetweenRequests: Bool { phase != .body && !parser.isWithinHead }

    /// Reads on in `buffer`, which keeps what is not read yet; append to it what is received. After the last request of a
    /// connection (`head.keepAlive` is false) nothing more is read.
    package mutating func next(_ buffer: inout ByteBuffer) throws(WireError) -> MessageEvent {
        switch phase {
        case .head:
            guard try parser.parse(&buffer, into: &head) else { return .needsMore }
            body = BodyReader(head.framing, chunks: chunks)
            phase = .body
            return .head
        case .body:
            switch try body.next(&buffer) {
            case .bytes(let bytes): return .body(bytes)
            case .needsMore: return .needsMore
            case .end:
                phase = head.keepAlive ? .head : .finished
                return .end
            }
        case .finished:
            return .needsMore
        }
    }
}
