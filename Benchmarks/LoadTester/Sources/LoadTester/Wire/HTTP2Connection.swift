import HTTPWire
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOSSL
import NIOTLS

/// One HTTP/2 connection, several requests at a time. Works on frames: a channel for each stream would cost more than the request.
final class HTTP2Connection: ChannelInboundHandler, Carrier {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private struct Exchange {
        var shot: Shot
        var answer: Answer
    }

    static let streamWindow = 1 << 24
    private static let connectionWindow = 1 << 30
    /// Stream numbers end at 2^31.
    private static let lastStream: Int32 = 0x7fff_ff00

    let target: Int
    private let isSecure: Bool
    /// It forgets this carrier once it is closed.
    private let owner: any CarrierOwner
    private let mostStreams: Int
    private var context: ChannelHandlerContext?
    private var exchanges: [Int32: Exchange] = [:]
    private var nextStream: Int32 = 1
    /// The server's settings have come.
    private var isWorking = false
    private var hasWorked = false
    private var takesMore = true
    private var failure: FailureKind?
    /// Bytes received for which the connection has not been given room again.
    private var consumed = 0

    init(target: Int, isSecure: Bool, streams: Int, owner: any CarrierOwner) {
        self.target = target
        self.isSecure = isSecure
        self.owner = owner
        mostStreams = streams
    }

    static var settings: HTTP2Settings {
        [
            HTTP2Setting(parameter: .enablePush, value: 0),
            HTTP2Setting(parameter: .initialWindowSize, value: streamWindow),
        ]
    }

    var isOpen: Bool { context != nil && takesMore }

    func send(_ shot: Shot, _ request: PreparedRequest) {
        guard let context else { return owner.carrierFailed(self, shot, .closed) }
        let stream = nextStream
        nextStream += 2
        exchanges[stream] = Exchange(shot: shot, answer: Answer(status: 0, retryAfter: .missing, bodyBytes: 0))
        let hasBody = request.body.readableBytes > 0
        write(
            stream, .headers(HTTP2Frame.FramePayload.Headers(headers: request.fields, endStream: !hasBody)), context)
        if hasBody {
            write(
                stream, .data(HTTP2Frame.FramePayload.Data(data: .byteBuffer(request.body), endStream: true)), context)
        }
        context.flush()
        if nextStream > Self.lastStream { takesMore = false }
    }

    private func write(_ stream: Int32, _ payload: HTTP2Frame.FramePayload, _ context: ChannelHandlerContext) {
        context.write(
            wrapOutboundOut(HTTP2Frame(streamID: HTTP2StreamID(Int(stream)), payload: payload)), promise: nil)
    }

    func expire(sentBefore time: Int64) {
        guard let context else { return }
        for (stream, exchange) in exchanges where exchange.shot.sent < time {
            write(stream, .rstStream(.cancel), context)
            end(stream) { owner.carrierFailed(self, $0.shot, .timeout) }
        }
        context.flush()
    }

    func close() { context?.close(promise: nil) }

    func handlerAdded(context: ChannelHandlerContext) { if context.channel.isActive, !isSecure { open(context) } }

    func channelActive(context: ChannelHandlerContext) {
        if !isSecure { open(context) }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event { open(context) }
        context.fireUserInboundEventTriggered(event)
    }

    private func open(_ context: ChannelHandlerContext) {
        guard self.context == nil else { return }
        self.context = context
        write(0, .windowUpdate(windowSizeIncrement: Self.connectionWindow), context)
        context.flush()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        let stream = Int32(Int(frame.streamID))
        switch frame.payload {
        case .headers(let headers): headersCame(stream, headers)
        case .data(let data): dataCame(stream, data, context)
        case .rstStream:
            end(stream) { owner.carrierFailed(self, $0.shot, .reset) }
        case .goAway:
            takesMore = false
            closeIfUnused()
        case .settings(.settings(let settings)):
            guard !isWorking else { return }
            isWorking = true
            owner.carrierOpened(self)
            let allowed = settings.last { $0.parameter == .maxConcurrentStreams }?.value
            for _ in 0..<max(1, min(mostStreams, allowed ?? mostStreams)) where isOpen { owner.carrierIsReady(self) }
        default: break
        }
    }

    private func headersCame(_ stream: Int32, _ headers: HTTP2Frame.FramePayload.Headers) {
        if let status = headers.headers.first(name: ":status").flatMap({ Int($0) }), (200...999).contains(status) {
            exchanges[stream]?.answer.status = status
            if status == 429 {
                exchanges[stream]?.answer.retryAfter =
                    headers.headers.first(name: "retry-after").map { text in
                        Int(text).flatMap { $0 > 0 ? .seconds($0) : nil } ?? .invalid
                    } ?? .missing
            }
        }
        if headers.endStream { answered(stream) }
    }

    private func dataCame(_ stream: Int32, _ data: HTTP2Frame.FramePayload.Data, _ context: ChannelHandlerContext) {
        let length = data.data.readableBytes + (data.paddingBytes ?? 0)
        exchanges[stream]?.answer.bodyBytes += Int64(data.data.readableBytes)
        consumed += length
        if consumed > Self.connectionWindow / 2 {
            write(0, .windowUpdate(windowSizeIncrement: consumed), context)
            consumed = 0
            context.flush()
        }
        if data.endStream {
            answered(stream)
        } else if length > 0, exchanges[stream].map({ Int($0.answer.bodyBytes) >= Self.streamWindow / 2 }) ?? false {
            // A body longer than half of the window: from then on room is given back at once.
            write(stream, .windowUpdate(windowSizeIncrement: length), context)
            context.flush()
        }
    }

    private func answered(_ stream: Int32) {
        end(stream) {
            if $0.answer.status == 0 {
                owner.carrierFailed(self, $0.shot, .malformed)
            } else {
                hasWorked = true
                owner.carrierAnswered(self, $0.shot, $0.answer)
            }
        }
    }

    /// Takes the exchange out, tells the owner, and offers its place.
    private func end(_ stream: Int32, _ tell: (Exchange) -> Void) {
        guard let exchange = exchanges.removeValue(forKey: stream) else { return }
        tell(exchange)
        if isOpen { owner.carrierIsReady(self) } else { closeIfUnused() }
    }

    private func closeIfUnused() {
        if exchanges.isEmpty { close() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        let lost = exchanges
        exchanges = [:]
        for exchange in lost.values { owner.carrierFailed(self, exchange.shot, failure ?? .closed) }
        owner.carrierClosed(self, hasWorked: hasWorked, failure)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: failure = .tls
        case is NIOHTTP2Errors.NoSuchStream, is NIOHTTP2Errors.StreamClosed: return
        default: failure = failure ?? .malformed
        }
        context.close(promise: nil)
    }
}
