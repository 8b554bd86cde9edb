import LimiterCore
import Testing
import TestSupport

@testable import RedisStore

@Suite struct MergeTests {
    private static let hour: Int64 = 3_600_000_000
    private static let start: Int64 = 490_896 * hour + 1_000_000
    private static let nothing = CounterState(position: -1, count: 0, rest: 0)
    private static let replica = ReplicaID(0xabc)

    static func spending(
        _ answer: Answer, _ group: LimitGroup, position: Int64, total: Int64, settled: Int64 = 0,
        previousTotal: Int64 = 0, previousSettled: Int64 = 0, replica: ReplicaID = replica,
        carried: CounterState = nothing
    ) -> Spending {
        Spending(
            replica: replica, key: Array(answer.keys[0].utf8), rule: group.limits[0].rule, carried: carried,
            position: position, total: total, settled: settled, previousTotal: previousTotal,
            previousSettled: previousSettled)
    }

    @Test func sendingASpendingAgainChangesNothing() async throws {
        let group = try DeclaredLimits(.window("global", "100/h")).group
        try await withStore { server, client in
            try await client.setClock(Self.start)
            let answer = try await client.decide(Question(group: group, costs: [10]))
            let window = answer.states[0].position
            for _ in 0..<3 {
                let merged = try await client.merge(Self.spending(answer, group, position: window, total: 7)).get()
                #expect(
                    merged == SharedSnapshot(now: Self.start, state: CounterState(position: window, count: 17, rest: 0))
                )
            }
            // The total grew; of the old one a part is known to be settled.
            let more = try await client.merge(Self.spending(answer, group, position: window, total: 9, settled: 5))
                .get()
            #expect(more.state.count == 19)
            let other = try await client.merge(
                Self.spending(answer, group, position: window, total: 2, replica: ReplicaID(1))
            ).get()
            #expect(other.state.count == 21)
            let life = try RawConnection(port: server.port).timeToLive(answer.keys[0] + ":m")
            #expect(life >= 3_590_000)
        }
    }

    @Test func whatIsKnownToBeSettledIsNotAddedAgainWhereTheRecordWasLost() async throws {
        let group = try DeclaredLimits(.window("global", "100/h")).group
        try await withStore { server, client in
            try await client.setClock(Self.start)
            let answer = try await client.decide(Question(group: group, costs: [10]))
            let window = answer.states[0].position
            let before = try await client.merge(Self.spending(answer, group, position: window, total: 7)).get()
            try server.cli(["FLUSHALL"])
            let after = try await client.merge(
                Self.spending(answer, group, position: window, total: 8, settled: 7, carried: before.state)
            ).get()
            #expect(after.state.count == 18)
        }
    }

    @Test func anEndedWindowGoesToTheRestAndAnOlderOneNowhere() async throws {
        let group = try DeclaredLimits(.window("global", "100/h")).group
        try await withStore { _, client in
            try await client.setClock(Self.start)
            let answer = try await client.decide(Question(group: group, costs: [10]))
            let window = answer.states[0].position
            _ = try await client.merge(Self.spending(answer, group, position: window, total: 5)).get()

            try await client.setClock(Self.start + Self.hour)
            let next = try await client.merge(Self.spending(answer, group, position: window, total: 8)).get()
            #expect(next.state == CounterState(position: window + 1, count: 0, rest: 18))
            let moved = try await client.merge(
                Self.spending(answer, group, position: window + 1, total: 4, previousTotal: 9, previousSettled: 8)
            ).get()
            #expect(moved.state == CounterState(position: window + 1, count: 4, rest: 19))
            // A copy of an older message, on its way for long.
            let late = try await client.merge(Self.spending(answer, group, position: window, total: 8)).get()
            #expect(late.state == moved.state)
            let again = try await client.merge(
                Self.spending(answer, group, position: window + 1, total: 4, previousTotal: 9, previousSettled: 8)
            ).get()
            #expect(again.state == moved.state)

            try await client.setClock(Self.start + 3 * Self.hour)
            let dropped = try await client.merge(Self.spending(answer, group, position: window + 1, total: 90)).get()
            #expect(dropped.state == CounterState(position: window + 3, count: 0, rest: 0))
        }
    }

    @Test func aBucketOwesAtMostItsBurst() async throws {
        let group = try DeclaredLimits(.bucket("pay", "10/h", burst: 20)).group
        try await withStore { _, client in
            try await client.setClock(Self.start)
            let answer = try await client.decide(Question(group: group, costs: [5]))
            var merged = try await client.merge(Self.spending(answer, group, position: 0, total: 18)).get()
            #expect(merged.state.count == -3)
            let denied = try await client.decide(Question(group: group, costs: [1]))
            #expect(!denied.isAllowed)
            #expect(denied.states[0].count == -3)
            // Four tokens of one every six minutes are missing.
            #expect(denied.decision.retryAfterMicroseconds == Int64(4 * 360_000_000))
            merged = try await client.merge(Self.spending(answer, group, position: 0, total: 500)).get()
            #expect(merged.state.count == -20)
            #expect(try await client.merge(Self.spending(answer, group, position: 0, total: 500)).get() == merged)
        }
    }

    @Test func aMergeTellsRedisWhatItForgot() async throws {
        let group = try DeclaredLimits(.window("global", "100/h")).group
        try await withStore { server, client in
            try await client.setClock(Self.start)
            let answer = try await client.decide(Question(group: group, costs: [10]))
            try server.cli(["FLUSHALL"])
            let merged = try await client.merge(
                Self.spending(
                    answer, group, position: answer.states[0].position, total: 3, carried: answer.states[0])
            ).get()
            #expect(merged.state.count == 13)
        }
    }

    @Test func recordsOfEndedProcessesAreForgotten() async throws {
        let group = try DeclaredLimits(.window("global", "1000/h")).group
        try await withStore { server, client in
            for hours in 0..<3 {
                try await client.setClock(Self.start + Int64(hours) * 4 * Self.hour)
                let answer = try await client.decide(Question(group: group))
                for number in 0..<40 {
                    _ = try await client.merge(
                        Self.spending(
                            answer, group, position: answer.states[0].position, total: 1,
                            replica: ReplicaID(UInt64(hours * 100 + number)))
                    ).get()
                }
                let redis = try RawConnection(port: server.port)
                guard case .integer(let records) = redis.command(["HLEN", answer.keys[0] + ":m"]) else { return }
                #expect(records <= 80)
            }
        }
    }
}

