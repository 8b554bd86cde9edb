import NIOCore
import NIOHTTP1
import NIOPosix

/// A service with something to send: `/bytes/N` is N bytes, or a range of them, and `/echo` what it is sent, both as fast as they are
/// taken and no faster.
final class ContentUpstream: Sendable {
    let port: Int
    private let channel: any Channel

    private init(_ channel: any Channel) {
        self.channel = channel
        port = channel.localAddress?.port ?? 0
    }

    static func start() async throws -> ContentUpstream {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 4096)
            // A slow reader must not have the kernel hold megabytes of its answer.
            .childChannelOption(.socketOption(.so_sndbuf), value: 262_144)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Service())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return ContentUpstream(channel)
    }

    func stop() async throws { try await channel.close() }

    /// Of `/bytes`: the letters of the alphabet over and over.
    static func bytes(_ range: Range<Int>) -> [UInt8] { range.map { UInt8(ascii: "a") + UInt8($0 % 26) } }

    private final class Service: ChannelDuplexHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundIn = HTTPServerResponsePart
        typealias OutboundOut = HTTPServerResponsePart

        /// What an answer of `/bytes` begins with, once the request is there as a whole.
        private var answer = HTTPResponseHead(version: .http1_1, status: .ok)
        /// Thousands of alphabets, so that a piece of any length begins where it must.
        private static let alphabets = ByteBuffer(bytes: ContentUpstream.bytes(0..<26 * 40_000))
        private var isEchoing = false
        /// Of `/bytes`, still to be sent.
        private var left = 0..<0
        private var isSending = false

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): begin(head, context)
            case .body(let piece):
                if isEchoing { context.write(wrapOutboundOut(.body(.byteBuffer(piece))), promise: nil) }
            case .end:
                if isEchoing {
                    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
                } else {
                    context.write(wrapOutboundOut(.head(answer)), promise: nil)
                    send(context)
                }
            }
        }

        private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
            isEchoing = head.uri == "/echo"
            var fields = HTTPHeaders()
            var status = HTTPResponseStatus.ok
            if isEchoing {
                if let length = head.headers.first(name: "Content-Length") {
                    fields.add(name: "Content-Length", value: length)
                }
            } else {
                let size = head.uri.split(separator: "/").last.flatMap { Int($0) } ?? 0
                left = 0..<size
                if let range = Self.range(head.headers.first(name: "Range"), of: size) {
                    left = range
                    status = .partialContent
                    fields.add(
                        name: "Content-Range", value: "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)")
                }
                fields.add(name: "Content-Length", value: "\(left.count)")
                if head.method == .HEAD { left = 0..<0 }
            }
            answer = HTTPResponseHead(version: .http1_1, status: status, headers: fields)
            if isEchoing { context.writeAndFlush(wrapOutboundOut(.head(answer)), promise: nil) }
        }

        private static func range(_ text: String?, of size: Int) -> Range<Int>? {
            let bounds = text?.dropFirst("bytes=".count).split(separator: "-").compactMap { Int($0) } ?? []
            return bounds.count == 2 && bounds[0] <= bounds[1] && bounds[1] < size ? bounds[0]..<bounds[1] + 1 : nil
        }

        private func send(_ context: ChannelHandlerContext) {
            isSending = true
            while !left.isEmpty, context.channel.isWritable {
                let start = left.lowerBound % 26
                let count = min(left.count, Self.alphabets.readableBytes - start)
                let piece = Self.alphabets.getSlice(at: start, length: count) ?? ByteBuffer()
                left = left.lowerBound + count..<left.upperBound
                context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(piece))), promise: nil)
            }
            guard left.isEmpty, isSending else { return }
            isSending = false
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }

        func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

        func channelWritabilityChanged(context: ChannelHandlerContext) {
            if isSending { send(context) }
            // An echo is not read faster than it is taken.
            if isEchoing {
                context.channel.setOption(.autoRead, value: context.channel.isWritable).whenFailure { _ in }
            }
        }
    }
}
