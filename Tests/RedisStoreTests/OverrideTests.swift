import LimiterCore
import Logging
import NIOCore
import Synchronization
import Testing
import TestSupport
import WeirConfiguration

@testable import RedisStore

/// One replica's overrides over a real Redis.
private final class Replica: Sendable {
    let client: StoreClient
    let board: OverrideBoard
    let overrides: RedisOverrides
    /// Added to this machine's clock to make Redis's, in microseconds.
    let shift: Shift

    final class Shift: Sendable { let value = Mutex<Int64>(0) }

    init(_ client: StoreClient) async throws {
        self.client = client
        let board = OverrideBoard(try DeclaredLimits(.window("global", "100/h"), .bucket("pay", "10/h")).table)
        self.board = board
        let shift = Shift()
        self.shift = shift
        let loop = client.loop
        overrides = try await client.onLoop { store, _ in
            let overrides = store.makeOverrides(
                on: loop, board: board, storeTime: { MachineTime().nowMicroseconds + shift.value.withLock { $0 } },
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
            overrides.start()
            return overrides
        }
        try await eventually("overrides are known") { await self.overrides.areKnown() }
    }

    func startAgain() async throws {
        let overrides = overrides
        try await client.onLoop { _, _ in overrides.start() }
    }

    func stop() async throws {
        await overrides.stop()
        try await client.shutdown()
    }

    var rates: [String] { board.overrides.list.map { "\($0.subject.tenant) \($0.rate)" } }
}

private func override(
    _ tenant: String, _ rate: String, service: String? = nil, expires: Int64? = nil
) throws -> LimitOverride {
    LimitOverride(
        .init(tenant: tenant, limit: "global", service: service), rate: try Rate(parsing: rate),
        expiresAtMicroseconds: expires, author: .init(reason: "why", client: "10.0.0.1"))
}

/// Runs `body` with replicas over one Redis.
private func withReplicas(
    _ count: Int, _ body: (RedisServer, [Replica]) async throws -> Void
) async throws {
    let server = try await RedisServer.start()
    defer { server.stop() }
    var replicas: [Replica] = []
    for _ in 0..<count { replicas.append(try await Replica(StoreClient.connected(to: server))) }
    do {
        try await body(server, replicas)
    } catch {
        for replica in replicas { try await replica.stop() }
        throw error
    }
    for replica in replicas { try await replica.stop() }
}

@Suite struct OverrideTests {
    @Test func aChangeIsInForceHereAtOnceAndElsewhereWithinASecond() async throws {
        try await withReplicas(3) { _, replicas in
            #expect(try await replicas[0].overrides.set(override("acme", "5/h")) == nil)
            #expect(replicas[0].rates == ["acme 5/3600s"] || replicas[0].rates == ["acme 5/hour"])
            try await eventually("it is in force") { replicas.allSatisfy { $0.rates.count == 1 } }
            // Of some changes one at least meets no standstill of the machine.
            var (isPrompt, last) = (false, 0)
            for count in 7..<17 where !isPrompt {
                last = count
                _ = try await replicas[0].overrides.set(override("acme", "\(count)/h"))
                let set = ContinuousClock.now
                try await eventually { replicas.allSatisfy { $0.rates == ["acme \(count)/hour"] } }
                isPrompt = ContinuousClock.now - set < .seconds(1)
            }
            #expect(isPrompt)
            let before = try await replicas[1].overrides.set(override("acme", "6/h"))
            #expect(before?.rate.count == Int64(last) && before?.author.reason == "why")
            #expect(
                try await replicas[2].overrides.remove(override("acme", "1/h").subject, by: .init())?.rate.count == 6)
            for replica in replicas {
                try await eventually("it is removed") { replica.rates.isEmpty }
            }
            #expect(try await replicas[0].overrides.remove(override("acme", "1/h").subject, by: .init()) == nil)
        }
    }

