import NIOCore
import NIOHTTP1
import NIOPosix

/// A service behind the gateways that answers everything with 200 and one body.
final class Upstream: Sendable {
    let port: Int
    private let channel: any Channel

    private init(_ channel: any Channel) {
        self.channel = channel
        port = channel.localAddress?.port ?? 0
    }

    /// `tellsWhere`: on all addresses of this machine, and its answers are the address and the port that they come from.
    static func start(answering body: String = "", tellsWhere: Bool = false) async throws -> Upstream {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Answer(body, tellsWhere: tellsWhere))
                }
            }
            .bind(host: tellsWhere ? "0.0.0.0" : "127.0.0.1", port: 0).get()
        return Upstream(channel)
    }

    func stop() async throws { try await channel.close() }

    private final class Answer: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let body: String
        private let tellsWhere: Bool

        init(_ body: String, tellsWhere: Bool) {
            self.body = body
            self.tellsWhere = tellsWhere
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .end = unwrapInboundIn(data) else { return }
            let address = context.channel.localAddress
            let text = tellsWhere ? "\(address?.ipAddress ?? ""):\(address?.port ?? 0)" : body
            let head = HTTPResponseHead(
                version: .http1_1, status: .ok, headers: ["Content-Length": "\(text.utf8.count)"])
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            if !text.isEmpty {
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
            }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}
