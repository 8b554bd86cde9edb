import TestSupport
import Testing

@testable import LimiterCore

@Suite struct UsageTests {
    /// 2026-01-31T23:00:00Z, an hour before February.
    private let time = ManualTime(1_769_900_400_000_000)
    private let limits: DeclaredLimits
    private let model: ModelStore

    init() throws {
        limits = try DeclaredLimits(.calendar("monthly", "100/month") { $0.mode = .exact })
        model = ModelStore(time)
    }

    private func replica(_ number: UInt64) -> ModelReplica {
        let replica = ModelReplica(model, limits, number: number)
        replica.store.tick()
        return replica
    }

    private func usage(_ store: any UsageStore, tenant: String = "acme") -> UsageAnswer? {
        var answer: UsageAnswer?
        store.usage(of: LimitQuestion(limits.group, .peek, tenant: tenant).makeCall()) { answer = $0 }
        return answer
    }

    @Test func countersInMemoryTellWhatWasUsedMonthByMonth() throws {
        let store = LocalStore(labels: limits.table.labels, time: time)
        for month in 1...15 {
            for _ in 0..<month { _ = store.ask(limits.group) }
            store.updateUsage()
            time.advance(by: .seconds(31 * 86_400))
        }
        let counts = try #require(usage(store)?.counts.first)
        // This month, in which nothing was used yet, and thirteen before it.
        let now = try #require(limits.group.limits[0].limit.calendar).span(at: time.nowMicroseconds / 1_000_000).number
        #expect((0...13).map { counts[now - $0] } == [0, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3])
        #expect(usage(store, tenant: "nobody")?.counts.first?.isEmpty == true)
    }

    @Test func peeksAndOtherLimitsAreNotRecorded() throws {
        let store = LocalStore(labels: limits.table.labels, time: time)
        _ = store.ask(limits.group, .peek)
        store.updateUsage()
        #expect(store.usage.count == 0)
    }

    @Test func usageIsTheFleetsAndNotOneReplicas() throws {
        let (one, other) = (replica(1), replica(2))
        #expect(one.admitted(limits.group, of: 10) == 10 && other.admitted(limits.group, of: 20) == 20)
        let answer = try #require(usage(one.store))
        #expect(!answer.isDegraded && answer.counts[0].units[0] == 30)
    }

    @Test func whatWasSpentWithoutTheStoreIsToldBesideWhatItKnows() throws {
        let one = replica(1)
        #expect(one.admitted(limits.group, of: 10) == 10)
        one.connection.behaviour = .disconnected
        #expect(one.admitted(limits.group, of: 5) == 5)
        let answer = try #require(usage(one.store))
        #expect(answer.isDegraded && answer.counts[0].units[0] == 15)
    }

    @Test func aMonthsBudgetComesBackFromTheRecordsAfterTheStoreLostEverythingAndAllReplicasEnded() throws {
        let before = (replica(1), replica(2))
        #expect(before.0.admitted(limits.group, of: 30) == 30 && before.1.admitted(limits.group, of: 40) == 40)
        let records = [before.0, before.1].map { replica in
            replica.state.updateUsage()
            return (replica.state.usage.changes(at: time.nowMicroseconds).map(\.record), replica.state.usage.birth)
        }
        model.loseEverything()
        let after = (3...4).map { ModelReplica(model, limits, number: UInt64($0)) }
        for (replica, (records, birth)) in zip(after, records) {
            replica.state.usage.restore(birth: birth)
            #expect(replica.state.restore(records, of: limits.table) == 0)
        }
        // Each knows what it saw; the store hears it from them even if nobody calls.
        for replica in after { replica.tick(for: .milliseconds(100), time) }
        #expect(model.shared.counters.values.first?.state.count == 70)
        #expect(after[0].admitted(limits.group, of: 100) == 30)
    }

    @Test func aStoreThatLostEverythingIsToldWhileReplicasRun() throws {
        let (one, other) = (replica(1), replica(2))
        #expect(one.admitted(limits.group, of: 60) == 60)
        one.state.updateUsage()
        model.loseEverything()
        one.tick(for: .seconds(3), time)
        // The other never saw this tenant.
        #expect(other.admitted(limits.group, of: 100) == 40)
    }

    @Test func aRecordOfAnotherConfigurationIsNoUse() throws {
        let store = LocalStore(labels: limits.table.labels, time: time)
        let record = UsageRecord(
            key: Array("weir:{acme}:yearly::cy".utf8), counts: PeriodCounts(number: 2026, units: [5]))
        #expect(store.restore([record], of: limits.table) == 1)
        #expect(record.isKept(at: time.nowMicroseconds))
    }

