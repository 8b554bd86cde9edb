import LimiterCore
import Logging
import NIOCore
import NIOEmbedded
import WeirConfiguration

@testable import RedisStore

/// A cluster that is the test: nodes 1 and 2 have half of the slots each, and time stands until it is moved.
final class EmbeddedCluster {
    let loop = EmbeddedEventLoop()
    let store: ClusterStore
    let recorder = Recorder()
    /// The last connection to each node, by port.
    private(set) var channels: [Int: EmbeddedChannel] = [:]
    /// Ports that were asked for the map, and the channels that take the answers.
    private(set) var questions: [(port: Int, channel: EmbeddedChannel)] = []
    /// Kept, so that each has an identity of its own.
    private var asked: [LimitCall] = []

    init(deadline: Duration = .milliseconds(20)) throws {
        let access = try RedisAccess(StoreSettings(redis: RedisAddress(parsing: "redis+cluster://n:1,n:2")))
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        store = ClusterStore(access, deadline: deadline, on: loop, logger: logger, metrics: nil)
        store.observer = recorder
        store.dialer = NodeDialer(cluster: self)
        store.start()
    }

    private struct NodeDialer: Dialer {
        unowned let cluster: EmbeddedCluster

        func open(_ connection: RedisConnection) {
            cluster.channels[connection.server.port] = cluster.channel(connection)
        }

        func ask(
            _ server: RedisAddress.Server, _ commands: [[String]],
            _ completion: @escaping (Result<[RedisValue], StoreError>) -> Void
        ) -> Inquiry {
            let inquiry = Inquiry(
                commands, on: cluster.loop, explain: { StoreError(.disconnected, "\($0)") }, completion)
            cluster.questions.append((server.port, cluster.channel(inquiry)))
            return inquiry
        }
    }

    private func channel(_ handler: some ChannelHandler) -> EmbeddedChannel {
        let channel = EmbeddedChannel(handler: handler, loop: loop)
        channel.connect(to: try! SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        return channel
    }

    /// The answer to the last question: node 1 has the slots below `boundary`, node 2 the others.
    func answerMap(boundary: Int = 8192) throws {
        func node(_ port: Int) -> String { "*3\r\n$1\r\nn\r\n:\(port)\r\n$2\r\nid\r\n" }
        let text =
            "*2\r\n*3\r\n:0\r\n:\(boundary - 1)\r\n\(node(1))*3\r\n:\(boundary)\r\n:16383\r\n\(node(2))"
        try questions[questions.count - 1].channel.writeInbound(ByteBuffer(string: text))
        loop.run()
    }

    /// The map is known, and these nodes are ready.
    func becomeReady(_ ports: Int...) throws {
        try answerMap()
        for port in ports {
            _ = try writes(port)
            try reply(port, EmbeddedStore.handshakeReply())
        }
    }

    func writes(_ port: Int) throws -> [[[String]]] { try EmbeddedStore.writes(to: channels[port]!) }

    func reply(_ port: Int, _ text: String) throws {
        try channels[port]!.writeInbound(ByteBuffer(string: text))
        loop.run()
    }

    /// Asks in one tick, and lets the loop send.
    @discardableResult
    func decide(_ questions: [Question]) -> [LimitCall] {
        let calls = questions.map { $0.call() }
        asked += calls
        for call in calls { store.decide(call) }
        loop.run()
        return calls
    }

    func answer(_ call: LimitCall) -> Answer? { recorder.ended[ObjectIdentifier(call)] }
}
