import LimiterCore
import NIOCore
import NIOEmbedded
import Testing
import TestSupport
import WeirConfiguration

@testable import RedisStore

@Suite struct RedirectionTests {
    /// Slots below the middle are node 1's.
    private static let low = RedisCluster.tenants(1, in: 0..<8192)[0]
    private static let high = RedisCluster.tenants(1, in: 8192..<16_384)[0]
    private static let slot = Array("{\(low)}".utf8).withUnsafeBytes { SlotMap.slot(of: $0) }

    private static func limits() throws -> LimitGroup { try DeclaredLimits(.window("global", "100/minute")).group }

    private func ready() throws -> EmbeddedCluster {
        let cluster = try EmbeddedCluster()
        try cluster.becomeReady(1, 2)
        return cluster
    }

    @Test func movedIsFollowedOnceAndTheMapIsAskedForOnce() throws {
        let group = try Self.limits()
        let cluster = try ready()
        let calls = cluster.decide([
            Question(group: group, tenant: Self.low), Question(group: group, tenant: Self.low, costs: [2]),
        ])
        let first = try cluster.writes(1)[0][0]
        try cluster.reply(1, "-MOVED \(Self.slot) n:2\r\n")
        #expect(try cluster.writes(2) == [[first]], "the same command, both requests in it")
        let next = cluster.decide([Question(group: group, tenant: Self.low)])[0]
        #expect(try cluster.writes(2).count == 1, "the map has learned it")
        for _ in 0..<3 { try cluster.reply(2, "-MOVED \(Self.slot) n:1\r\n") }
        #expect(cluster.answer(calls[0])?.error?.code == .refused)
        #expect(cluster.answer(calls[1])?.error?.detail.hasPrefix("MOVED") == true)
        #expect(cluster.answer(next) == nil, "it was sent to the node that the answer names")
        cluster.loop.advanceTime(by: .milliseconds(300))
        #expect(cluster.questions.count == 2, "one survey for all of them, beside the first")
    }

    @Test func askIsFollowedWithAskingAndTheMapStays() throws {
        let group = try Self.limits()
        let cluster = try ready()
        let call = cluster.decide([Question(group: group, tenant: Self.low)])[0]
        let command = try cluster.writes(1)[0][0]
        try cluster.reply(1, "-ASK \(Self.slot) n:2\r\n")
        #expect(try cluster.writes(2) == [[["ASKING"], command]])
        try cluster.reply(2, "+OK\r\n" + EmbeddedStore.passed(group))
        #expect(cluster.answer(call)?.isAllowed == true)
        cluster.decide([Question(group: group, tenant: Self.low)])
        #expect(try cluster.writes(1).count == 1)
    }

    @Test func tryAgainIsRepeatedTwiceWithinTheDeadline() throws {
        let group = try Self.limits()
        let cluster = try ready()
        let call = cluster.decide([Question(group: group, tenant: Self.low)])[0]
        for _ in 0..<3 {
            #expect(cluster.answer(call) == nil)
            #expect(try cluster.writes(1).count == 1)
            try cluster.reply(1, "-TRYAGAIN Multiple keys request during rehashing of slot\r\n")
            cluster.loop.advanceTime(by: .milliseconds(2))
        }
        #expect(cluster.answer(call)?.error?.code == .refused)
        #expect(try cluster.writes(1).isEmpty)

        let late = cluster.decide([Question(group: group, tenant: Self.low)])[0]
        cluster.loop.advanceTime(by: .milliseconds(19))
        _ = try cluster.writes(1)
        try cluster.reply(1, "-TRYAGAIN Multiple keys request during rehashing of slot\r\n")
        #expect(cluster.answer(late)?.error != nil, "no time is left")
    }

    @Test func aClusterThatIsDownIsNotAskedAgainAtOnce() throws {
        let group = try Self.limits()
        let cluster = try ready()
        let call = cluster.decide([Question(group: group, tenant: Self.low)])[0]
        _ = try cluster.writes(1)
        try cluster.reply(1, "-CLUSTERDOWN Hash slot not served\r\n")
        #expect(cluster.answer(call)?.error?.code == .refused)
        #expect(try cluster.writes(1).isEmpty && cluster.writes(2).isEmpty)
        cluster.loop.advanceTime(by: .milliseconds(150))
        #expect(cluster.questions.count == 2, "but the map is asked for")
    }

