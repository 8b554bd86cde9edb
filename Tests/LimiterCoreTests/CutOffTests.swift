import TestSupport
import Testing

@testable import LimiterCore

@Suite struct CutOffTests {
    private let time = ManualTime()
    private let model: ModelStore
    private let hourly: DeclaredLimits

    init() throws {
        model = ModelStore(time)
        hourly = try DeclaredLimits(.window("hourly", "100/hour"))
    }

    private func replicas(_ count: Int, _ limits: DeclaredLimits, minimum: Int = 1) -> [ModelReplica] {
        let replicas = (0..<count).map { ModelReplica(model, limits, number: UInt64($0 + 1), minimumReplicas: minimum) }
        for _ in 0..<2 {
            for replica in replicas { replica.store.tick() }
            time.advance(by: .seconds(3))
        }
        return replicas
    }

    @Test func whileTheStoreAnswersItDecides() throws {
        let replicas = replicas(3, hourly)
        #expect(replicas.reduce(0) { $0 + $1.admitted(hourly.group, of: 60) } == 100)
        let decision = try #require(replicas[0].store.ask(hourly.group))
        #expect(!decision.isAllowed && !decision.isDegraded)
    }

    @Test func anOutageNeverRefillsABudgetThatWasKnown() throws {
        let replicas = replicas(3, hourly)
        #expect(replicas[0].admitted(hourly.group, of: 70) == 70)
        for replica in replicas { _ = replica.store.ask(hourly.group, .peek) }
        for replica in replicas { replica.connection.behaviour = .disconnected }
        let admitted = replicas.map { $0.admitted(hourly.group, of: 100) }
        #expect(admitted.reduce(0, +) <= 30)
        #expect(admitted == [10, 10, 10])
        #expect(replicas[0].store.ask(hourly.group)?.isDegraded == true)
    }

    @Test func aTenantThatWasNeverSeenGetsAShareOfTheWholeLimit() throws {
        let replicas = replicas(3, hourly)
        for replica in replicas { replica.connection.behaviour = .disconnected }
        let admitted = replicas.map { $0.admitted(hourly.group, of: 100, tenant: "new") }
        #expect(admitted == [34, 33, 33])
    }

    @Test func aStoreThatNeverAnsweredIsNotTakenForHealthyAfterTheFirstFailure() throws {
        let replica = ModelReplica(model, hourly)
        replica.connection.behaviour = .refuses
        replica.store.tick()
        #expect(replica.state.status.isDegraded)
    }

    @Test func beforeTheStoreWasEverHeardTheConfiguredReplicasShare() throws {
        let replica = ModelReplica(model, hourly, minimumReplicas: 3)
        replica.connection.behaviour = .disconnected
        #expect(replica.admitted(hourly.group, of: 100) == 33)
        replica.tick(for: .milliseconds(100), time)
        #expect(replica.state.status.isDegraded)
    }

