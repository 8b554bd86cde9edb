import HTTPWire
import NIOCore

/// One connection, with one mirrored request at a time.
final class MirrorConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let client: MirrorClient
    private let gate: UpstreamGate
    private var context: ChannelHandlerContext?
    private var request: MirroredRequest?
    private var reader = ResponseReader()
    private var inbound = ByteBuffer()
    /// Nanoseconds of a monotonic clock.
    private(set) var idleSince: Int64 = 0

    init(_ client: MirrorClient, _ gate: UpstreamGate) {
        self.client = client
        self.gate = gate
    }

    var isOpen: Bool { context?.channel.isActive == true }

    func send(_ request: MirroredRequest) {
        guard let context else { return request.fail() }
        self.request = request
        request.connection = self
        context.writeAndFlush(wrapOutboundOut(request.bytes), promise: nil)
    }

    func close() {
        request = nil
        context?.close(promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        client.worker.readClock()
        inbound.writeBuffer(&buffer)
        guard request != nil else { return context.close(promise: nil) }
        do throws(WireError) {
            try read()
        } catch {
            fail()
        }
    }

    private func read() throws(WireError) {
        while let request {
            switch try reader.next(&inbound, answering: request.method, chunks: .framing) {
            case .head: if !reader.head.isInterim { request.secondAnswered(reader.head.status) }
            case .body: continue
            case .end: if !reader.head.isInterim { return finish(request) }
            case .needsMore: return
            }
        }
    }

    private func finish(_ request: MirroredRequest) {
        self.request = nil
        request.connection = nil
        if reader.head.keepAlive, reader.isBetweenResponses, inbound.readableBytes == 0, isOpen {
            inbound = ByteBuffer()
            reader.head.clear()
            idleSince = client.worker.now
            client.release(self, to: gate)
        } else {
            context?.close(promise: nil)
        }
        request.succeed()
    }

    private func fail() {
        let failed = request
        close()
        failed?.fail()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail() }

    func channelInactive(context: ChannelHandlerContext) {
        client.closed(self, to: gate)
        guard let request else { return }
        // The end of the connection may be the end of the answer.
        if (try? reader.inputClosed()) != nil, (try? read()) != nil, self.request == nil { return }
        self.request = nil
        request.fail()
    }
}
