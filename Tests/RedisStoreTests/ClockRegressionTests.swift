import LimiterCore
import TestSupport
import Testing

@testable import RedisStore
@testable import Telemetry

/// Redis's clock cannot be set back here, so what the replica saw of it lies ahead instead.
@Suite struct ClockRegressionTests {
    private static let hour: Int64 = 3_600_000_000

    private static func redisTime(_ server: RedisServer) throws -> Int64 {
        let words = try server.cli(["TIME"]).split(separator: "\n").compactMap { Int64($0) }
        return words[0] * 1_000_000 + words[1]
    }

    private static func show(_ time: Int64?, to client: StoreClient) async throws {
        try await client.onLoop { _, recorder in recorder.storeTime = time }
    }

    private static func regressions(_ client: StoreClient) -> Int { client.metrics.store.value(.clockRegressions) }

    @Test func whereTheClockWentBackTimeGoesOn() async throws {
        let group = try DeclaredLimits(.window("w", "10/second"), .bucket("b", "10/second")).group
        try await withStore { server, client in
            let time = try Self.redisTime(server) + Self.hour
            try await Self.show(time, to: client)
            let answer = try await client.decide(Question(group: group, costs: [10, 10]))
            #expect(answer.now == time)
            #expect(answer.isAllowed)
            #expect(try await !client.decide(Question(group: group)).isAllowed)
            // Frozen at the hour that it was, the counters would have nothing left for an hour.
            try await Self.show(time + 2_000_000, to: client)
            #expect(try await client.decide(Question(group: group, costs: [10, 10])).isAllowed)
            #expect(Self.regressions(client) == 3)
        }
    }

    @Test func aSecondOfDifferenceIsNoRegression() async throws {
        let group = try DeclaredLimits(.window("w", "10/hour")).group
        try await withStore { server, client in
            for time in [try Self.redisTime(server) + 500_000, try Self.redisTime(server) - Self.hour, nil] {
                try await Self.show(time, to: client)
                let before = try Self.redisTime(server)
                let answer = try await client.decide(Question(group: group))
                #expect((before...(try Self.redisTime(server))).contains(answer.now))
            }
            #expect(Self.regressions(client) == 0)
        }
    }

    @Test func leasesGoByTheSameTime() async throws {
        let limits = try DeclaredLimits(.window("w", "10/hour"))
        try await withStore { server, client in
            let time = try Self.redisTime(server) + Self.hour
            try await Self.show(time, to: client)
            let answer = try await client.decide(Question(group: limits.group))
            let request = LeaseRequest(
                key: Array(answer.keys[0].utf8), rule: limits.group.limits[0].rule, position: time / Self.hour,
                total: 4, sequence: 1)
            let told = try await client.lease([request], of: ReplicaID(1)).get()
            #expect(told.now == time)
            #expect(told.entries[0].state.count == 5)
        }
    }

    /// Else those who know of the earlier clock and those who do not would take each other for gone.
    @Test func whoIsAliveIsNotedAtRedisOwnTime() async throws {
        try await withStore { server, client in
            let time = try Self.redisTime(server) + Self.hour
            try await Self.show(time, to: client)
            #expect(try await client.heartbeat(of: ReplicaID(1)).get().now == time)
            try await Self.show(nil, to: client)
            #expect(try await client.heartbeat(of: ReplicaID(2)).get().alive == 2)
            try await Self.show(time, to: client)
            #expect(try await client.heartbeat(of: ReplicaID(1)).get().alive == 2)
            #expect(Self.regressions(client) == 2)
        }
    }
}
