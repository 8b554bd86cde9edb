import Foundation
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL
import Synchronization

/// A server on loopback that answers as a test says, and remembers what it was asked.
final class StubServer: Sendable {
    struct Answer: Sendable {
        var status = 200
        var fields: HTTPHeaders = [:]
        var body = "as you asked"
        var delay = TimeAmount.zero
        var kind = Kind.answer

        enum Kind: Sendable {
            case answer
            /// Closes the connection instead.
            case close
            /// Says nothing.
            case silence
        }

        static let closed = Answer(kind: .close)
        static let silence = Answer(kind: .silence)

        static func status(_ status: Int, _ fields: HTTPHeaders = [:]) -> Answer {
            Answer(status: status, fields: fields)
        }
    }

    struct Request: Sendable {
        let method: String
        let path: String
        let fields: HTTPHeaders
        let body: String
        /// Counted from 0 over all connections.
        let number: Int
    }

    enum Wire: Sendable {
        case http1
        case http2
        /// Sends these bytes at the first byte it receives, and closes.
        case raw(String)
    }

    private let channel: any Channel
    private let seen: Seen
    let port: Int

    private final class Seen: Sendable {
        let requests = Mutex<[Request]>([])
    }

    private init(_ channel: any Channel, _ seen: Seen) {
        self.channel = channel
        self.seen = seen
        port = channel.localAddress?.port ?? 0
    }

    var requests: [Request] { seen.requests.withLock { $0 } }

    /// Runs `body` with such a server, which ends with it.
    static func run(
        _ wire: Wire = .http1, tls: NIOSSLContext? = nil,
        answer: @escaping @Sendable (Request) -> Answer = { _ in Answer() }, _ body: (StubServer) async throws -> Void
    ) async throws {
        let seen = Seen()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
                    switch wire {
                    case .http1:
                        try pipeline.configureHTTPServerPipeline()
                        try pipeline.addHandler(Responder(seen, answer))
                    case .http2:
                        _ = try pipeline.configureHTTP2Pipeline(
                            mode: .server, connectionConfiguration: .init(), streamConfiguration: .init()
                        ) { stream in
                            stream.eventLoop.makeCompletedFuture {
                                try stream.pipeline.syncOperations.addHandlers(
                                    HTTP2FramePayloadToHTTP1ServerCodec(), Responder(seen, answer))
                            }
                        }
                    case .raw(let text): try pipeline.addHandler(RawResponder(text))
                    }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = StubServer(channel, seen)
        do { try await body(server) } catch {
            try? await channel.close()
            throw error
        }
        try await channel.close()
    }

    private final class Responder: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let seen: Seen
        private let answer: @Sendable (Request) -> Answer
        private var head: HTTPRequestHead?
        private var body = ""

        init(_ seen: Seen, _ answer: @escaping @Sendable (Request) -> Answer) {
            self.seen = seen
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                body = ""
            case .body(let bytes): body += String(buffer: bytes)
            case .end: respond(context)
            }
        }

        private func respond(_ context: ChannelHandlerContext) {
            guard let head else { return }
            let request = seen.requests.withLock { requests in
                let request = Request(
                    method: head.method.rawValue, path: head.uri, fields: head.headers, body: body,
                    number: requests.count)
                requests.append(request)
                return request
            }
            let answer = answer(request)
            switch answer.kind {
            case .silence: return
            case .close: return context.close(promise: nil)
            case .answer: break
            }
            guard answer.delay > .zero else { return write(answer, context) }
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: answer.delay) { bound.value.0.write(answer, bound.value.1) }
        }

        private func write(_ answer: Answer, _ context: ChannelHandlerContext) {
            var fields = answer.fields
            if !fields.contains(name: "Transfer-Encoding") {
                fields.add(name: "Content-Length", value: String(answer.body.utf8.count))
            }
            let head = HTTPResponseHead(
                version: .http1_1, status: HTTPResponseStatus(statusCode: answer.status), headers: fields)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: answer.body)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            if fields[canonicalForm: "connection"].contains("close") { context.close(promise: nil) }
        }
    }

    private final class RawResponder: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let text: String

        init(_ text: String) { self.text = text }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
            context.close(promise: nil)
        }
    }
}

/// A certificate for 127.0.0.1 that nobody vouches for.
enum SelfSigned {
    static func context(protocols: [String]) throws -> NIOSSLContext {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("weir-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.currentDirectoryURL = folder
        process.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
            "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=127.0.0.1",
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        var settings = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(folder.path + "/cert.pem").map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: folder.path + "/key.pem", format: .pem)))
        settings.applicationProtocols = protocols
        return try NIOSSLContext(configuration: settings)
    }
}
