import Foundation
import LimiterCore
import Logging
import Testing
import TestSupport

@testable import RedisStore

/// The user that the README tells how to make.
@Suite struct AccessTests {
    /// The words of the line in the README, with this password.
    private static func line(_ password: String) throws -> [String] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("ACL SETUSER weir ") }
        try #require(lines.count == 1)
        return lines[0].replacing("PASSWORD", with: password).split(separator: " ").map(String.init)
    }

    @Test func theUserOfTheReadmeMayDoAllThatWeirDoes() async throws {
        let group = try DeclaredLimits(.window("global", "5/h"), .bucket("pay", "5/h")).group
        let server = try await RedisServer.start(RedisServer.Options(password: "right"))
        defer { server.stop() }
        #expect(try server.cli(Self.line("secret")) == "OK")
        let client = try await StoreClient(port: server.port, user: "weir", password: "secret")
        try await client.becomesReady()
        for operation in [LimitCall.Operation.decide, .peek, .reset, .decide] {
            let answer = try await client.decide(Question(group: group, operation: operation))
            #expect(answer.error == nil && answer.isAllowed, "\(operation)")
        }
        try server.cli(["SCRIPT", "FLUSH"])
        let answer = try await client.decide(Question(group: group))
        #expect(answer.isAllowed, "the text is sent where the name is forgotten")
        let request = LeaseRequest(
            key: Array(answer.keys[0].utf8), rule: group.limits[0].rule, position: answer.states[0].position, total: 1,
            sequence: 1)
        #expect(try await client.lease([request], of: ReplicaID(7)).get().entries[0].state.count == 3)
        let period = PeriodRequest(
            key: Array("weir:{acme}:monthly::cm".utf8), remembered: PeriodCounts(number: 1, units: [5]),
            lifeMilliseconds: 1000)
        #expect(try await client.periods([period]).get().counts == [period.remembered])
        #expect(try await client.heartbeat(of: ReplicaID(7)).get().alive == 1)
        try await client.leave(ReplicaID(7))

        let board = OverrideBoard(LimitTable(global: LimitScope(), services: []))
        let loop = client.loop
        let overrides = try await client.onLoop { store, _ in
            let overrides = store.makeOverrides(
                on: loop, board: board, storeTime: { MachineTime().nowMicroseconds }, logger: Logger(label: "test"))
            overrides.start()
            return overrides
        }
        try await eventually("overrides are known") { await overrides.areKnown() }
        let override = LimitOverride(.init(tenant: "a", limit: "b", service: nil), rate: try Rate(parsing: "1/s"))
        _ = try await overrides.set(override)
        try server.cli(["FLUSHALL"])
        try await eventually("they can be brought back") { try server.cli(["HLEN", OverrideFormat.valuesKey]) == "1" }
        _ = try await overrides.remove(override.subject, by: .init())
        #expect(try await overrides.records(of: nil, most: 5).map(\.action) == [.removed, .restored])
        await overrides.stop()
        try await client.shutdown()
    }

    @Test func inAClusterThatUserNeedsTwoCommandsMore() async throws {
        let group = try DeclaredLimits(.window("global", "5/h"), .bucket("pay", "5/h")).group
        let server = try await RedisServer.start(RedisServer.Options(isCluster: true))
        defer { server.stop() }
        #expect(try server.cli(Self.line("secret") + ["+cluster|slots", "+asking"]) == "OK")
        let client = try await ClusterClient("redis+cluster://weir:secret@127.0.0.1:\(server.port)")
        try await client.becomesReady(1)
        #expect(try await client.decide(Question(group: group)).isAllowed)
        #expect(try await client.heartbeat(of: ReplicaID(7)).get().alive == 1)
        let redis = try RawConnection(port: server.port)
        #expect(redis.command(["AUTH", "weir", "secret"]) == .text("OK"))
        #expect(redis.command(["ASKING"]) == .text("OK"))
        try await client.shutdown()
    }

    @Test(arguments: [
        "SET other 1", "GET weir:x", "FLUSHALL", "CONFIG GET maxmemory", "KEYS *", "CLIENT LIST", "SCRIPT FLUSH",
        "PUBLISH weir:x 1", "EVAL other",
    ])
    func andNothingElse(command: String) async throws {
        let server = try await RedisServer.start(RedisServer.Options(password: "right"))
        defer { server.stop() }
        try server.cli(Self.line("secret"))
        let redis = try RawConnection(port: server.port)
        #expect(redis.command(["AUTH", "weir", "secret"]) == .text("OK"))
        let words =
            command == "EVAL other"
            ? ["EVAL", "return redis.call('SET', KEYS[1], 1)", "1", "other"]
            : command.split(separator: " ").map(String.init)
        guard case .text(let answer) = redis.command(words) else {
            Issue.record("\(command) was not refused")
            return
        }
        #expect(answer.hasPrefix("NOPERM"), "\(answer)")
    }
}

@Suite struct EvictionTests {
    @Test(arguments: ["volatile-ttl", "volatile-random", "allkeys-random", "allkeys-lru", "allkeys-lfu"])
    func aPolicyThatLosesCountersInUseIsWarnedOf(policy: String) throws {
        let information = "# Memory\r\nmaxmemory:1048576\r\nmaxmemory_policy:\(policy)\r\n"
        let warning = try #require(Eviction(information)?.warning)
        #expect(warning.contains("maxmemory-policy \(policy)"))
        #expect(Eviction(information.replacing("1048576", with: "0"))?.warning == nil, "it never evicts")
    }

    @Test(arguments: ["noeviction", "volatile-lru", "volatile-lfu"])
    func othersAreNot(policy: String) throws {
        let eviction = try #require(Eviction("maxmemory:1048576\r\nmaxmemory_policy:\(policy)\r\n"))
        #expect(eviction.warning == nil)
    }

    @Test func aRealServersPolicyIsRead() async throws {
        let settings = [["maxmemory", "64mb"], ["maxmemory-policy", "allkeys-random"]]
        try await withStore(RedisServer.Options(settings: settings)) { _, client in
            let eviction = try await client.onLoop { store, _ -> Eviction? in
                if case .ready(let connection) = store.phase { connection.state.handshake.eviction } else { nil }
            }
            #expect(eviction?.policy == "allkeys-random")
            #expect(eviction?.maximumBytes == 64 << 20)
        }
    }
}
