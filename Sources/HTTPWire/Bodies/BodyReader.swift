package import NIOCore

/// Takes a message's body from the buffers that its connection receives, as slices of them, and finds its end.
package struct BodyReader: Sendable {
    package enum Part: Sendable {
        /// The next bytes to forward, never empty. In `ChunkedDecoder.Output.framing` they are chunks.
        case bytes(ByteBuffer)
        case needsMore
        /// The body is complete; returned again if asked again. What is left in the buffer is the next message.
        case end
    }

    private enum Source: Sendable {
        case length(Int64)
        case chunks(ChunkedDecoder)
        case untilClose(isClosed: Bool)
    }

    private var source: Source
    private var read: Int64 = 0

    /// `chunks`: what to yield of a chunked body.
    package init(_ framing: Framing, chunks: ChunkedDecoder.Output = .framing) {
        switch framing {
        case .none: source = .length(0)
        case .length(let length): source = .length(length)
        case .chunked: source = .chunks(ChunkedDecoder(yielding: chunks))
        case .untilClose: source = .untilClose(isClosed: false)
        }
    }

    /// Bytes of the body so far; chunk framing does not count.
    package var payloadBytes: Int64 {
        if case .chunks(let decoder) = source { return decoder.payloadBytes }
        return read
    }

    package var isAtEnd: Bool {
        switch source {
        case .length(let remaining): remaining == 0
        case .chunks(let decoder): decoder.isAtEnd
        case .untilClose(let isClosed): isClosed
        }
    }

    package mutating func next(_ buffer: inout ByteBuffer) throws(WireError) -> Part {
        switch source {
        case .length(let remaining):
            guard remaining > 0 else { return .end }
            let length = Int(min(remaining, Int64(buffer.readableBytes)))
            guard length > 0, let slice = buffer.readSlice(length: length) else { return .needsMore }
            source = .length(remaining - Int64(length))
            read += Int64(length)
            return .bytes(slice)
        case .chunks(var decoder):
            let slice = try decoder.next(&buffer)
            source = .chunks(decoder)
            if let slice { return .bytes(slice) }
            return decoder.isAtEnd ? .end : .needsMore
        case .untilClose(let isClosed):
            guard buffer.readableBytes > 0, let slice = buffer.readSlice(length: buffer.readableBytes) else {
                return isClosed ? .end : .needsMore
            }
            read += Int64(slice.readableBytes)
            return .bytes(slice)
        }
    }

    /// The peer will send no more. That ends a body without a length; any other must be complete by now.
    package mutating func inputClosed() throws(WireError) {
        if case .untilClose = source { source = .untilClose(isClosed: true) }
        guard isAtEnd else { throw WireError(.truncated) }
    }
}