@Suite struct HeartbeatTests {
    @Test func replicasSeeEachOtherAndThePeakOfTenMinutes() async throws {
        try await withStore { _, client in
            let start: Int64 = 1_767_225_723_456_789
            try await client.setClock(start)
            for number in 1...3 {
                let view = try await client.heartbeat(of: ReplicaID(UInt64(number))).get()
                #expect(view == FleetView(now: start, alive: number, rank: number - 1, peak: number))
            }
            try await client.leave(ReplicaID(2))
            let left = try await client.heartbeat(of: ReplicaID(3)).get()
            #expect(left == FleetView(now: start, alive: 2, rank: 1, peak: 3))

            let later = start + 10_000_001
            try await client.setClock(later)
            let alone = try await client.heartbeat(of: ReplicaID(3)).get()
            #expect(alone == FleetView(now: later, alive: 1, rank: 0, peak: 3))

            let muchLater = start + 11 * 60_000_000
            try await client.setClock(muchLater)
            #expect(try await client.heartbeat(of: ReplicaID(3)).get().peak == 1)
        }
    }

    @Test func aClockThatWentBackHidesNobodyForLong() async throws {
        try await withStore { _, client in
            let start: Int64 = 1_767_225_723_456_789
            try await client.setClock(start + 3_600_000_000)
            for number in 1...2 { _ = try await client.heartbeat(of: ReplicaID(UInt64(number))).get() }
            try await client.setClock(start)
            #expect(try await client.heartbeat(of: ReplicaID(1)).get().alive == 1)
            #expect(try await client.heartbeat(of: ReplicaID(2)).get().alive == 2)
        }
    }
}
