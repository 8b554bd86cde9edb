import LimiterCore
import NIOCore
import WeirConfiguration

/// What a connection tells the store that it belongs to, on their event loop.
protocol RedisConnectionDelegate: AnyObject {
    func connectionBecameReady(_ connection: RedisConnection)
    /// A reply came for this flight, which is overdue if its callers were told so. Returns why to drop the connection, if so.
    func connection(_ connection: RedisConnection, landed flight: Flight, with reply: Reply) -> StoreError?
    /// No reply came in time; the flight is still owed one.
    func connection(_ connection: RedisConnection, isLateWith flight: Flight)
    /// Said once. The flights will never land.
    func connectionClosed(_ connection: RedisConnection, _ error: StoreError, owing flights: CircularBuffer<Flight>)
}

/// The channel handler of one connection: performs what `ConnectionState` says.
final class RedisConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private(set) var state: ConnectionState
    let server: RedisAddress.Server
    let tls: RedisTLS?
    /// nil once the connection is closed.
    private var delegate: (any RedisConnectionDelegate)?
    private let reader = ReplyReader()
    private var writer: CommandWriter
    private var buffer: ByteBuffer
    private var context: ChannelHandlerContext?
    private let eventLoop: any EventLoop
    /// One for all that is awaited, at the earliest moment of it.
    private var timer: (due: NIODeadline, task: Scheduled<Void>)?
    /// The earliest deadline of what was sent since the last flush.
    private var soonest = NIODeadline.distantFuture

    init(
        to server: RedisAddress.Server, _ access: RedisAccess, deadline: TimeAmount, on eventLoop: any EventLoop,
        delegate: any RedisConnectionDelegate
    ) {
        self.server = server
        tls = access.tls
        self.eventLoop = eventLoop
        self.delegate = delegate
        writer = CommandWriter()
        buffer = ByteBufferAllocator().buffer(capacity: 16_384)
        let patience = TimeAmount.nanoseconds(max(Self.leastPatience.nanoseconds, deadline.nanoseconds * 50))
        state = ConnectionState(address: access.address, patience: patience, readyBy: eventLoop.now + Self.readyWithin)
    }

    /// For connecting and the handshake together.
    static let readyWithin = TimeAmount.seconds(1)
    /// A server that stands still for less than this finds its connection as it was: the replies that it still owes show what it
    /// charged meanwhile.
    static let leastPatience = TimeAmount.seconds(10)

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if state.isClosed { return context.close(promise: nil) }
        if context.channel.isActive { begin() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        close(StoreError(.disconnected, "the connection was closed"))
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        begin()
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        close(StoreError(.disconnected, "the server closed the connection"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        close(tls?.explain(error, server: server) ?? StoreError(.disconnected, "\(error)"))
    }

    private func begin() {
        guard !state.isClosed else { return }
        state.handshake.write(into: &buffer, by: &writer)
        flush()
        awaitNext()
    }

    // MARK: Out

    /// Writes a command for the next `flush`; whoever calls appends the arguments.
    func send(_ flight: Flight, _ arguments: (inout CommandWriter, [[UInt8]]) -> Void) {
        writer.begin()
        arguments(&writer, state.handshake.names)
        writer.finish(into: &buffer)
        state.sent(flight)
        soonest = min(soonest, flight.deadline)
    }

    /// Everything sent since the last flush leaves in one write.
    func flush() {
        guard let context, buffer.readableBytes > 0 else { return }
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        // Storage that the channel still holds is replaced by new storage, any other is used again.
        buffer.clear()
        if soonest < timer?.due ?? .distantFuture { awaitNext() }
        soonest = .distantFuture
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        do throws(StoreError) {
            try bytes.withUnsafeReadableBytes { (bytes) throws(StoreError) in
                try reader.feed(bytes) { perform(state.received($0), on: $0) }
            }
        } catch {
            close(error)
        }
    }

    /// Returns whether there is use in reading on.
    private func perform(_ action: ConnectionState.Action, on reply: Reply) -> Bool {
        switch action {
        case .proceed: break
        case .becomeReady: delegate?.connectionBecameReady(self)
        case .land(let flight):
            if let error = delegate?.connection(self, landed: flight, with: reply) { close(error) }
        case .drop(let error): close(error)
        }
        return !state.isClosed
    }

    // MARK: Time

    private func awaitNext() {
        guard !state.isClosed else { return }
        timer?.task.cancel()
        timer = nil
        perform(state.expire(at: eventLoop.now))
    }

    private func perform(_ expiry: ConnectionState.Expiry) {
        for flight in expiry.overdue { delegate?.connection(self, isLateWith: flight) }
        if let error = expiry.drop { return close(error) }
        // A call that was told so may have sent something by now, with a timer of its own.
        guard let next = expiry.next, timer == nil, !state.isClosed else { return }
        let task = eventLoop.assumeIsolated().scheduleTask(deadline: next) { self.awaitNext() }
        timer = (next, task)
    }

    /// Gives up what is owed and closes the channel; what was written before still leaves.
    func close(_ error: StoreError) {
        guard !state.isClosed else { return }
        timer?.task.cancel()
        timer = nil
        let owed = state.close()
        delegate?.connectionClosed(self, error, owing: owed)
        delegate = nil
        context?.close(promise: nil)
    }
}