    @Test func aForgottenScriptMayBeSentWhereASlotIsOnItsWay() throws {
        let group = try Self.limits()
        let cluster = try ready()
        let call = cluster.decide([Question(group: group, tenant: Self.low)])[0]
        try cluster.reply(1, "-ASK \(Self.slot) n:2\r\n")
        _ = try cluster.writes(2)
        try cluster.reply(2, "+OK\r\n-NOSCRIPT No matching script.\r\n")
        #expect(try cluster.writes(2)[0].map { $0[0] } == ["ASKING", "EVAL"])
        try cluster.reply(2, "+OK\r\n" + EmbeddedStore.passed(group))
        #expect(cluster.answer(call)?.isAllowed == true)
    }

    @Test func aNodeThatFailsIsLeftAloneUntilThreeProbesPassAndTheOtherGoesOn() throws {
        let group = try Self.limits()
        let cluster = try ready()
        for _ in 0..<5 {
            let call = cluster.decide([Question(group: group, tenant: Self.low)])[0]
            _ = try cluster.writes(1)
            try cluster.reply(1, "-BUSY Redis is busy running a script.\r\n")
            #expect(cluster.answer(call)?.error?.code == .refused)
        }
        let left = cluster.decide([Question(group: group, tenant: Self.low)])[0]
        #expect(cluster.answer(left)?.error?.code == .disconnected)
        #expect(try cluster.writes(1).isEmpty)
        let other = cluster.decide([Question(group: group, tenant: Self.high)])[0]
        try cluster.reply(2, EmbeddedStore.passed(group))
        #expect(cluster.answer(other)?.isAllowed == true)

        var probes = 0
        for _ in 0..<20 where probes < 3 {
            cluster.loop.advanceTime(by: .milliseconds(50))
            for command in try cluster.writes(1).joined() {
                #expect(command.first == "SET" && command.suffix(2) == ["PX", "1000"])
                let slot = Array(command[1].utf8).withUnsafeBytes { SlotMap.slot(of: $0) }
                #expect(slot < 8192, "a key of this node's")
                probes += 1
                try cluster.reply(1, "+OK\r\n")
            }
        }
        #expect(probes == 3)
        cluster.decide([Question(group: group, tenant: Self.low)])
        #expect(try cluster.writes(1).count == 1)
    }

    @Test func theFleetIsAsLastSeenWhileTheNodeOfItsListIsAway() throws {
        let cluster = try ready()
        let home = SharedFormat.fleetKey.withUnsafeBytes { SlotMap.slot(of: $0) } < 8192 ? 1 : 2
        var views: [Result<FleetView, StoreError>] = []
        cluster.store.heartbeat(of: ReplicaID(1)) { views.append($0) }
        cluster.loop.run()
        try cluster.reply(home, "*5\r\n:1767225723456789\r\n:3\r\n:1\r\n:4\r\n:9\r\n")
        cluster.channels[home]?.close(promise: nil)
        cluster.loop.run()
        cluster.recorder.storeTime = 1_767_225_729_000_000
        cluster.store.heartbeat(of: ReplicaID(1)) { views.append($0) }
        #expect(try views.last?.get() == FleetView(now: 1_767_225_729_000_000, alive: 3, rank: 1, peak: 4, birth: 9))
        cluster.channels[3 - home]?.close(promise: nil)
        cluster.loop.run()
        cluster.store.heartbeat(of: ReplicaID(1)) { views.append($0) }
        guard case .failure? = views.last else {
            Issue.record("nobody is there")
            return
        }
    }

    @Test func beforeTheMapIsKnownCallsFailAtOnce() throws {
        let cluster = try EmbeddedCluster()
        let call = cluster.decide([Question(group: try Self.limits())])[0]
        #expect(cluster.answer(call)?.error?.code == .disconnected)
        #expect(cluster.questions.map(\.port) == [1])
        cluster.loop.advanceTime(by: .milliseconds(500))
        #expect(cluster.questions.map(\.port) == [1, 2], "the first did not answer")
    }

    @Test func afterTheEndCallsAreToldSo() throws {
        let group = try Self.limits()
        let cluster = try ready()
        let waiting = cluster.decide([Question(group: group, tenant: Self.low)])[0]
        _ = cluster.store.shutdown()
        let late = cluster.decide([Question(group: group, tenant: Self.low)])[0]
        #expect([waiting, late].map { cluster.answer($0)?.error?.code } == [.shutdown, .shutdown])
    }
}
