import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A service behind the gateway that notes what it is asked, and answers as it is told.
final class ScriptedUpstream: Sendable {
    struct Request: Sendable {
        let method: HTTPMethod
        let path: String
        let fields: HTTPHeaders
        var body = ""
    }

    struct Answer: Sendable {
        var status = HTTPResponseStatus.ok
        var body = ""
        var fields: HTTPHeaders = [:]
        /// Takes the request and says nothing.
        var isNever = false
    }

    typealias Script = @Sendable (Request) -> Answer

    private struct State {
        var requests: [Request] = []
        var script: Script
    }

    private final class Shared: Sendable {
        let value: Mutex<State>

        init(_ script: @escaping Script) { value = Mutex(State(script: script)) }
    }

    let port: Int
    private let channel: any Channel
    private let state: Shared

    private init(_ channel: any Channel, _ state: Shared) {
        self.channel = channel
        self.state = state
        port = channel.localAddress?.port ?? 0
    }

    static func start(
        host: String = "127.0.0.1", port: Int = 0, _ script: @escaping Script
    ) async throws -> ScriptedUpstream {
        let state = Shared(script)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(state))
                }
            }
            .bind(host: host, port: port).get()
        return ScriptedUpstream(channel, state)
    }

    /// Answers all with 200 and this body.
    static func start(_ body: String) async throws -> ScriptedUpstream { try await start { _ in Answer(body: body) } }

    func stop() async throws { try await channel.close() }

    var address: String { "127.0.0.1:\(port)" }

    /// Health checks are not among them.
    var requests: [Request] { state.value.withLock { $0.requests.filter { $0.path != "/healthz" } } }

    func answer(_ script: @escaping Script) { state.value.withLock { $0.script = script } }

    func answer(_ status: HTTPResponseStatus, _ body: String = "") {
        answer { _ in Answer(status: status, body: body) }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let state: Shared
        private var request: Request?

        init(_ state: Shared) { self.state = state }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): request = Request(method: head.method, path: head.uri, fields: head.headers)
            case .body(let piece): request?.body += String(buffer: piece)
            case .end:
                guard let request else { return }
                let script = state.value.withLock { state in
                    state.requests.append(request)
                    return state.script
                }
                let answer = script(request)
                if !answer.isNever { write(answer.status, answer.fields, answer.body, to: context) }
            }
        }
    }
}
