import HTTPWire
import NIOCore
import NIOSSL
import NIOTLS

/// One HTTP/1.1 connection, one request at a time.
final class HTTP1Connection: ChannelInboundHandler, Carrier {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let target: Int
    private let isSecure: Bool
    /// It forgets this carrier once it is closed.
    private let owner: any CarrierOwner
    private var context: ChannelHandlerContext?
    private var reader = ResponseReader()
    private var pending = ByteBuffer()
    private var shot: Shot?
    private var method = Method.get
    private var answer = Answer(status: 0, retryAfter: .missing, bodyBytes: 0)
    private var failure: FailureKind?
    private var keepsAlive = true
    private var hasWorked = false

    init(target: Int, isSecure: Bool, owner: any CarrierOwner) {
        self.target = target
        self.isSecure = isSecure
        self.owner = owner
    }

    var isOpen: Bool { context != nil && keepsAlive }

    func send(_ shot: Shot, _ request: PreparedRequest) {
        guard let context else { return owner.carrierFailed(self, shot, .closed) }
        self.shot = shot
        method = request.method
        context.writeAndFlush(wrapOutboundOut(request.bytes), promise: nil)
    }

    func expire(sentBefore time: Int64) {
        guard let shot, shot.sent < time else { return }
        failure = .timeout
        close()
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
        owner.carrierOpened(self)
        owner.carrierIsReady(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var input = unwrapInboundIn(data)
        guard pending.readableBytes == 0 else {
            pending.writeBuffer(&input)
            // Not held twice, or appending the next time would copy it.
            var all = pending
            pending = ByteBuffer()
            read(&all)
            keep(all)
            return
        }
        read(&input)
        keep(input)
    }

    private func keep(_ rest: ByteBuffer) {
        if rest.readableBytes > 0 { pending = rest }
    }

    private func read(_ input: inout ByteBuffer) {
        do {
            while true {
                switch try reader.next(&input, answering: method, chunks: .payload) {
                case .head: headCame()
                case .body: break
                case .end:
                    answer.bodyBytes = reader.payloadBytes
                    guard try messageEnded() else { return }
                case .needsMore: return
                }
            }
        } catch {
            failure = .malformed
            close()
        }
    }

    private func headCame() {
        answer.status = reader.head.status
        answer.retryAfter = .missing
        guard reader.head.status == 429 else { return }
        let seconds = reader.head.fields.withValue(of: .retryAfter) { $0.decimal }
        guard let seconds else { return }
        answer.retryAfter = seconds.map { $0 > 0 ? .seconds(Int($0)) : .invalid } ?? .invalid
    }

    /// False where nothing more is read.
    private func messageEnded() throws(WireError) -> Bool {
        guard !reader.head.isInterim else { return true }
        // An answer that nobody asked for.
        guard let shot else { throw WireError(.badStatusLine) }
        keepsAlive = reader.head.keepAlive
        // Lets go of the bytes received, so that the channel reads into them again.
        reader.head.clear()
        self.shot = nil
        hasWorked = true
        owner.carrierAnswered(self, shot, answer)
        guard keepsAlive else {
            close()
            return false
        }
        owner.carrierIsReady(self)
        return true
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        if failure == nil, shot != nil, (try? reader.inputClosed()) != nil, let shot {
            // A body that ended with the connection.
            self.shot = nil
            hasWorked = true
            answer.bodyBytes = reader.payloadBytes
            owner.carrierAnswered(self, shot, answer)
        }
        if let shot {
            self.shot = nil
            owner.carrierFailed(self, shot, failure ?? .closed)
        }
        owner.carrierClosed(self, hasWorked: hasWorked, failure)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is NIOSSLError || error is NIOSSLExtraError || error is BoringSSLError { failure = .tls }
        context.close(promise: nil)
    }
}
