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
                    if upstream.reader.head.isInterim { continue }
                    guard attemptEnded(.answered(upstream.reader.head.status)) else { return }
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
                return upstreamFailed(.invalid)
            }
        }
    }

    private func passOnBody(_ piece: ByteBuffer) {
        bytesOut += Int64(piece.readableBytes)
        if resilience != nil { trial.recording?.append(piece) }
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
            if !isEnded { upstreamFailed(.reset) }
        } else if !isAnswered, upstream.isReused, !hasRetried, isRequestComplete, !hasSentBody,
            client.reader.head.method.isIdempotent, upstream.reader.isBetweenResponses,
            upstream.inbound.readableBytes == 0
        {
            retry()
        } else {
            gate?.log(WireError(.truncated).message, "an upstream closed its connection too early")
            upstreamFailed(.reset)
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

    /// The upstream gives no answer, or not all of one.
    func upstreamFailed(_ end: AttemptEnd) {
        if isAnswered { answerBrokeOff(end) } else { attemptEnded(end) }
        client.link.flush()
    }

    /// Lets go of the upstream: its connection serves others if both messages ended properly, and is closed otherwise.
    func leaveUpstream() {
        guard let gate else { return }
        self.gate = nil
        guard let upstream else { return gate.withdraw(self) }
        self.upstream = nil
        // The gateway's own answer is not the upstream's, which may still come.
        letGo(of: upstream, at: gate, isOver: upstreamNanoseconds >= 0)
    }

    /// The same where the answer, if one came, is not passed on. What has arrived of it is thrown away; if more is to come, the
    /// connection is closed rather than kept waiting for that.
    func leaveAttempt() {
        guard let gate else { return }
        if trace != nil { attemptEnds(cause) }
        self.gate = nil
        guard let upstream else { return gate.withdraw(self) }
        self.upstream = nil
        var isOver = false
        if isRequestComplete, !upstream.reader.isBetweenResponses {
            let method = client.reader.head.method
            while !isOver, let event = try? upstream.reader.next(&upstream.inbound, answering: method) {
                if case .needsMore = event { break }
                if case .end = event { isOver = true }
            }
        }
        letGo(of: upstream, at: gate, isOver: isOver)
    }

    private func letGo(of upstream: UpstreamConnection, at gate: UpstreamGate, isOver: Bool) {
        let isReusable =
            isOver && isRequestComplete && !upstream.isClosed && upstream.reader.head.keepAlive
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
