import HTTPWire
import NIOCore
import Telemetry

/// The way back: the upstream's answer, passed on as it comes.
extension Exchange {
    func upstreamRead() {
        guard let upstream else { return }
        let method = client.reader.head.method
        let chunks: ChunkedDecoder.Output = client.reader.head.version == .http10 ? .payload : .framing
        while true {
            do throws(WireError) {
                switch try upstream.reader.next(&upstream.inbound, answering: method, chunks: chunks) {
                case .head:
                    guard !upstream.reader.head.isInterim else { continue }
                    report(AttemptOutcome(status: upstream.reader.head.status))
                    Respond.passOnHead(self, upstream)
                case .body(let piece): passOnBody(piece)
                case .end:
                    if isAnswered { return Respond.complete(self) }
                case .needsMore:
                    if upstream.inbound.readableBytes == 0 { upstream.inbound = ByteBuffer() }
                    if !client.link.isWritable {
                        upstream.link.setReading(false)
                        client.expect(.writing)
                    } else if isRequestComplete || isAnswered {
                        client.expect(.upstream)
                    }
                    return
                }
            } catch {
                gate?.log(error.message, "an upstream's answer is not valid")
                noteFailure(.invalidResponse)
                return upstreamFailed(.upstreamFailed)
            }
        }
    }

    private func passOnBody(_ piece: ByteBuffer) {
        bytesOut += Int64(piece.readableBytes)
        guard wrapsInChunks else { return client.link.append(piece) }
        client.link.append { $0.writeChunkSize(piece.readableBytes) }
        client.link.append(piece)
        client.link.append { $0.writeCRLF() }
    }

    func upstreamReadComplete() { client.link.flush() }

    func clientWritabilityChanged() {
        guard let upstream else { return }
        upstream.link.setReading(client.link.isWritable)
        client.expect(client.link.isWritable ? .upstream : .writing)
    }

    /// The upstream has closed the connection, which is leased to this exchange.
    func upstreamClosed() {
        guard let upstream, !isEnded else { return }
        if isAnswered, (try? upstream.reader.inputClosed()) != nil {
            // The end of the connection is the end of the body.
            upstreamRead()
            if !isEnded {
                noteFailure(.truncated)
                upstreamFailed(.upstreamFailed)
            }
        } else if !isAnswered, upstream.isReused, !hasRetried, isRequestComplete, bytesIn == 0,
            client.reader.head.method.isIdempotent, upstream.reader.isBetweenResponses,
            upstream.inbound.readableBytes == 0
        {
            retry()
        } else {
            gate?.log(WireError(.truncated).message, "an upstream closed its connection too early")
            noteFailure(isAnswered ? .truncated : .reset)
            upstreamFailed(.upstreamFailed)
        }
        client.link.flush()
    }

    /// The upstream had closed the idle connection before the request came: that says nothing of the request.
    private func retry() {
        guard let gate, let stale = upstream else { return }
        hasRetried = true
        attemptEnds(.reset)
        attemptBegins()
        upstream = nil
        client.expect(.connection)
        gate.replace(stale, for: self)
    }

    func upstreamFailed(_ problem: Problem) {
        if problem == .upstreamFailed || problem == .upstreamTimeout { report(.failed) }
        if isAnswered { Respond.breakOff(self) } else { Respond.refuse(self, problem) }
        client.link.flush()
    }

    /// Lets go of the upstream: its connection serves others if both messages ended properly, and is closed otherwise.
    func leaveUpstream() {
        guard let gate else { return }
        self.gate = nil
        guard let upstream else { return gate.withdraw(self) }
        self.upstream = nil
        let isReusable =
            isAnswered && isRequestComplete && !upstream.isClosed && upstream.reader.head.keepAlive
            && upstream.reader.isBetweenResponses && upstream.inbound.readableBytes == 0
        if isReusable {
            upstream.inbound = ByteBuffer()
            upstream.reader.head.clear()
            gate.release(upstream)
        } else {
            gate.discard(upstream)
        }
    }
}
