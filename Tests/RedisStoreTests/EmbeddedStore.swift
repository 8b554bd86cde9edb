import LimiterCore
import Logging
import NIOCore
import NIOEmbedded
import WeirConfiguration

@testable import RedisStore

/// A store whose Redis is the test: what it writes and what it is answered are bytes, and time stands until it is moved.
final class EmbeddedStore {
    let loop = EmbeddedEventLoop()
    let store: RedisStore
    let recorder = Recorder()
    /// One for each attempt to connect.
    private(set) var channels: [EmbeddedChannel] = []
    /// Where to, one for each channel.
    private(set) var dialled: [RedisAddress.Server] = []
    /// What was asked beside the connection, and the channel that takes the answer.
    private(set) var questions: [(server: RedisAddress.Server, commands: [[String]], channel: EmbeddedChannel)] = []
    /// Kept, so that each has an identity of its own.
    private var asked: [LimitCall] = []
    /// Whether attempts succeed.
    var isReachable = true

    convenience init(
        deadline: Duration = .milliseconds(20), address: RedisAddress = RedisAddress(host: "test", port: 1)
    ) {
        self.init(deadline: deadline, settings: StoreSettings(redis: address))
    }

    init(deadline: Duration = .milliseconds(20), settings: StoreSettings) {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let access = try! RedisAccess(settings)
        store = RedisStore(access, deadline: deadline, on: loop, logger: logger, metrics: nil)
        store.observer = recorder
        store.dialer = EmbeddedDialer(store: self)
        store.start()
    }

    private struct EmbeddedDialer: Dialer {
        unowned let store: EmbeddedStore

        func open(_ connection: RedisConnection) {
            let channel = EmbeddedChannel(handler: connection, loop: store.loop)
            store.channels.append(channel)
            store.dialled.append(connection.server)
            guard store.isReachable else { return connection.close(StoreError(.disconnected, "nobody is there")) }
            channel.connect(to: try! SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        }

        func ask(
            _ server: RedisAddress.Server, _ commands: [[String]],
            _ completion: @escaping (Result<[RedisValue], StoreError>) -> Void
        ) -> Inquiry {
            let inquiry = Inquiry(
                commands, on: store.loop, explain: { StoreError(.disconnected, "\($0)") }, completion)
            let channel = EmbeddedChannel(handler: inquiry, loop: store.loop)
            channel.connect(to: try! SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
            store.questions.append((server, commands, channel))
            return inquiry
        }
    }

    var channel: EmbeddedChannel { channels[channels.count - 1] }

    var isReady: Bool { if case .ready = store.phase { true } else { false } }

    /// The words of the commands written since the last time, a list a write.
    func writes() throws -> [[[String]]] { try Self.writes(to: channel) }

    func writes(of index: Int) throws -> [[[String]]] { try Self.writes(to: channels[index]) }

    static func writes(to channel: EmbeddedChannel) throws -> [[[String]]] {
        var writes: [[[String]]] = []
        while var bytes = try channel.readOutbound(as: ByteBuffer.self) {
            var commands: [[String]] = []
            while bytes.readableBytes > 0 {
                let count = Self.number(&bytes)
                commands.append(
                    (0..<count).map { _ in
                        let word = bytes.readSlice(length: Self.number(&bytes))!
                        bytes.moveReaderIndex(forwardBy: 2)
                        return String(buffer: word)
                    })
            }
            writes.append(commands)
        }
        return writes
    }

    private static func number(_ bytes: inout ByteBuffer) -> Int {
        let line = bytes.readableBytesView.prefix { $0 != UInt8(ascii: "\r") }
        bytes.moveReaderIndex(forwardBy: line.count + 2)
        return Int(String(decoding: line.dropFirst(), as: UTF8.self))!
    }

    func reply(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }

    /// Answers the last question.
    func answerQuestion(_ text: String) throws {
        try questions[questions.count - 1].channel.writeInbound(ByteBuffer(string: text))
        loop.run()
    }

    static let scriptName = String(repeating: "a", count: 40)

    static func handshakeReply(version: String = "7.0.15") -> String {
        let info = "# Server\r\nredis_version:\(version)\r\nos:Linux\r\n"
        let name = "$40\r\n\(scriptName)\r\n"
        let memory = "# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n"
        return "+OK\r\n" + [info, memory].map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
            + String(repeating: name, count: Script.allCases.count)
    }

    func becomeReady() throws {
        _ = try writes()
        try reply(Self.handshakeReply())
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

    /// What the script answers to one request that passes, where nothing was counted before.
    static func passed(_ group: LimitGroup, now: Int64 = 1_767_225_723_456_789) -> String {
        var numbers = [now, 1]
        for limit in group.limits {
            let state = limit.rule.neutral(at: now)
            numbers += [state.position, state.count, state.rest, state.generation]
        }
        return "*\(numbers.count)\r\n" + numbers.map { ":\($0)\r\n" }.joined()
    }
}
