import LimiterCore
import Testing
import TestSupport
import WeirConfiguration

@testable import RedisStore

/// One cluster for each test, of three primaries and three replicas.
@Suite(.serialized) struct ClusterTests {
    private static func limits(_ rate: String = "1000/w") throws -> LimitGroup {
        try DeclaredLimits(.window("global", rate), .bucket("pay", rate)).group
    }

    private func withCluster(_ body: (RedisCluster, ClusterClient) async throws -> Void) async throws {
        let cluster = try await RedisCluster.start()
        defer { cluster.stop() }
        let client = try await ClusterClient(cluster.url)
        do {
            try await client.becomesReady()
            try await body(cluster, client)
        } catch {
            try await client.shutdown()
            throw error
        }
        try await client.shutdown()
    }

    @Test func eachTenantIsDecidedWhereItsSlotIs() async throws {
        let group = try Self.limits("5/w")
        try await withCluster { cluster, client in
            #expect(try await client.ports() == Set(cluster.servers[..<3].map(\.port)))
            let tenants = (0..<60).map { "t\($0)" } + ["a{b}c", "}{", "{}", ""]
            for _ in 0..<5 {
                let answers = try await client.decide(tenants.map { Question(group: group, tenant: $0) })
                #expect(answers.allSatisfy { $0.isAllowed })
            }
            let answers = try await client.decide(tenants.map { Question(group: group, tenant: $0) })
            #expect(answers.allSatisfy { $0.error == nil && !$0.isAllowed })
            #expect(try cluster.servers[..<3].allSatisfy { try $0.cli(["DBSIZE"]) != "0" }, "all three have some")
            let request = LeaseRequest(
                key: Array(answers[0].keys[0].utf8), rule: group.limits[0].rule,
                position: answers[0].states[0].position, total: 1, sequence: 1)
            #expect(try await client.lease([request], of: ReplicaID(7)).get().entries[0].state.count == 6)
            #expect(try await client.heartbeat(of: ReplicaID(7)).get().alive == 1)
            let mixed = try DeclaredLimits(.window("global", "5/w"), .window("all", "5/w", per: [])).group
            #expect(try await client.decide(Question(group: mixed, tenant: "t0")).error?.code == .incompatible)
            let look = try await client.decide(Question(group: mixed, tenant: "t0", operation: .peek))
            #expect(look.error == nil && look.decision.verdicts.map(\.remaining) == [0, 5], "a look may be split")
        }
    }

    @Test func aSlotThatMovedIsFollowedOnceAndForAll() async throws {
        let group = try Self.limits()
        try await withCluster { cluster, client in
            let tenant = RedisCluster.tenants(1, in: 4000..<4001)[0]
            let slot = 4000
            let (source, target) = (cluster.servers[0], cluster.servers[1])
            #expect(try await client.decide(Question(group: group, tenant: tenant)).isAllowed)
            let before = try await client.onLoop { $0.map?.owner(of: slot)?.port }
            #expect(before == source.port)

            // Half way: the slot is still the source's, and its keys are on their way.
            let (from, to) = (try source.cli(["CLUSTER", "MYID"]), try target.cli(["CLUSTER", "MYID"]))
            try target.cli(["CLUSTER", "SETSLOT", "\(slot)", "IMPORTING", from])
            try source.cli(["CLUSTER", "SETSLOT", "\(slot)", "MIGRATING", to])
            let keys = try source.cli(["CLUSTER", "GETKEYSINSLOT", "\(slot)", "10"]).split(separator: "\n")
            try #require(keys.count == 2)
            func migrate(_ key: Substring) throws {
                let answer = try source.cli(["MIGRATE", "127.0.0.1", "\(target.port)", String(key), "0", "10000"])
                #expect(answer == "OK")
            }
            try migrate(keys[0])
            let between = try await client.decide(Question(group: group, tenant: tenant))
            #expect(between.error?.detail.hasPrefix("TRYAGAIN") == true, "one key is here, the other one there")

            try migrate(keys[1])
            let asked = try await client.decide(Question(group: group, tenant: tenant))
            #expect(asked.isAllowed && asked.states.map(\.count) == [2, 998])
            #expect(
                try await client.onLoop { $0.map?.owner(of: slot)?.port } == source.port, "ASK leaves the map alone")

            for server in cluster.servers[..<3] { try server.cli(["CLUSTER", "SETSLOT", "\(slot)", "NODE", to]) }
            let moved = try await client.decide(Question(group: group, tenant: tenant))
            #expect(moved.isAllowed && moved.states[0].count == 3)
            #expect(try await client.onLoop { $0.map?.owner(of: slot)?.port } == target.port)
        }
    }

    @Test func whereAPrimaryDiesTheOthersGoOnAndItsReplicaTakesOver() async throws {
        let group = try Self.limits()
        try await withCluster { cluster, client in
            let tenants = [0..<5461, 5461..<10_923, 10_923..<16_384].map { RedisCluster.tenants(1, in: $0)[0] }
            for tenant in tenants { #expect(try await client.decide(Question(group: group, tenant: tenant)).isAllowed) }
            let fleet = Array("{~fleet}".utf8).withUnsafeBytes { SlotMap.slot(of: $0) }
            let victim = fleet / 5461
            #expect(try await client.heartbeat(of: ReplicaID(1)).get().alive == 1)

            cluster.servers[victim].kill()
            try await eventually("the loss") {
                try await client.decide(Question(group: group, tenant: tenants[victim])).error != nil
            }
            for index in 0..<3 where index != victim {
                #expect(try await client.decide(Question(group: group, tenant: tenants[index])).isAllowed)
            }
            try await eventually(within: .seconds(20), "the replica decides") {
                try await client.decide(Question(group: group, tenant: tenants[victim])).isAllowed
            }
            #expect(try await client.ports().contains(cluster.servers[victim + 3].port))
            try await eventually("the fleet's list") {
                if case .success = try await client.heartbeat(of: ReplicaID(1)) { true } else { false }
            }
        }
    }

    @Test func replicasThatAreLostChangeNothing() async throws {
        let group = try Self.limits()
        try await withCluster { cluster, client in
            for replica in cluster.servers[3...] { replica.kill() }
            let answers = try await client.decide((0..<50).map { Question(group: group, tenant: "t\($0)") })
            #expect(answers.allSatisfy { $0.isAllowed })
        }
    }

    @Test func aServerThatIsNoClusterIsToldSo() async throws {
        let server = try await RedisServer.start()
        defer { server.stop() }
        let client = try await ClusterClient("redis+cluster://127.0.0.1:\(server.port)")
        try await eventually("the reason") {
            try await client.onLoop { $0.surveyFailure?.detail.contains("cluster support disabled") == true }
        }
        let answer = try await client.decide(Question(group: try Self.limits()))
        #expect(answer.error?.code == .disconnected)
        try await client.shutdown()
    }
}
