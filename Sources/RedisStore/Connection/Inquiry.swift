import LimiterCore
import NIOCore

/// A short conversation beside the store's connection: some commands, all their answers, and the end.
final class Inquiry: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let commands: [[String]]
    private let explain: (any Error) -> StoreError
    private var completion: ((Result<[RedisValue], StoreError>) -> Void)?
    private var answers: [RedisValue] = []
    private let reader = ValueReader()
    private var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?

    /// For connecting and all answers together. Who asks has others to ask.
    static let within = TimeAmount.milliseconds(500)

    /// On the event loop, which `completion` is called on, once. An answer that is an error is a failure.
    init(
        _ commands: [[String]], on eventLoop: any EventLoop, explain: @escaping (any Error) -> StoreError,
        _ completion: @escaping (Result<[RedisValue], StoreError>) -> Void
    ) {
        self.commands = commands
        self.explain = explain
        self.completion = completion
        timer = eventLoop.assumeIsolated().scheduleTask(in: Self.within) {
            let milliseconds = Self.within.nanoseconds / 1_000_000
            self.end(.failure(StoreError(.timeout, "no answer within \(milliseconds) ms")))
        }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if completion == nil { return context.close(promise: nil) }
        if context.channel.isActive { begin(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(.failure(StoreError(.disconnected, "the server closed the connection")))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { end(.failure(explain(error))) }

    private func begin(_ context: ChannelHandlerContext) {
        guard completion != nil else { return }
        var writer = CommandWriter()
        var buffer = context.channel.allocator.buffer(capacity: 256)
        for command in commands {
            writer.begin()
            for word in command { writer.argument(word) }
            writer.finish(into: &buffer)
        }
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        do throws(StoreError) {
            for value in try bytes.withUnsafeReadableBytes({ (bytes) throws(StoreError) in try reader.feed(bytes) }) {
                if case .error(let text) = value { return end(.failure(ServerFault(text).error)) }
                answers.append(value)
            }
        } catch {
            return end(.failure(error))
        }
        if answers.count >= commands.count { end(.success(answers)) }
    }

    /// The connection failed before there was one.
    func failed(_ error: StoreError) { end(.failure(error)) }

    /// Nobody waits any more.
    func cancel() {
        completion = nil
        end(.failure(StoreError(.shutdown, "")))
    }

    private func end(_ result: Result<[RedisValue], StoreError>) {
        timer?.cancel()
        timer = nil
        let completion = self.completion
        self.completion = nil
        context?.close(promise: nil)
        completion?(result)
    }
}
