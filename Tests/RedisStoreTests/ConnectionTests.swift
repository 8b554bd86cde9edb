import LimiterCore
import NIOCore
import NIOEmbedded
import Testing
import TestSupport
import WeirConfiguration

@testable import RedisStore

@Suite struct ConnectionTests {
    private static func limits() throws -> LimitGroup {
        try DeclaredLimits(.window("global", "100/minute"), .bucket("pay", "10/minute")).group
    }

    @Test func theHandshakeLeavesInOneWrite() throws {
        let address = RedisAddress(host: "test", port: 1, user: "gate", password: "secret", database: 3)
        let redis = EmbeddedStore(address: address)
        let writes = try redis.writes()
        #expect(writes.count == 1)
        #expect(
            writes[0].map { $0.prefix(2).joined(separator: " ") } == [
                "AUTH gate", "SELECT 3", "CLIENT SETNAME", "INFO server", "INFO memory",
            ] + Script.allCases.map { _ in "SCRIPT LOAD" })
        #expect(writes[0].suffix(Script.allCases.count).allSatisfy { $0[2].hasPrefix("#!lua\n") })
        try redis.reply("+OK\r\n+OK\r\n" + EmbeddedStore.handshakeReply())
        #expect(redis.isReady)
    }

    @Test func callsOfOneTickLeaveInOneWriteAndThoseThatBelongTogetherInOneCommand() throws {
        let group = try Self.limits()
        let redis = EmbeddedStore()
        try redis.becomeReady()
        let questions = ["a", "b", "a", "a", "c"].map { Question(group: group, tenant: $0) }
        redis.decide(questions)
        let writes = try redis.writes()
        #expect(writes.count == 1)
        #expect(writes[0].map { $0[3] } == ["a", "b", "c"].map { "weir:{\($0)}:global::w60" })
        #expect(writes[0].allSatisfy { $0[0] == "EVALSHA" && $0[1] == EmbeddedStore.scriptName && $0[2] == "2" })
        // One argument: 16 bytes, two limits of 72, and three requests' costs of two limits, 8 each.
        #expect(writes[0][0].count == 6)
        #expect(writes[0][0][5].utf8.count >= 16 + 2 * 72 + 3 * 2 * 8)
    }

    @Test func aGroupOfMoreThanACallCarriesIsCut() throws {
        let group = try Self.limits()
        let redis = EmbeddedStore()
        try redis.becomeReady()
        redis.decide((0..<300).map { _ in Question(group: group) })
        #expect(try redis.writes()[0].count == 3)
    }

    @Test func aLeaseCallLeavesBeforeWhatIsAskedAfterIt() throws {
        let group = try Self.limits()
        let redis = EmbeddedStore()
        try redis.becomeReady()
        redis.store.decide(Question(group: group).call())
        let request = LeaseRequest(
            key: Array("weir:{acme}:global::w60".utf8), rule: group.limits[0].rule, position: 1, total: 1, sequence: 1)
        redis.store.lease([request], of: ReplicaID(1)) { _ in }
        redis.store.decide(Question(group: group).call())
        redis.loop.run()
        #expect(try redis.writes()[0].map { $0[4] == "weir:{acme}:global::w60:m" } == [false, true, false])
    }

    @Test func aReplyMayComeByteByByte() throws {
        let group = try Self.limits()
        let redis = EmbeddedStore()
        _ = try redis.writes()
        for byte in EmbeddedStore.handshakeReply().utf8 {
            #expect(!redis.isReady)
            try redis.channel.writeInbound(ByteBuffer(bytes: [byte]))
        }
        #expect(redis.isReady)
        let call = redis.decide([Question(group: group)])[0]
        for byte in EmbeddedStore.passed(group).utf8 {
            #expect(redis.answer(call) == nil)
            try redis.channel.writeInbound(ByteBuffer(bytes: [byte]))
        }
        #expect(redis.answer(call)?.isAllowed == true)
    }

    @Test func aCallFailsAtItsDeadlineAndItsReplyIsReportedLate() throws {
        let group = try Self.limits()
        let redis = EmbeddedStore(deadline: .milliseconds(20))
        try redis.becomeReady()
        redis.recorder.spends = [1, 1]
        let late = redis.decide([Question(group: group, tenant: "slow", costs: [2, 3])])[0]
        redis.loop.advanceTime(by: .milliseconds(10))
        let next = redis.decide([Question(group: group, tenant: "next")])[0]
        redis.loop.advanceTime(by: .nanoseconds(9_999_999))
        #expect(redis.answer(late) == nil)
        redis.loop.advanceTime(by: .nanoseconds(1))
        #expect(redis.answer(late)?.error?.code == .timeout)
        #expect(redis.answer(next) == nil)

        // Its owner uses the call again before the reply comes.
        late.prepare(group)
        try redis.reply(EmbeddedStore.passed(group))
        #expect(redis.recorder.late.count == 1)
        let answer = try #require(redis.recorder.late.first)
        #expect(answer.keys.map { String(decoding: $0, as: UTF8.self) }[0] == "weir:{slow}:global::w60")
        #expect(answer.charged == [2, 3])
        #expect(answer.spentLocally == [1, 1])
        #expect(answer.states.map(\.count) == [2, 7])
        #expect(redis.answer(next) == nil)
        try redis.reply(EmbeddedStore.passed(group))
        #expect(redis.answer(next)?.isAllowed == true)
    }

    @Test func aConnectionThatOwesAReplyForTenSecondsIsDropped() throws {
        let group = try Self.limits()
        let redis = EmbeddedStore(deadline: .milliseconds(20))
        try redis.becomeReady()
        redis.decide([Question(group: group)])
        redis.loop.advanceTime(by: .milliseconds(10_019))
        let waiting = redis.decide([Question(group: group)])[0]
        #expect(redis.isReady)
        redis.loop.advanceTime(by: .milliseconds(1))
        #expect(!redis.isReady)
        #expect(!redis.channels[0].isActive)
        #expect(redis.answer(waiting)?.error?.code == .interrupted)
        // A reply that comes after all finds nobody.
        redis.loop.advanceTime(by: .seconds(1))
        #expect(redis.channels.count == 2)
    }

    @Test func aServerThatDoesNotGetReadyInASecondIsLeft() throws {
        let redis = EmbeddedStore()
        redis.loop.advanceTime(by: .milliseconds(999))
        #expect(redis.channel.isActive)
        redis.loop.advanceTime(by: .milliseconds(1))
        #expect(!redis.channel.isActive)
    }

    @Test func attemptsToConnectBecomeRare() throws {
        let redis = EmbeddedStore()
        try redis.becomeReady()
        redis.isReachable = false
        redis.channel.close(promise: nil)
        redis.loop.advanceTime(by: .seconds(60))
        // At most one every half of 2 s, at least one every one and a half, and the short ones of the beginning.
        #expect((20...70).contains(redis.channels.count))
        redis.isReachable = true
        let attempts = redis.channels.count
        while redis.channels.count == attempts { redis.loop.advanceTime(by: .milliseconds(10)) }
        try redis.becomeReady()
        #expect(redis.isReady)
    }

    @Test func theWaitDoublesFromFiftyMillisecondsToTwoSeconds() {
        var backoff = Backoff()
        let waits = (0..<8).map { _ in backoff.next(isTransient: true, random: 0.5) }
        #expect(waits == [50, 100, 200, 400, 800, 1600, 2000, 2000].map { .milliseconds($0) })
        #expect(backoff.next(isTransient: true, random: 0) == .seconds(1))
        #expect(backoff.next(isTransient: false, random: 0.5) == .seconds(5))
        backoff.succeeded()
        #expect(backoff.next(isTransient: true, random: 0.5) == .milliseconds(50))
    }

    @Test(arguments: ["6.2.14", "5.0.7", "0"])
    func anOldServerIsRefusedWithItsVersion(_ version: String) throws {
        let group = try Self.limits()
        let redis = EmbeddedStore()
        _ = try redis.writes()
        try redis.reply(EmbeddedStore.handshakeReply(version: version))
        let call = redis.decide([Question(group: group)])[0]
        let error = try #require(redis.answer(call)?.error)
        #expect(error.code == .incompatible)
        #expect(error.detail == "the server is Redis \(version); Redis 7.0 or later is needed")
        redis.loop.advanceTime(by: .seconds(2))
        #expect(redis.channels.count == 1, "it will not become younger soon")
    }

    @Test(arguments: [
        "HTTP/1.1 400 Bad Request\r\n\r\n", "*2\r\n:1\r\n", ":1\r\n", "$3\r\nabc\r\n", "*-1\r\n", "*0\r\n", "+OK\r\n",
        "*10\r\n" + String(repeating: ":9223372036854775807\r\n", count: 10),
        "*10\r\n" + String(repeating: ":-1\r\n", count: 10),
        "*10\r\n" + String(repeating: "$1\r\na\r\n", count: 10), "*1\r\n*1\r\n:1\r\n", "\u{0}\u{1}\u{2}",
        "$99999999999999999999\r\n", "*2147483647\r\n:1\r\n", ":abc\r\n",
        "*100000\r\n" + String(repeating: ":1\r\n", count: 100_000),
    ])
    func aReplyThatIsNoneEndsTheConnectionAndNothingElse(_ reply: String) throws {
        let group = try Self.limits()
        let redis = EmbeddedStore()
        try redis.becomeReady()
        let call = redis.decide([Question(group: group)])[0]
        try redis.reply(reply)
        redis.loop.advanceTime(by: .seconds(2))
        let error = try #require(redis.answer(call)?.error)
        #expect([.incompatible, .interrupted, .timeout].contains(error.code))
        #expect(redis.channels.count <= 3)
        // One that does not end is waited for as any that is late.
        redis.loop.advanceTime(by: .seconds(9))
        #expect(!redis.channels[0].isActive)
    }

    @Test func anEndlessReplyDoesNotFillTheMemory() throws {
        let redis = EmbeddedStore()
        try redis.becomeReady()
        try redis.reply("$1000000000\r\n")
        for _ in 0..<20 { try redis.reply(String(repeating: "x", count: 65_536)) }
        #expect(!redis.channels[0].isActive)
    }

    @Test func anAnswerThatNobodyAskedForEndsTheConnection() throws {
        let redis = EmbeddedStore()
        try redis.becomeReady()
        try redis.reply("+OK\r\n")
        #expect(!redis.channels[0].isActive)
    }

    @Test(arguments: [
        ("OOM command not allowed when used memory > 'maxmemory'", StoreError.Code.refused, true),
        ("NOREPLICAS Not enough good replicas to write", .refused, true),
        ("MISCONF Redis is configured to save RDB snapshots", .refused, true),
        ("LOADING Redis is loading the dataset in memory", .refused, true),
        ("BUSY Redis is busy running a script", .refused, true),
        ("CLUSTERDOWN The cluster is down", .refused, true),
        ("MASTERDOWN Link with MASTER is down", .refused, true),
        ("TRYAGAIN Multiple keys request during rehashing of slot", .refused, true),
        ("MOVED 3999 127.0.0.1:6381", .refused, true),
        ("ERR unknown", .refused, true),
        ("READONLY You can't write against a read only replica", .refused, false),
        ("NOAUTH Authentication required", .unauthorized, true),
        ("NOPERM this user has no permissions", .unauthorized, true),
        ("CROSSSLOT Keys in request don't hash to the same slot", .incompatible, true),
    ])
    func anErrorMeansWhatTheTableSays(_ text: String, _ code: StoreError.Code, _ staysConnected: Bool) throws {
        let group = try Self.limits()
        let redis = EmbeddedStore()
        try redis.becomeReady()
        let call = redis.decide([Question(group: group)])[0]
        #expect(try redis.writes(of: 0).count == 1)
        try redis.reply("-\(text)\r\n")
        #expect(redis.answer(call)?.error == StoreError(code, text))
        #expect(redis.channels[0].isActive == staysConnected)
        redis.loop.run()
        #expect(try redis.writes(of: 0).isEmpty, "it is not sent again")
    }

    @Test func aForgottenScriptIsSentAsTextOnceOnly() throws {
        let group = try Self.limits()
        let redis = EmbeddedStore()
        try redis.becomeReady()
        let call = redis.decide([Question(group: group)])[0]
        let first = try redis.writes()[0][0]
        try redis.reply("-NOSCRIPT No matching script. Please use EVAL.\r\n")
        redis.loop.run()
        let second = try redis.writes()[0][0]
        #expect(second[0] == "EVAL")
        #expect(second[1] == Script.decide.text)
        #expect(second.dropFirst(2) == first.dropFirst(2))
        try redis.reply("-NOSCRIPT No matching script. Please use EVAL.\r\n")
        redis.loop.run()
        #expect(redis.answer(call)?.error?.code == .refused)
        #expect(try redis.writes().isEmpty)
    }

    @Test func ofManyForgottenScriptsOneTextIsSent() throws {
        let group = try Self.limits()
        let redis = EmbeddedStore()
        try redis.becomeReady()
        redis.decide((0..<5).map { Question(group: group, tenant: "t\($0)") })
        _ = try redis.writes()
        try redis.reply(String(repeating: "-NOSCRIPT No matching script.\r\n", count: 5))
        redis.loop.run()
        #expect(try redis.writes()[0].map { $0[0] } == ["EVAL", "EVALSHA", "EVALSHA", "EVALSHA", "EVALSHA"])
    }

    @Test func withoutAnObserverTheStoreAnswersByItself() throws {
        let group = try Self.limits()
        let redis = EmbeddedStore()
        try redis.becomeReady()
        redis.store.observer = nil
        let receiver = ImmediateReceiver()
        for reply in [EmbeddedStore.passed(group), "-OOM\r\n"] {
            let call = Question(group: group).call()
            call.receiver = receiver
            redis.store.decide(call)
            redis.loop.run()
            try redis.reply(reply)
        }
        #expect(receiver.decisions.map(\.outcome) == [.allowed, .unavailable])
    }

    @Test func theScriptsWordCountsWhereSwiftSaysOtherwise() throws {
        let group = try Self.limits()
        let redis = EmbeddedStore()
        try redis.becomeReady()
        let call = redis.decide([Question(group: group)])[0]
        let lines = EmbeddedStore.passed(group).replacingFirst(":1\r\n", by: ":0\r\n")
        try redis.reply(lines)
        #expect(redis.answer(call)?.isAllowed == false)
        #expect(redis.store.disagreements == 1)
    }
}

extension String {
    fileprivate func replacingFirst(_ part: String, by other: String) -> String {
        guard let range = firstRange(of: part) else { return self }
        return replacingCharacters(in: range, with: other)
    }

    private func replacingCharacters(in range: Range<Index>, with other: String) -> String {
        self[..<range.lowerBound] + other + self[range.upperBound...]
    }
}