    @Test func theRecordSaysWhatWasAndIsWhenAndByWhom() async throws {
        try await withReplicas(1) { _, replicas in
            let overrides = replicas[0].overrides
            _ = try await overrides.set(override("acme", "5/h"))
            _ = try await overrides.set(override("globex", "7/h", service: "api"))
            _ = try await overrides.set(override("acme", "6/h"))
            _ = try await overrides.remove(override("acme", "6/h").subject, by: .init(reason: "done"))
            let all = try await overrides.records(of: nil, most: 10)
            #expect(all.map(\.action) == [.removed, .set, .set, .set])
            #expect(all[0].before?.rate.count == 6 && all[0].after == nil && all[0].author.reason == "done")
            #expect(all[1].before?.rate.count == 5 && all[1].after?.rate.count == 6)
            #expect(all[1].author == .init(reason: "why", client: "10.0.0.1"))
            #expect(zip(all, all.dropFirst()).allSatisfy { $0.atMicroseconds >= $1.atMicroseconds })
            #expect(abs(all[0].atMicroseconds - MachineTime().nowMicroseconds) < 60_000_000)
            #expect(try await overrides.records(of: "globex", most: 10).map(\.subject.service) == ["api"])
            #expect(try await overrides.records(of: nil, most: 2).count == 2)
        }
    }

