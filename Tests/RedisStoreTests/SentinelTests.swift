import LimiterCore
import NIOCore
import NIOEmbedded
import Testing
import TestSupport
import WeirConfiguration

@testable import RedisStore

@Suite struct SentinelTests {
    private static func limits() throws -> LimitGroup { try DeclaredLimits(.window("global", "1000/w")).group }

    // MARK: Without a network

    private static let sentinels = [26_379, 26_380].map { RedisAddress.Server(host: "s", port: $0) }
    private static let master = "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"
    private static let replica = "*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:1\r\n$9\r\nconnected\r\n:7\r\n"

    private func embedded(password: String? = nil) -> EmbeddedStore {
        var settings = StoreSettings(redis: RedisAddress(.sentinel(primary: "main"), Self.sentinels))
        settings.sentinel.password = password
        return EmbeddedStore(settings: settings)
    }

    private static func named(_ port: Int) -> String { "*2\r\n$2\r\np\(port % 10)\r\n$4\r\n\(port)\r\n" }

    @Test func theSentinelIsAskedAndTheServerMustSayThatItIsAPrimary() throws {
        let redis = embedded(password: "secret")
        #expect(redis.questions[0].server == Self.sentinels[0])
        #expect(redis.questions[0].commands == [["AUTH", "secret"], ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"]])
        try redis.answerQuestion("+OK\r\n" + Self.named(6381))
        #expect(redis.dialled == [RedisAddress.Server(host: "p1", port: 6381)])
        #expect(try redis.writes()[0][0] == ["ROLE"])

        try redis.reply(Self.replica)
        #expect(redis.questions[1].server == Self.sentinels[1])
        try redis.answerQuestion("+OK\r\n" + Self.named(6382))
        #expect(redis.dialled.last == RedisAddress.Server(host: "p2", port: 6382))
        try redis.reply(Self.master + EmbeddedStore.handshakeReply())
        #expect(redis.isReady)
    }

    @Test func aReadOnlyServerIsLeftForTheOneThatSentinelsName() throws {
        let group = try Self.limits()
        let redis = embedded()
        try redis.answerQuestion(Self.named(6381))
        try redis.reply(Self.master + EmbeddedStore.handshakeReply())
        let call = redis.decide([Question(group: group)])[0]
        try redis.reply("-READONLY You can't write against a read only replica.\r\n")
        #expect(redis.answer(call)?.error?.code == .refused)
        #expect(!redis.channels[0].isActive)
        redis.loop.advanceTime(by: .milliseconds(200))
        #expect(redis.questions.count == 2)
        try redis.answerQuestion(Self.named(6382))
        #expect(redis.dialled.map(\.port) == [6381, 6382])
    }

    @Test func aPrimaryThatSentinelsNoLongerNameIsLeft() throws {
        let redis = embedded()
        try redis.answerQuestion(Self.named(6381))
        try redis.reply(Self.master + EmbeddedStore.handshakeReply())
        for _ in 0..<3 {
            redis.loop.advanceTime(by: .seconds(1))
            try redis.answerQuestion(Self.named(6381))
            #expect(redis.isReady)
        }
        redis.loop.advanceTime(by: .seconds(1))
        try redis.answerQuestion(Self.named(6382))
        #expect(!redis.isReady)
        redis.loop.advanceTime(by: .milliseconds(200))
        try redis.answerQuestion(Self.named(6382))
        try redis.reply(Self.master + EmbeddedStore.handshakeReply())
        #expect(redis.isReady)
        #expect(redis.dialled.map(\.port) == [6381, 6382])
    }

    @Test func aSentinelThatGoesSilentMovesNobody() throws {
        let redis = embedded()
        try redis.answerQuestion(Self.named(6381))
        try redis.reply(Self.master + EmbeddedStore.handshakeReply())
        redis.loop.advanceTime(by: .seconds(2))
        #expect(redis.isReady)
        redis.loop.advanceTime(by: .seconds(1))
        #expect(redis.isReady)
        #expect(redis.questions.map(\.server) == [Self.sentinels[0], Self.sentinels[0], Self.sentinels[1]])
    }

