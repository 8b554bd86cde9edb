import TestSupport
import Testing

@testable import LimiterCore

@Suite struct CalendarQuotaTests {
    /// 2026-01-31T23:00:00Z, an hour before February.
    private let time = ManualTime(1_769_900_400_000_000)
    private let monthly: DeclaredLimits
    private let model: ModelStore

    init() throws {
        monthly = try DeclaredLimits(.calendar("monthly", "100/month"))
        model = ModelStore(time)
    }

    private func replica(_ limits: DeclaredLimits, number: UInt64 = 1) -> ModelReplica {
        let replica = ModelReplica(model, limits, number: number)
        replica.store.tick()
        return replica
    }

    @Test func aMonthsBudgetComesBackWithTheNextMonthAndNotBefore() throws {
        let store = LocalStore(labels: monthly.table.labels, time: time)
        #expect(store.ask(monthly.group, cost: 100)?.isAllowed == true)
        let refused = try #require(store.ask(monthly.group))
        #expect(refused.outcome == .denied && refused.retryAfterMicroseconds == 3_600_000_000)
        #expect(refused.verdicts[0].fullMicroseconds == 3_600_000_000)
        time.advance(by: .seconds(3600) - .microseconds(1))
        #expect(store.ask(monthly.group)?.isAllowed == false)
        time.advance(by: .microseconds(1))
        let next = try #require(store.ask(monthly.group, cost: 60))
        #expect(next.isAllowed && next.verdicts[0].remaining == 40)
        #expect(next.verdicts[0].fullMicroseconds == 28 * 86_400_000_000)
    }

    @Test func theMonthBeforeHasNoWeight() throws {
        let limits = try DeclaredLimits(.calendar("monthly", "100/month"), .window("daily", "1000/day"))
        let store = LocalStore(labels: limits.table.labels, time: time)
        #expect(store.ask(limits.group, cost: 100)?.isAllowed == true)
        time.advance(by: .seconds(3600))
        #expect(store.ask(limits.group, cost: 100)?.isAllowed == true)
    }

    @Test func aClockThatGoesBackOverTheMonthsEndGivesNothing() throws {
        let store = LocalStore(labels: monthly.table.labels, time: time)
        time.advance(by: .seconds(3601))
        #expect(store.ask(monthly.group, cost: 100)?.isAllowed == true)
        time.advance(by: .seconds(-7200))
        #expect(store.ask(monthly.group)?.isAllowed == false)
    }

    @Test func theStoresClockSaysWhichMonthItIs() throws {
        model.offset = 7_200_000_000
        let replica = replica(monthly)
        #expect(replica.admitted(monthly.group, of: 150) == 100)
        let decision = try #require(replica.store.ask(monthly.group))
        #expect(decision.verdicts[0].fullMicroseconds == 28 * 86_400_000_000 - 3_600_000_000)
    }

    @Test(arguments: [Limit.Mode.exact, .leased])
    func cutOffInTheMiddleOfAMonthAReplicaHasItsShareOfWhatWasLeft(mode: Limit.Mode) throws {
        let limits = try DeclaredLimits(.calendar("monthly", "100/month") { $0.mode = mode })
        let replica = replica(limits)
        #expect(replica.admitted(limits.group, of: 70) == 70)
        replica.connection.behaviour = .disconnected
        #expect(replica.admitted(limits.group, of: 100) == 30)
    }

    @Test func whatWasSpentLocallyCountsForTheMonthInWhichItWasSpent() throws {
        let replica = replica(monthly)
        replica.connection.behaviour = .disconnected
        #expect(replica.admitted(monthly.group, of: 40) == 40)
        time.advance(by: .seconds(3700))
        #expect(replica.admitted(monthly.group, of: 25) == 25)
        replica.connection.behaviour = .works
        replica.tick(for: .seconds(12), time)
        #expect(replica.state.status.unmerged == 0)
        let counter = try #require(model.shared.counters.values.first)
        #expect(counter.state.count == 25 && counter.state.rest == 40)
        #expect(replica.store.ask(monthly.group, .peek)?.verdicts[0].remaining == 75)
    }

    @Test func noLeaseOutlivesItsMonth() throws {
        let limits = try DeclaredLimits(.calendar("monthly", "1000/month") { $0.mode = .leased })
        let replica = replica(limits)
        time.advance(by: .seconds(3599))
        replica.store.tick()
        #expect(replica.admitted(limits.group, of: 50) == 50)
        time.advance(by: .seconds(1))
        #expect(replica.admitted(limits.group, of: 2000) == 1000)
    }
}
