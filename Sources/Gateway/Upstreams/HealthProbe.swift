import HTTPWire
import NIOCore
import NIOPosix
import NIOSSL
import WeirConfiguration

/// One check of one endpoint, on a connection of its own: a GET whose answer's status says how it is.
final class HealthProbe: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let upstream: Upstream
    private let rules: BalancingSettings.Health
    /// nil once the outcome has been told.
    private var completion: ((String?) -> Void)?
    private var timeout: Scheduled<Void>?
    private var channel: (any Channel)?
    private var inbound = ByteBuffer()
    private var reader = ResponseReader()

    private init(_ upstream: Upstream, _ rules: BalancingSettings.Health, _ completion: @escaping (String?) -> Void) {
        self.upstream = upstream
        self.rules = rules
        self.completion = completion
    }

    /// Calls `completion` once, on the loop: with nil where all is well, and with what is wrong otherwise.
    static func ask(
        _ upstream: Upstream, _ rules: BalancingSettings.Health, on loop: any EventLoop, tls: NIOSSLContext?,
        _ completion: @escaping (String?) -> Void
    ) {
        let handler = HealthProbe(upstream, rules, completion)
        let probe = NIOLoopBound(handler, eventLoop: loop)
        handler.timeout = loop.scheduleTask(in: TimeAmount(rules.timeout)) {
            probe.value.end("no answer came within \(rules.timeout)")
        }
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(TimeAmount(rules.timeout))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if upstream.usesTLS, let tls { try upstream.addTLS(tls, to: channel) }
                    try channel.pipeline.syncOperations.addHandler(probe.value)
                }
            }
        upstream.connect(bootstrap).assumeIsolated().whenFailure { error in
            handler.end("no connection could be opened: \(error)")
        }
    }

    private func end(_ failure: String?) {
        guard let completion else { return }
        self.completion = nil
        timeout?.cancel()
        channel?.close(promise: nil)
        channel = nil
        completion(failure)
    }

    func channelActive(context: ChannelHandlerContext) {
        guard completion != nil else { return context.close(promise: nil) }
        channel = context.channel
        let request = """
            GET \(rules.path) HTTP/1.1\r
            Host: \(upstream.authority)\r
            User-Agent: weir-health-check\r
            Accept: */*\r
            Connection: close\r
            \r

            """
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: request)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        inbound.writeBuffer(&buffer)
        do throws(WireError) {
            while true {
                let event = try reader.next(&inbound, answering: .get)
                if case .needsMore = event { return }
                guard case .head = event, !reader.head.isInterim else { continue }
                let status = reader.head.status
                let isGood = rules.statuses.contains { $0.contains(status) }
                return end(isGood ? nil : "its status is \(status)")
            }
        } catch {
            end("its answer is not valid: \(error.message)")
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end("the connection failed: \(error)")
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { end("it closed the connection without an answer") }
}