    @Test(arguments: [
        "+OK\r\n", ":1\r\n", "*0\r\n", "*2\r\n$1\r\na\r\n$1\r\nb\r\n", "*2\r\n$0\r\n\r\n$1\r\n1\r\n", "?",
    ])
    func anAnswerThatIsNoAddressIsPassedOver(answer: String) throws {
        let redis = embedded()
        try redis.answerQuestion(answer)
        #expect(redis.dialled.isEmpty)
        #expect(redis.questions.map(\.server) == Self.sentinels)
    }

    // MARK: With real ones

    private static func settings(_ trio: SentinelTrio, _ sentinels: [Int]? = nil) throws -> StoreSettings {
        var address = try RedisAddress(parsing: trio.url)
        if let sentinels { address.servers = sentinels.map { RedisAddress.Server(host: "127.0.0.1", port: $0) } }
        return StoreSettings(redis: address)
    }

    private func primaryPort(_ client: StoreClient) async throws -> Int? {
        try await client.onLoop { store, _ -> Int? in
            if case .ready(let connection) = store.phase { connection.server.port } else { nil }
        }
    }

    @Test func sentinelsThatAreDownAreSkippedAndAFailoverIsFollowed() async throws {
        let trio = try await SentinelTrio.start()
        defer { trio.stop() }
        let group = try Self.limits()
        let nobody = try ServerProcess.freePort()
        let settings = try Self.settings(trio, [nobody] + trio.sentinels.map(\.port))
        let client = try await StoreClient(settings)
        try await client.becomesReady()
        #expect(try await primaryPort(client) == trio.servers[0].port)
        #expect(try await client.decide(Question(group: group)).isAllowed)
        try await trio.replicasAreLevel()

        // The operator's own failover: the old primary goes on taking writes until the sentinels tell it.
        let second = try await trio.becomesPrimary(otherThan: trio.servers[0], isOrdered: true)
        try await eventually(within: .seconds(60), "the second primary") {
            try await primaryPort(client) == second.port
        }
        let answer = try await client.decide(Question(group: group))
        #expect(answer.isAllowed && answer.states[0].count == 2, "what was counted came along")

        trio.sentinels[0].pause()
        second.kill()
        try await eventually(within: .seconds(60), "the third primary") {
            guard let port = try await primaryPort(client) else { return false }
            return port != second.port
        }
        #expect(try await client.decide(Question(group: group)).isAllowed)
        try await client.shutdown()
    }

    @Test func sentinelsAndTheirPrimaryAreReachedOverTLS() async throws {
        let certificates = try Certificates()
        let trio = try await SentinelTrio.start(
            SentinelTrio.Options(tls: RedisServer.TLS(certificates, certificates.server)))
        defer { trio.stop() }
        var settings = try Self.settings(trio)
        settings.redis.usesTLS = true
        settings.tls.authorityFile = certificates.authority
        let client = try await StoreClient(settings)
        try await client.becomesReady()
        #expect(try await client.decide(Question(group: try Self.limits())).isAllowed)
        try await client.shutdown()

        settings.tls.authorityFile = certificates.otherAuthority
        let doubter = try await StoreClient(settings)
        let group = try Self.limits()
        try await eventually("the reason") {
            try await doubter.decide(Question(group: group)).error?.detail.contains("not signed by") == true
        }
        try await doubter.shutdown()
    }

    @Test func aNameThatNoSentinelKnowsIsSaid() async throws {
        let trio = try await SentinelTrio.start(SentinelTrio.Options(password: "watch"))
        defer { trio.stop() }
        let group = try Self.limits()
        var settings = try Self.settings(trio)

        let stranger = try await StoreClient(settings)
        try await eventually("the refusal") {
            try await stranger.decide(Question(group: group)).error?.code == .unauthorized
        }
        try await stranger.shutdown()

        settings.sentinel.password = "watch"
        let client = try await StoreClient(settings)
        try await client.becomesReady()
        try await client.shutdown()

        settings.redis.form = .sentinel(primary: "other")
        let lost = try await StoreClient(settings)
        try await eventually("the reason") {
            try await lost.decide(Question(group: group)).error?.detail.contains("primary called `other`") == true
        }
        try await lost.shutdown()
    }
}