    @Test func hostileCountsAreNoCountersOfAnyLimit() throws {
        let store = LocalStore(labels: limits.table.labels, time: time)
        for number in [Int64(1) << 51, 1_000_000] {
            let record = UsageRecord(
                key: Array("weir:{acme}:monthly::cm".utf8), counts: PeriodCounts(number: number, units: [5]))
            #expect(store.restore([record], of: limits.table) == 1)
            #expect(!record.isKept(at: time.nowMicroseconds))
        }
    }

    @Test func aResetGivesTheUsageBackToo() throws {
        let store = LocalStore(labels: limits.table.labels, time: time)
        for _ in 0..<60 { _ = store.ask(limits.group) }
        store.updateUsage()
        let before = store.usage.changes(at: time.nowMicroseconds).map(\.record)
        _ = store.ask(limits.group, .reset)
        for _ in 0..<5 { _ = store.ask(limits.group) }
        #expect(usage(store)?.counts[0].units[0] == 5)
        let after = store.usage.changes(at: time.nowMicroseconds).map(\.record)
        let next = LocalStore(labels: limits.table.labels, time: time)
        _ = next.restore(before + after, of: limits.table)
        #expect(usage(next)?.counts[0].units[0] == 5)
        #expect((0..<200).count { _ in next.ask(limits.group)?.isAllowed == true } == 95)
    }

    @Test func moreQuotasThanOneCallTakesAreAskedInPieces() throws {
        let many = try DeclaredLimits((0..<150).map { try .calendar("quota-\($0)", "9/month") { $0.mode = .exact } })
        let replica = ModelReplica(model, many, number: 9)
        replica.store.tick()
        #expect(replica.store.ask(many.group)?.isAllowed == true)
        var answer: UsageAnswer?
        replica.store.usage(of: LimitQuestion(many.group, .peek, tenant: "acme").makeCall()) { answer = $0 }
        #expect(answer?.isDegraded == false && answer?.counts.map { $0.units[0] } == Array(repeating: 1, count: 150))
    }

    @Test func whatClientsChooseIsNotRecorded() throws {
        let limits = try DeclaredLimits(
            .calendar("ip", "5/hour", per: [.clientIP]), .calendar("all", "5/hour", per: []))
        let store = LocalStore(labels: limits.table.labels, time: time)
        for address in 0..<100 { _ = store.ask(limits.group, .decide, ["10.0.0.\(address)"]) }
        #expect(store.usage.count == 1)
    }

    @Test func aPlansPeriodIsFoundAgain() throws {
        var plans = TenantPlans()
        let daily = LimitChange(.plan("daily"), limit: "monthly", rate: try Rate(parsing: "9/day"))
        plans.add(TenantPlans.Plan.make("daily", [daily], of: limits.table).plan)
        plans.assign("daily", to: "acme")
        let table = limits.table.serving(plans)
        let store = LocalStore(labels: table.labels, time: time)
        let group = table.table(of: "acme").services[0].routes[0]
        for _ in 0..<7 { _ = store.ask(group) }
        store.updateUsage()
        let records = store.usage.changes(at: time.nowMicroseconds).map(\.record)
        let next = LocalStore(labels: table.labels, time: time)
        #expect(next.restore(records, of: table) == 0)
        #expect((0..<9).count { _ in next.ask(group)?.isAllowed == true } == 2)
    }

    @Test func countersInMemoryGoOnFromTheRecords() throws {
        let store = LocalStore(labels: limits.table.labels, time: time)
        for _ in 0..<70 { _ = store.ask(limits.group) }
        store.updateUsage()
        let changes = store.usage.changes(at: time.nowMicroseconds)
        let records = changes.map(\.record)
        // Until it is known to be recorded, it is still to be.
        #expect(records.count == 1 && store.usage.changes(at: time.nowMicroseconds).count == 1)
        store.usage.confirm(changes)
        #expect(store.usage.changes(at: time.nowMicroseconds).isEmpty)
        let next = LocalStore(labels: limits.table.labels, time: time)
        #expect(next.restore(records, of: limits.table) == 0)
        #expect((0..<100).count { _ in next.ask(limits.group)?.isAllowed == true } == 30)
        #expect(usage(next)?.counts[0].units[0] == 100)
    }

    @Test func whatIsTooOldToTellIsForgotten() throws {
        let store = LocalStore(labels: limits.table.labels, time: time)
        _ = store.ask(limits.group)
        store.updateUsage()
        #expect(store.usage.changes(at: time.nowMicroseconds).count == 1)
        time.advance(by: .seconds(500 * 86_400))
        _ = store.usage.changes(at: time.nowMicroseconds)
        #expect(store.usage.count == 0)
    }
}