    @Test func recordsAndOverridesAreBounded() async throws {
        try await withReplicas(1) { server, replicas in
            // As many as there can be, put there at once.
            let fill = "for i = 1, tonumber(ARGV[1]) do redis.call('HSET', KEYS[1], 'f' .. i, 'x') end"
            try server.cli(["EVAL", fill, "1", OverrideFormat.valuesKey, "\(LimitOverride.mostOverrides)"])
            let error = await #expect(throws: OverrideError.self) {
                try await replicas[0].overrides.set(override("acme", "5/h"))
            }
            #expect(error?.code == .full)
            try server.cli(["DEL", OverrideFormat.valuesKey])
            let records = "for i = 1, 1500 do redis.call('ZADD', KEYS[1], -i, 'r' .. i) end"
            try server.cli(["EVAL", records, "1", OverrideFormat.auditKey])
            for _ in 0..<3 { _ = try await replicas[0].overrides.set(override("acme", "5/h")) }
            #expect(try Int(server.cli(["ZCARD", OverrideFormat.auditKey])) ?? .max <= OverrideRecord.mostRecords + 3)
        }
    }

    @Test func redisTimeSaysWhetherAnOverrideHasEnded() async throws {
        try await withReplicas(2) { server, replicas in
            let now = MachineTime().nowMicroseconds
            let error = await #expect(throws: OverrideError.self) {
                try await replicas[0].overrides.set(override("acme", "5/h", expires: now - 1))
            }
            #expect(error?.code == .past)
            // Redis comes to that moment when this machine does; what the replicas take for Redis's time comes an hour earlier.
            _ = try await replicas[0].overrides.set(override("acme", "5/h", expires: now + 3_600_000_000))
            _ = try await replicas[0].overrides.set(override("globex", "6/h"))
            try await eventually("both are in force") { replicas[1].rates.count == 2 }
            replicas[1].shift.value.withLock { $0 = 3_600_000_000 }
            try await eventually("it has ended there") { replicas[1].rates == ["globex 6/hour"] }
            #expect(replicas[0].rates.count == 2)
            #expect(try server.cli(["HLEN", OverrideFormat.valuesKey]) == "2", "Redis goes by its own clock")
        }
    }

    @Test func whatHasEndedIsRemovedOnceWithARecord() async throws {
        try await withReplicas(3) { server, replicas in
            let end = MachineTime().nowMicroseconds + 3_000_000
            _ = try await replicas[0].overrides.set(override("acme", "5/h", expires: end))
            try await eventually(within: .seconds(20), "Redis has it no longer") {
                try server.cli(["HLEN", OverrideFormat.valuesKey]) == "0"
            }
            #expect(MachineTime().nowMicroseconds >= end)
            for replica in replicas {
                try await eventually("it is not in force") { replica.rates.isEmpty }
            }
            let records = try await replicas[0].overrides.records(of: nil, most: 10)
            #expect(records.map(\.action) == [.expired, .set])
        }
    }

    /// Redis may be away at that moment, or there are more than are asked for at a time, or its clock is not there yet.
    @Test func whatHasEndedUnheardIsRemovedLater() async throws {
        try await withReplicas(1) { server, replicas in
            let overrides = replicas[0].overrides
            let end = MachineTime().nowMicroseconds + 6_000_000
            for tenant in ["a", "b", "c"] { _ = try await overrides.set(override(tenant, "5/h", expires: end)) }
            replicas[0].shift.value.withLock { $0 = 60_000_000 }
            try await eventually("they are not in force") { replicas[0].rates.isEmpty }
            #expect(try server.cli(["HLEN", OverrideFormat.valuesKey]) == "3")
            #expect(MachineTime().nowMicroseconds < end, "Redis's clock was not there yet")
            try await eventually(within: .seconds(20), "Redis has them no longer") {
                try server.cli(["HLEN", OverrideFormat.valuesKey]) == "0"
            }
        }
    }

    @Test func aRedisThatLostItsMemoryGetsTheOverridesBack() async throws {
        try await withReplicas(2) { server, replicas in
            _ = try await replicas[0].overrides.set(override("acme", "5/h"))
            _ = try await replicas[0].overrides.set(override("globex", "6/h"))
            try await eventually("both know") { replicas[1].rates.count == 2 }
            server.kill()
            await #expect(throws: OverrideError.self) { try await replicas[0].overrides.set(override("acme", "9/h")) }
            #expect(replicas.allSatisfy { $0.rates.count == 2 }, "what was last known stays in force")
            try await server.restart()
            try await eventually("Redis has them again") { try server.cli(["HLEN", OverrideFormat.valuesKey]) == "2" }
            // One may be back before the other.
            for replica in replicas { try await replica.client.becomesReady() }
            #expect(replicas.allSatisfy { $0.rates.count == 2 })
            let records = try await replicas[0].overrides.records(of: nil, most: 10)
            #expect(records.count == 2 && records.allSatisfy { $0.action == .restored })
            try await eventually("changes go on") {
                (try? await replicas[1].overrides.set(override("acme", "7/h"))) != nil
            }
            try await eventually("everywhere") {
                replicas[0].rates.contains { $0.hasPrefix("acme 7") }
            }
        }
    }

    /// A change that comes before the loss was noticed must not hide it.
    @Test func aChangeOnARedisThatLostItsMemoryRestoresItFirst() async throws {
        try await withReplicas(1) { server, replicas in
            _ = try await replicas[0].overrides.set(override("acme", "5/h"))
            for _ in 0..<5 {
                try server.cli(["FLUSHALL"])
                _ = try await replicas[0].overrides.set(override("globex", "6/h"))
                #expect(try server.cli(["HLEN", OverrideFormat.valuesKey]) == "2")
            }
        }
    }

    /// As after a failover to a replica that had not heard of the last changes.
    @Test func whatWasKnownToBeRemovedDoesNotComeBackAndWhatIsNewerStays() async throws {
        try await withReplicas(1) { server, replicas in
            let overrides = replicas[0].overrides
            _ = try await overrides.set(override("removed", "5/h"))
            let version = try server.cli(["GET", OverrideFormat.versionKey])
            let value = try server.cli([
                "HGET", OverrideFormat.valuesKey, OverrideFormat.field(override("removed", "1/h").subject),
            ])
            _ = try await overrides.set(override("kept", "6/h"))
            _ = try await overrides.remove(override("removed", "5/h").subject, by: .init())
            // The state after the first change, and what somebody who knew nothing set on it since.
            var newer = try override("newer", "7/h")
            newer.setAtMicroseconds = MachineTime().nowMicroseconds + 1_000_000
            try server.cli([
                "EVAL",
                "redis.call('DEL', KEYS[2]) redis.call('HSET', KEYS[2], ARGV[2], ARGV[3], ARGV[4], ARGV[5]) redis.call('SET', KEYS[1], ARGV[1])",
                "2", OverrideFormat.versionKey, OverrideFormat.valuesKey, version,
                OverrideFormat.field(override("removed", "1/h").subject), value,
                OverrideFormat.field(newer.subject), OverrideFormat.value(newer),
            ])
            try await eventually("all is as it should be") {
                replicas[0].rates.map { String($0.prefix { $0 != " " }) } == ["kept", "newer"]
            }
            #expect(try server.cli(["HLEN", OverrideFormat.valuesKey]) == "2")
        }
    }

    /// Who missed the last change may be the first to find everything lost.
    @Test(arguments: ["set", "removed"])
    func aRestorationDoesNotPassWhatOthersKnowBesides(lastChange: String) async throws {
        try await withReplicas(2) { server, replicas in
            let overrides = replicas[0].overrides
            for tenant in ["a", "b", "c", "d", "e"] { _ = try await overrides.set(override(tenant, "5/h")) }
            try await eventually("both know") { replicas[1].rates.count == 5 }
            for replica in replicas { await replica.overrides.stop() }
            let before = try #require(OverrideFormat.Version(server.cli(["GET", OverrideFormat.versionKey])))
            let known = replicas[1].board.overrides.list
            if lastChange == "set" {
                _ = try await overrides.set(override("f", "6/h"))
            } else {
                _ = try await overrides.remove(override("a", "5/h").subject, by: .init())
            }
            let rates = replicas[0].rates
            try server.cli(["FLUSHALL"])
            try server.cli(OverrideFormat.restore(known, of: before, number: before.number))
            #expect(try server.cli(["HLEN", OverrideFormat.valuesKey]) == "5")
            for replica in replicas { try await replica.startAgain() }
            for replica in replicas {
                try await eventually("the last change is in force again") { replica.rates == rates }
            }
            try await eventually("Redis has it") {
                try server.cli(["HLEN", OverrideFormat.valuesKey]) == "\(rates.count)"
            }
            // Nobody has anything left to bring back.
            let version = try server.cli(["GET", OverrideFormat.versionKey])
            _ = try await overrides.set(override("g", "7/h"))
            let later = try #require(OverrideFormat.Version(server.cli(["GET", OverrideFormat.versionKey])))
            #expect(OverrideFormat.Version(version)?.number == later.number - 1)
        }
    }

    /// Of a replica that made a change of its own, and had not read what others did just before.
    @Test func whoKnowsNotAllBringsBackItsOwnChangeBesideThoseOfOthers() async throws {
        try await withReplicas(1) { server, replicas in
            let overrides = replicas[0].overrides
            _ = try await overrides.set(override("first", "1/h"))
            let first = try #require(OverrideFormat.Version(server.cli(["GET", OverrideFormat.versionKey])))
            let before = replicas[0].board.overrides.list
            _ = try await overrides.remove(override("first", "1/h").subject, by: .init())
            _ = try await overrides.set(override("second", "2/h"))
            await overrides.stop()
            var third = try override("third", "3/h")
            third.setAtMicroseconds = MachineTime().nowMicroseconds
            try server.cli(["FLUSHALL"])
            let incomplete = OverrideFormat.restore(before + [third], of: first, number: 4)
            #expect(try OverrideFormat.Version(server.cli(incomplete))?.number == first.number)
            #expect(try server.cli(["HLEN", OverrideFormat.valuesKey]) == "2")
            try await replicas[0].startAgain()
            try await eventually("all changes are in force") { replicas[0].rates == ["second 2/hour", "third 3/hour"] }
            // The other way about: who knows more was first.
            try server.cli(["HDEL", OverrideFormat.valuesKey, OverrideFormat.field(third.subject)])
            #expect(try OverrideFormat.Version(server.cli(incomplete))?.number == 3)
            #expect(try server.cli(["HLEN", OverrideFormat.valuesKey]) == "2", "the third again, and not the first")
            try await eventually("it is in force") { replicas[0].rates == ["second 2/hour", "third 3/hour"] }
        }
    }

    @Test func aRedisWithoutMemoryIsReadAndGivesUpOverridesButTakesNone() async throws {
        try await withReplicas(1) { server, replicas in
            let overrides = replicas[0].overrides
            _ = try await overrides.set(override("acme", "5/h"))
            _ = try await overrides.set(override("globex", "6/h"))
            try server.cli(["CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory", "1"])
            let error = await #expect(throws: OverrideError.self) { try await overrides.set(override("acme", "7/h")) }
            #expect(error?.code == .refused && error?.detail.hasPrefix("OOM ") == true, "\(String(describing: error))")
            let late = try await Replica(StoreClient.connected(to: server))
            #expect(late.rates.count == 2, "who starts now reads them")
            _ = try await overrides.remove(override("acme", "5/h").subject, by: .init(reason: "room"))
            try await eventually("it is removed everywhere") {
                late.rates == ["globex 6/hour"] && replicas[0].rates == ["globex 6/hour"]
            }
            #expect(try await overrides.records(of: nil, most: 1).first?.author.reason == "room")
            try await late.stop()
        }
    }

    @Test func whatCannotBeReadIsLeftOut() async throws {
        try await withReplicas(2) { server, replicas in
            _ = try await replicas[0].overrides.set(override("acme", "5/h"))
            try server.cli(["HSET", OverrideFormat.valuesKey, "garbage", "garbage"])
            _ = try await replicas[0].overrides.set(override("globex", "6/h"))
            try await eventually("the others are in force") { replicas[1].rates.count == 2 }
        }
    }

    @Test func aReplicaThatStartsWithoutRedisPicksThemUpLater() async throws {
        let server = try await RedisServer.start()
        defer { server.stop() }
        let first = try await Replica(StoreClient.connected(to: server))
        _ = try await first.overrides.set(override("acme", "5/h"))
        server.pause()
        let client = try await StoreClient(port: server.port)
        let board = first.board
        let late = OverrideBoard(board.overrides.limits)
        let loop = client.loop
        let overrides = try await client.onLoop { store, _ in
            let overrides = store.makeOverrides(
                on: loop, board: late, storeTime: { MachineTime().nowMicroseconds },
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
            overrides.start()
            return overrides
        }
        #expect(await !overrides.areKnown() && late.overrides.isEmpty)
        server.resume()
        try await eventually("it knows") { late.overrides.list.count == 1 }
        await overrides.stop()
        try await client.shutdown()
        try await first.stop()
    }

    @Test func inAClusterTheyLieInOneSlot() async throws {
        let server = try await RedisServer.start(RedisServer.Options(isCluster: true))
        defer { server.stop() }
        let client = try await ClusterClient("redis+cluster://127.0.0.1:\(server.port)")
        try await client.becomesReady(1)
        let board = OverrideBoard(try DeclaredLimits(.window("global", "100/h")).table)
        let overrides = try await client.makeOverrides(board)
        try await eventually("overrides are known") { await overrides.areKnown() }
        _ = try await overrides.set(override("acme", "5/h"))
        #expect(board.overrides.list.count == 1)
        #expect(try await overrides.records(of: "acme", most: 5).count == 1)
        try server.cli(["FLUSHALL"])
        try await eventually("it is there again") { try server.cli(["HLEN", OverrideFormat.valuesKey]) == "1" }
        await overrides.stop()
        try await client.shutdown()
    }
}
