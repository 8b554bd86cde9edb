import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A collector of traces on loopback that notes what it is sent, and answers as it is told.
final class Collector: Sendable {
    struct Call: Sendable {
        let path: String
        let fields: HTTPHeaders
        let body: Data
        let status: Int
    }

    struct Answer: Sendable {
        var status = HTTPResponseStatus.ok
        var fields: HTTPHeaders = [:]
        var body = "{}"
        /// Takes the request and says nothing.
        var isNever = false
    }

    private struct State {
        var calls: [Call] = []
        /// Of the next calls; then all is well.
        var answers: [Answer] = []
    }

    let port: Int
    private let channel: any Channel
    private let state: Shared

    private final class Shared: Sendable { let value = Mutex(State()) }

    private init(_ channel: any Channel, _ state: Shared) {
        self.channel = channel
        self.state = state
        port = channel.localAddress?.port ?? 0
    }

    static func start(port: Int = 0, answers: [Answer] = []) async throws -> Collector {
        let state = Shared()
        state.value.withLock { $0.answers = answers }
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(state))
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
        return Collector(channel, state)
    }

    func stop() async throws { try await channel.close() }

    var calls: [Call] { state.value.withLock { $0.calls } }

    /// The spans of all calls that were answered with 200.
    func spans() throws -> [[String: Any]] {
        try calls.filter { $0.status == 200 }.flatMap { call in
            let object = try JSONSerialization.jsonObject(with: call.body) as? [String: Any]
            let resources = object?["resourceSpans"] as? [[String: Any]] ?? []
            let scopes = resources.flatMap { $0["scopeSpans"] as? [[String: Any]] ?? [] }
            return scopes.flatMap { $0["spans"] as? [[String: Any]] ?? [] }
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let state: Shared
        private var head: HTTPRequestHead?
        private var body = Data()

        init(_ state: Shared) { self.state = state }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): (self.head, body) = (head, Data())
            case .body(let piece): body.append(contentsOf: piece.readableBytesView)
            case .end:
                guard let head else { return }
                let answer = state.value.withLock { state in
                    let answer = state.answers.isEmpty ? Answer() : state.answers.removeFirst()
                    state.calls.append(
                        Call(
                            path: head.uri, fields: head.headers, body: body,
                            status: answer.isNever ? 0 : Int(answer.status.code)))
                    return answer
                }
                if !answer.isNever { write(answer.status, answer.fields, answer.body, to: context) }
            }
        }
    }
}
