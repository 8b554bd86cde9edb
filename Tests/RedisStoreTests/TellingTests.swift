import LimiterCore
import Testing
import TestSupport

@testable import RedisStore

/// What replicas spent while they were cut off reaches its counters once.
@Suite struct TellingTests {
    private static let hour: Int64 = 3_600_000_000
    private static let start: Int64 = 490_896 * hour + 1_000_000
    private static let nothing = CounterState(position: -1, count: 0, rest: 0)
    private static let replica = ReplicaID(0xabc)

    /// One counter, and calls that tell of it.
    private final class Teller {
        let client: StoreClient
        let group: LimitGroup
        let first: Answer
        private var sequence: Int64 = 0

        /// Charges `cost` to the group's first limit by a decision.
        init(_ client: StoreClient, _ group: LimitGroup, cost: Int64) async throws {
            self.client = client
            self.group = group
            try await client.setClock(TellingTests.start)
            first = try await client.decide(Question(group: group, costs: [cost]))
        }

        var window: Int64 { first.states[0].position }

        /// Answers the state afterwards. `again`: the very same call as before, which may have been answered or not.
        func tell(
            _ position: Int64, total: Int64, settled: Int64 = 0, previousTotal: Int64 = 0, previousSettled: Int64 = 0,
            carried: CounterState = TellingTests.nothing, by replica: ReplicaID = TellingTests.replica,
            again: Bool = false
        ) async throws -> CounterState {
            sequence += again ? 0 : 1
            let request = LeaseRequest(
                key: Array(first.keys[0].utf8), rule: group.limits[0].rule, carried: carried, position: position,
                total: total, settled: settled, previousTotal: previousTotal, previousSettled: previousSettled,
                sequence: sequence)
            return try await client.lease([request], of: replica).get().entries[0].state
        }
    }

    @Test func tellingAgainChangesNothing() async throws {
        let group = try DeclaredLimits(.window("global", "100/h")).group
        try await withStore { server, client in
            let teller = try await Teller(client, group, cost: 10)
            for again in [false, true, false, false] {
                let state = try await teller.tell(teller.window, total: 7, again: again)
                #expect(state == CounterState(position: teller.window, count: 17, rest: 0))
            }
            // The total grew; of the old one a part is known to be settled.
            #expect(try await teller.tell(teller.window, total: 9, settled: 5).count == 19)
            #expect(try await teller.tell(teller.window, total: 2, by: ReplicaID(1)).count == 21)
            let life = try RawConnection(port: server.port).timeToLive(teller.first.keys[0] + ":m")
            #expect(life >= 7_190_000)
        }
    }

    @Test func whatIsKnownToBeSettledIsNotAddedAgainWhereTheLedgerWasLost() async throws {
        let group = try DeclaredLimits(.window("global", "100/h")).group
        try await withStore { server, client in
            let teller = try await Teller(client, group, cost: 10)
            let before = try await teller.tell(teller.window, total: 7)
            try server.cli(["FLUSHALL"])
            let after = try await teller.tell(teller.window, total: 8, settled: 7, carried: before)
            #expect(after.count == 18)
        }
    }

    @Test func anEndedWindowGoesToTheRestAndAnOlderOneNowhere() async throws {
        let group = try DeclaredLimits(.window("global", "100/h")).group
        try await withStore { _, client in
            let teller = try await Teller(client, group, cost: 10)
            let window = teller.window
            _ = try await teller.tell(window, total: 5)

            try await client.setClock(Self.start + Self.hour)
            let next = try await teller.tell(window, total: 8)
            #expect(next == CounterState(position: window + 1, count: 0, rest: 18))
            let moved = try await teller.tell(window + 1, total: 4, previousTotal: 9, previousSettled: 8)
            #expect(moved == CounterState(position: window + 1, count: 4, rest: 19))
            let again = try await teller.tell(window + 1, total: 4, previousTotal: 9, previousSettled: 8)
            #expect(again == moved)

            try await client.setClock(Self.start + 3 * Self.hour)
            let dropped = try await teller.tell(window + 1, total: 90)
            #expect(dropped == CounterState(position: window + 3, count: 0, rest: 0))
        }
    }

    @Test func aBucketOwesAtMostItsBurst() async throws {
        let group = try DeclaredLimits(.bucket("pay", "10/h", burst: 20)).group
        try await withStore { _, client in
            let teller = try await Teller(client, group, cost: 5)
            #expect(try await teller.tell(1, total: 18).count == -3)
            let denied = try await client.decide(Question(group: group, costs: [1]))
            #expect(!denied.isAllowed)
            #expect(denied.states[0].count == -3)
            // Four tokens of one every six minutes are missing.
            #expect(denied.decision.retryAfterMicroseconds == Int64(4 * 360_000_000))
            let merged = try await teller.tell(1, total: 500)
            #expect(merged.count == -20)
            #expect(try await teller.tell(1, total: 500) == merged)
        }
    }

    @Test func totalsOfABucketThatBeginAnewAreNotMeasuredByTheOldOnes() async throws {
        let group = try DeclaredLimits(.bucket("pay", "10/h", burst: 100)).group
        try await withStore { _, client in
            let teller = try await Teller(client, group, cost: 5)
            #expect(try await teller.tell(1, total: 30).count == 65)
            #expect(try await teller.tell(7, total: 4).count == 61)
        }
    }

    @Test func tellingRemindsRedisOfWhatItForgot() async throws {
        let group = try DeclaredLimits(.window("global", "100/h")).group
        try await withStore { server, client in
            let teller = try await Teller(client, group, cost: 10)
            try server.cli(["FLUSHALL"])
            let state = try await teller.tell(teller.window, total: 3, carried: teller.first.states[0])
            #expect(state.count == 13)
        }
    }

    @Test func recordsOfEndedProcessesAreForgotten() async throws {
        let group = try DeclaredLimits(.window("global", "1000/h")).group
        try await withStore { server, client in
            let teller = try await Teller(client, group, cost: 1)
            for hours in 0..<3 {
                try await client.setClock(Self.start + Int64(hours) * 4 * Self.hour)
                for number in 0..<40 {
                    _ = try await teller.tell(
                        teller.window + Int64(hours) * 4, total: 1, by: ReplicaID(UInt64(hours * 100 + number)))
                }
                let redis = try RawConnection(port: server.port)
                guard case .integer(let records) = redis.command(["HLEN", teller.first.keys[0] + ":m"]) else {
                    Issue.record("no ledger")
                    return
                }
                #expect(records <= 81)
            }
        }
    }
}
