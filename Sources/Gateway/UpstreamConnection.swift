import HTTPWire
import NIOCore

/// A connection to an upstream: it carries bytes between its channel and the exchange that has leased it.
final class UpstreamConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let gate: UpstreamGate
    let link: Link
    /// Who has leased it.
    var exchange: Exchange?
    /// What has arrived and is not used up yet.
    var inbound = ByteBuffer()
    var reader = ResponseReader()
    /// Whether it has carried a request to its end before, so that the upstream may have closed it meanwhile.
    var isReused = false
    private(set) var isClosed = false
    /// Whether the pool has forgotten it already.
    var isDiscarded = false

    init(gate: UpstreamGate) {
        self.gate = gate
        link = Link(worker: gate.worker, isEncrypted: gate.isEncrypted)
    }

    func close() {
        guard !isClosed else { return }
        link.context?.close(promise: nil)
    }

    // MARK: Events

    func handlerAdded(context: ChannelHandlerContext) { link.attach(context) }

    func handlerRemoved(context: ChannelHandlerContext) { link.detach() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        gate.worker.readClock()
        if inbound.readableBytes == 0 { inbound = buffer } else { inbound.writeBuffer(&buffer) }
        guard let exchange else {
            // Nobody asked: whatever it is, the next response could not be told from it.
            inbound = ByteBuffer()
            close()
            return
        }
        exchange.upstreamRead()
    }

    func channelReadComplete(context: ChannelHandlerContext) { exchange?.upstreamReadComplete() }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        gate.worker.readClock()
        exchange?.upstreamWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        gate.log(error, "an upstream connection failed")
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        link.closed()
        gate.worker.readClock()
        isClosed = true
        gate.closed(self)
    }
}
