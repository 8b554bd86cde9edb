import ControlAPI
import NIOCore
import NIOHTTP1
import NIOPosix
import WeirConfiguration

/// An upstream of each service, on a free port of loopback, that answers with the request it saw.
struct StubUpstreams: Sendable {
    let group: MultiThreadedEventLoopGroup

    /// Returns where it listens.
    func start(name: String) async throws -> Upstream {
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(name: name))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return Upstream(usesTLS: false, host: "127.0.0.1", port: channel.localAddress?.port ?? 0)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let name: String
        private var head: HTTPRequestHead?
        private var bodyBytes: Int64 = 0

        init(name: String) { self.name = name }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                bodyBytes = 0
            case .body(let part): bodyBytes += Int64(part.readableBytes)
            case .end:
                guard let head else { return }
                self.head = nil
                answer(head, context)
            }
        }

        private func answer(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
            var fields: [JSON.Member] = []
            for (field, value) in request.headers {
                let field = field.lowercased()
                if let known = fields.firstIndex(where: { $0.name == field }),
                    case .string(let text) = fields[known].value
                {
                    fields[known].value = .string("\(text), \(value)")
                } else {
                    fields.append(.init(field, .string(value)))
                }
            }
            let answer: JSON = [
                "upstream": .string(name), "method": .string(request.method.rawValue), "path": .string(request.uri),
                "headers": .object(fields), "body_bytes": .integer(bodyBytes),
            ]
            let body = ByteBuffer(string: answer.text + "\n")
            let head = HTTPResponseHead(
                version: .http1_1, status: .ok,
                headers: ["Content-Type": "application/json", "Content-Length": "\(body.readableBytes)"])
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            if request.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            if !request.isKeepAlive { context.close(promise: nil) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