    @Test func whatWasSpentLocallyIsMergedOnceTheStoreIsBack() throws {
        let replicas = replicas(2, hourly)
        for replica in replicas { replica.connection.behaviour = .disconnected }
        for replica in replicas { #expect(replica.admitted(hourly.group, of: 30) == 30) }
        for replica in replicas {
            replica.tick(for: .seconds(1), time)
            replica.connection.behaviour = .works
            replica.tick(for: .seconds(12), time)
            #expect(replica.state.status.phase == .shared)
            #expect(replica.state.status.unmerged == 0)
        }
        #expect(replicas[0].store.ask(hourly.group, .peek)?.verdicts[0].remaining == 40)
        #expect(replicas.reduce(0) { $0 + $1.admitted(hourly.group, of: 100) } == 40)
    }

    @Test func tellingTwiceChangesNothing() throws {
        let replica = replicas(1, hourly)[0]
        replica.connection.behaviour = .losesRequests
        #expect(replica.admitted(hourly.group, of: 20) == 20)
        // The store executes the lease calls now, but the replies are lost, so that each is sent again and again.
        replica.connection.behaviour = .losesLeaseReplies
        replica.tick(for: .seconds(12), time)
        #expect(replica.connection.leases > 3)
        #expect(replica.state.status.unmerged == 1)
        replica.connection.behaviour = .works
        replica.tick(for: .seconds(12), time)
        #expect(replica.store.ask(hourly.group, .peek)?.verdicts[0].remaining == 80)
    }

    @Test func aReplyThatComesLateIsDeductedFromWhatWasSpentLocally() throws {
        let replica = replicas(1, hourly)[0]
        replica.connection.behaviour = .losesReplies
        #expect(replica.admitted(hourly.group, of: 3) == 3)
        #expect(replica.state.status.unmerged == 1)
        replica.connection.deliverLateReplies()
        replica.connection.behaviour = .works
        replica.tick(for: .seconds(3), time)
        #expect(replica.store.ask(hourly.group, .peek)?.verdicts[0].remaining == 97)
        #expect(replica.state.status.unmerged == 0)
    }

    @Test func aStoreThatLostItsMemoryGetsBackWhatAReplicaRemembers() throws {
        let replica = replicas(1, hourly)[0]
        #expect(replica.admitted(hourly.group, of: 60) == 60)
        model.shared = SharedCounters()
        #expect(replica.admitted(hourly.group, of: 60) == 40)
    }

    @Test func aResetIsNotUndoneByWhatAnotherReplicaRemembers() throws {
        let replicas = replicas(2, hourly)
        for replica in replicas { _ = replica.admitted(hourly.group, of: 50) }
        #expect(replicas[0].store.ask(hourly.group)?.isAllowed == false)
        #expect(replicas[0].store.ask(hourly.group, .reset)?.isDegraded == false)
        #expect(replicas[1].admitted(hourly.group, of: 150) == 100)
    }

    @Test func failuresOpenTheBreakerAndThenTheStoreIsLeftAlone() throws {
        let replica = replicas(1, hourly)[0]
        replica.connection.behaviour = .losesRequests
        _ = replica.admitted(hourly.group, of: 50)
        #expect(replica.connection.decided == 5)
        #expect(replica.state.status.phase == .fallback)
    }

    @Test func aStoreThatRefusesWritesIsNotTakenForHealthy() throws {
        let replica = replicas(1, hourly)[0]
        replica.connection.behaviour = .refuses
        _ = replica.admitted(hourly.group, of: 10)
        replica.tick(for: .seconds(20), time)
        #expect(replica.state.status.isDegraded)
        replica.connection.behaviour = .works
        replica.tick(for: .seconds(12), time)
        #expect(replica.state.status.phase == .shared)
    }

    @Test func windowsAlignWithTheStoresClock() throws {
        model.offset = 1_800_000_000
        let replica = replicas(1, hourly)[0]
        #expect(replica.admitted(hourly.group, of: 40) == 40)
        replica.connection.behaviour = .disconnected
        // By the store's clock the window has half an hour less than by this machine's.
        #expect(replica.admitted(hourly.group, of: 100) == 60)
        let seen = try #require(replica.store.ask(hourly.group, .peek)).verdicts[0]
        #expect(seen.remaining == 0)
        #expect(abs(replica.state.clock.now - model.now) < 10)
    }

    @Test func whatWasSpentWhileTheCounterIsAheadOfTheClockIsToldAndCounted() throws {
        let replicas = replicas(1, hourly, minimum: 2)
        #expect(replicas[0].admitted(hourly.group, of: 10) == 10)
        // The counter stays in its window.
        model.offset = -7_200_000_000
        let restarted = ModelReplica(model, hourly, number: 9, minimumReplicas: 2)
        restarted.connection.behaviour = .disconnected
        #expect(restarted.admitted(hourly.group, of: 30) == 30)
        restarted.connection.behaviour = .works
        restarted.tick(for: .seconds(12), time)
        #expect(restarted.state.status.unmerged == 0)
        #expect(model.shared.counters.values.map(\.state.count) == [40])
    }

    @Test(arguments: Limit.FailurePolicy.allCases)
    func eachPolicyDoesWhatItSays(policy: Limit.FailurePolicy) throws {
        let limits = try DeclaredLimits(.window("w", "3/hour") { $0.onStoreFailure = policy })
        let replica = replicas(1, limits)[0]
        replica.connection.behaviour = .disconnected
        let outcomes = (0..<5).compactMap { _ in replica.store.ask(limits.group)?.outcome }
        switch policy {
        case .deny: #expect(outcomes == Array(repeating: .unavailable, count: 5))
        case .local: #expect(outcomes == [.allowed, .allowed, .allowed, .denied, .denied])
        case .allow: #expect(outcomes == Array(repeating: .allowed, count: 5))
        }
    }

    @Test func theStrictestPolicyOfARequestCounts() throws {
        let limits = try DeclaredLimits(
            .window("a", "3/hour") { $0.onStoreFailure = .allow }, .window("b", "3/hour") { $0.onStoreFailure = .deny })
        let replica = replicas(1, limits)[0]
        replica.connection.behaviour = .disconnected
        #expect(replica.store.ask(limits.group)?.outcome == .unavailable)
    }

    @Test func aBucketGoesOnWithItsShareOfTokensAndRate() throws {
        let limits = try DeclaredLimits(.bucket("b", "60/minute", burst: 40))
        let replicas = replicas(2, limits)
        #expect(replicas[0].admitted(limits.group, of: 20) == 20)
        for replica in replicas { _ = replica.store.ask(limits.group, .peek) }
        for replica in replicas { replica.connection.behaviour = .disconnected }
        #expect(replicas.map { $0.admitted(limits.group, of: 100) } == [10, 10])
        time.advance(by: .seconds(10))
        #expect(replicas.map { $0.admitted(limits.group, of: 100) } == [5, 5])
    }

    @Test func aMergedBucketMayOweNoMoreThanItsBurst() throws {
        let limits = try DeclaredLimits(.bucket("b", "1/minute", burst: 10))
        let replicas = replicas(4, limits)
        for replica in replicas { replica.connection.behaviour = .disconnected }
        for replica in replicas { #expect((2...3).contains(replica.admitted(limits.group, of: 10))) }
        for replica in replicas {
            replica.connection.behaviour = .works
            replica.tick(for: .seconds(3), time)
        }
        #expect(replicas[0].admitted(limits.group, of: 10) == 0)
        #expect(model.shared.counters.values.allSatisfy { $0.state.count >= -10 })
    }

    @Test func retryAfterOfADegradedAnswerIsWhenTheShareAllowsItAgain() throws {
        let replica = replicas(2, hourly)[0]
        replica.connection.behaviour = .disconnected
        #expect(replica.admitted(hourly.group, of: 100) == 50)
        let verdict = try #require(replica.store.ask(hourly.group)).verdicts[0]
        time.set(to: time.nowMicroseconds + verdict.retryMicroseconds - 1)
        #expect(replica.store.ask(hourly.group, .peek)?.isAllowed == false)
        time.set(to: time.nowMicroseconds + 1)
        #expect(replica.store.ask(hourly.group, .peek)?.isAllowed == true)
    }

    /// Any order of outages on any replica: an hour admits no more than the limit and the shares of what was last seen left.
    @Test func randomOutagesStayWithinTheBound() throws {
        var random = SeededGenerator()
        for _ in 0..<60 {
            let model = ModelStore(time)
            time.set(to: (time.nowMicroseconds / 3_600_000_000 + 1) * 3_600_000_000)
            let replicas = (0..<3).map { ModelReplica(model, hourly, number: UInt64($0 + 1), minimumReplicas: 3) }
            for replica in replicas { replica.store.tick() }
            time.advance(by: .milliseconds(2100))
            for replica in replicas { replica.store.tick() }
            var admitted = 0
            // One outage for each replica: it spends its share of what it last saw at most once.
            let start = (0..<3).map { _ in Int.random(in: 0..<40, using: &random) }
            for step in 0..<80 {
                for (index, replica) in replicas.enumerated() {
                    let isOut = step >= start[index] && step < start[index] + 20
                    replica.connection.behaviour = isOut ? .disconnected : .works
                    replica.tick(for: .milliseconds(200), time)
                    admitted += replica.admitted(hourly.group, of: .random(in: 0...8, using: &random))
                }
            }
            #expect(admitted <= 200)
            let counted = model.shared.counters.values.map(\.state.count).reduce(0, +)
            #expect(counted >= Int64(min(100, admitted)), "nothing that was spent is forgotten")
        }
    }
}
