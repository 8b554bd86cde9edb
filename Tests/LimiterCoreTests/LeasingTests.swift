import TestSupport
import Testing

@testable import LimiterCore

@Suite struct LeasingTests {
    private let time = ManualTime()
    private let model: ModelStore

    init() { model = ModelStore(time) }

    private func replicas(_ count: Int, _ limits: DeclaredLimits) -> [ModelReplica] {
        let replicas = (0..<count).map { ModelReplica(model, limits, number: UInt64($0 + 1)) }
        for _ in 0..<2 {
            for replica in replicas { replica.store.tick() }
            time.advance(by: .milliseconds(50))
        }
        // A window of a second or a minute begins.
        time.set(to: (time.nowMicroseconds / 60_000_000 + 1) * 60_000_000)
        return replicas
    }

    private func leased(_ rate: String) throws -> DeclaredLimits {
        try DeclaredLimits(.window("w", rate) { $0.mode = .leased })
    }

    /// Requests of one tenant at each replica, evenly over `duration`; returns when each was admitted.
    private func drive(
        _ replicas: [ModelReplica], _ group: LimitGroup, perSecond: Int, for duration: Duration
    ) -> [Int64] {
        var admitted: [Int64] = []
        let step = 1_000_000 / Int64(perSecond)
        let end = time.nowMicroseconds + Int64(duration / .microseconds(1))
        var tick: Int64 = 0
        while time.nowMicroseconds < end {
            for replica in replicas {
                if replica.store.ask(group)?.isAllowed == true { admitted.append(time.nowMicroseconds) }
            }
            time.advance(by: .microseconds(step))
            tick += step
            if tick >= 50_000 {
                tick = 0
                for replica in replicas { replica.store.tick() }
            }
        }
        return admitted
    }

    private func calls(_ replicas: [ModelReplica]) -> Int {
        replicas.reduce(0) { $0 + $1.connection.leases + $1.connection.decided }
    }

    @Test func aFleetSpendsTheWholeLimitAndNotOneMore() throws {
        let limits = try leased("100/minute")
        let replicas = replicas(3, limits)
        let admitted = drive(replicas, limits.group, perSecond: 20, for: .seconds(50))
        #expect(admitted.count == 100)
    }

    /// The group as an override makes it.
    private func overridden(_ limits: DeclaredLimits, _ rate: String, burst: Int64? = nil) throws -> LimitGroup {
        let override = LimitOverride(
            .init(tenant: "acme", limit: limits.group.limits[0].name, service: nil), rate: try Rate(parsing: rate),
            burst: burst)
        return LimitOverrides([override], of: limits.table).table(of: "acme").services[0].routes[0]
    }

    @Test func aLimitThatIsRaisedIsSpentWholeAndNotOneMore() throws {
        let limits = try leased("100/minute")
        let replicas = replicas(3, limits)
        let before = drive(replicas, limits.group, perSecond: 20, for: .seconds(1))
        let after = drive(replicas, try overridden(limits, "150/minute"), perSecond: 20, for: .seconds(50))
        #expect(before.count + after.count == 150)
    }

    @Test func aLimitThatIsLoweredEndsWithWhatWasLeasedBefore() throws {
        let limits = try leased("1000/minute")
        let replicas = replicas(3, limits)
        let before = drive(replicas, limits.group, perSecond: 20, for: .seconds(1))
        let after = drive(replicas, try overridden(limits, "80/minute"), perSecond: 20, for: .seconds(50))
        #expect(before.count == 60)
        #expect((20...60).contains(after.count), "20 are left, and each replica holds few: \(after.count)")
    }

    /// What is given back when nobody asks goes by the limit as it is then.
    @Test func aBucketThatIsRaisedWhileItIsLeasedKeepsItsTokens() throws {
        let limits = try DeclaredLimits(.bucket("b", "600/minute", burst: 20) { $0.mode = .leased })
        let replicas = replicas(1, limits)
        _ = drive(replicas, limits.group, perSecond: 20, for: .seconds(1))
        let raised = try overridden(limits, "6000/minute", burst: 1000)
        _ = drive(replicas, raised, perSecond: 20, for: .seconds(20))
        for _ in 0..<10 {
            time.advance(by: .milliseconds(50))
            for replica in replicas { replica.store.tick() }
        }
        #expect(drive(replicas, raised, perSecond: 10_000, for: .milliseconds(100)).count > 900)
    }

    @Test func mostRequestsPayNoCall() throws {
        let limits = try leased("1000/s")
        let replicas = replicas(4, limits)
        let admitted = drive(replicas, limits.group, perSecond: 500, for: .seconds(5))
        #expect(admitted.count <= 5000)
        #expect(admitted.count >= 4850)
        #expect(Double(calls(replicas)) <= 0.2 * 4 * 500 * 5)
        for window in Dictionary(grouping: admitted, by: { $0 / 1_000_000 }).values { #expect(window.count <= 1000) }
    }

    @Test func aLeaseNeverOutlivesItsWindow() throws {
        let limits = try leased("1000/s")
        let replica = replicas(1, limits)[0]
        _ = drive([replica], limits.group, perSecond: 400, for: .milliseconds(600))
        time.set(to: (time.nowMicroseconds / 1_000_000 + 1) * 1_000_000)
        replica.connection.behaviour = .disconnected
        // What is left in this window is this replica's share of what it saw, and nothing that was granted in the last one.
        let held = try #require(replica.store.ask(limits.group, .peek))
        #expect(held.isDegraded)
    }

    @Test func aReplyThatWasLostIsGivenAgainAndNotChargedAgain() throws {
        var random = SeededGenerator()
        let limits = try leased("300/minute")
        let replicas = replicas(2, limits)
        var admitted = 0
        for _ in 0..<3000 {
            let replica = replicas.randomElement(using: &random)!
            replica.connection.behaviour = Int.random(in: 0..<4, using: &random) == 0 ? .losesLeaseReplies : .works
            let decision = try #require(replica.store.ask(limits.group))
            // Cut off it may spend its share; only what the store granted is counted here.
            if decision.isAllowed, !decision.isDegraded { admitted += 1 }
            time.advance(by: .milliseconds(5))
            for replica in replicas { replica.store.tick() }
        }
        #expect(admitted <= 300)
        let counted = try #require(model.shared.counters.values.first).state.count
        #expect(counted >= Int64(admitted))
    }

    @Test func whatNobodyAsksForIsGivenBack() throws {
        let limits = try leased("1000/minute")
        let replicas = replicas(2, limits)
        let first = drive([replicas[0]], limits.group, perSecond: 1000, for: .milliseconds(300)).count
        #expect(try #require(model.shared.counters.values.first).state.count > Int64(first))
        replicas[0].tick(for: .seconds(1), time)
        #expect(try #require(model.shared.counters.values.first).state.count == Int64(first))
        let second = drive([replicas[1]], limits.group, perSecond: 1000, for: .seconds(3)).count
        #expect(first + second == 1000)
    }

    @Test func whatACrashedReplicaHeldIsSpentByNobody() throws {
        let limits = try leased("1000/minute")
        let replicas = replicas(2, limits)
        let first = drive([replicas[0]], limits.group, perSecond: 1000, for: .milliseconds(300)).count
        let counted = try #require(model.shared.counters.values.first).state.count
        let second = drive([replicas[1]], limits.group, perSecond: 1000, for: .seconds(3)).count
        #expect(Int64(second) == 1000 - counted)
        #expect(first + second < 1000)
    }

    @Test func aBucketKeepsItsPromiseInEveryInterval() throws {
        let limits = try DeclaredLimits(.bucket("b", "500/s", burst: 200) { $0.mode = .leased })
        let replicas = replicas(3, limits)
        var admitted = drive(replicas, limits.group, perSecond: 400, for: .seconds(2))
        time.advance(by: .milliseconds(700))
        admitted += drive([replicas[1]], limits.group, perSecond: 2000, for: .seconds(1))
        #expect(admitted.count >= 1300)
        for (first, start) in admitted.enumerated() {
            for last in stride(from: first, to: admitted.count, by: 7) {
                let most = 200 + Double(admitted[last] - start) * 500 / 1_000_000
                try #require(Double(last - first + 1) <= most + 1)
            }
        }
    }

    @Test func whereALimitIsRefusedWhatWasTakenFromOthersIsPutBack() throws {
        let limits = try DeclaredLimits(
            .window("wide", "1000/minute") { $0.mode = .leased }, .window("narrow", "5/minute") { $0.mode = .exact })
        let replica = replicas(1, limits)[0]
        #expect(drive([replica], limits.group, perSecond: 100, for: .seconds(2)).count == 5)
        replica.tick(for: .seconds(1), time)
        let left = try #require(replica.store.ask(limits.group, .peek, cost: 0)).verdicts.map(\.remaining)
        #expect(left == [995, 0])
    }

    @Test func leftOutModeLeasesWhereItPaysAndStaysExactElsewhere() throws {
        let limits = try DeclaredLimits(.window("large", "10000/minute"))
        let replica = replicas(1, limits)[0]
        _ = drive([replica], limits.group, perSecond: 4, for: .seconds(5))
        #expect(replica.connection.leases == 0)
        #expect(replica.connection.decided == 20)
        _ = drive([replica], limits.group, perSecond: 500, for: .seconds(2))
        #expect(replica.connection.leases > 0)
        #expect(calls([replica]) < 150)
        let decided = replica.connection.decided
        replica.tick(for: .seconds(5), time)
        _ = drive([replica], limits.group, perSecond: 4, for: .seconds(5))
        #expect(replica.connection.decided > decided + 15)

        let small = try DeclaredLimits(.window("small", "50/minute"))
        let other = replicas(1, small)[0]
        _ = drive([other], small.group, perSecond: 500, for: .seconds(1))
        #expect(other.connection.leases == 0)
    }

    @Test func aCounterOfEveryoneIsNotAskedForByEveryRequest() throws {
        let limits = try DeclaredLimits(.window("all", "20/minute", per: []))
        let replicas = replicas(2, limits)
        let admitted = drive(replicas, limits.group, perSecond: 1000, for: .seconds(5))
        #expect(admitted.count == 20)
        #expect(calls(replicas) < 500)
    }

    @Test func whoAsksWhatIsLeftIsToldOfWhatIsHeldToo() throws {
        let limits = try leased("1000/minute")
        let replica = replicas(1, limits)[0]
        let admitted = drive([replica], limits.group, perSecond: 1000, for: .milliseconds(300)).count
        #expect(replica.store.ask(limits.group, .peek, cost: 0)?.verdicts[0].remaining == Int64(1000 - admitted))
    }

    @Test func aResetTakesBackWhatIsHeld() throws {
        let limits = try leased("1000/minute")
        let replicas = replicas(2, limits)
        _ = drive(replicas, limits.group, perSecond: 500, for: .milliseconds(500))
        #expect(replicas[0].store.ask(limits.group, .reset)?.isDegraded == false)
        #expect(replicas[0].store.ask(limits.group, .peek, cost: 0)?.verdicts[0].remaining == 1000)
        let admitted = drive([replicas[0]], limits.group, perSecond: 1000, for: .seconds(3)).count
        #expect(admitted == 1000)
    }

    @Test func cutOffWhatIsHeldGoesFirstAndIsNotDegraded() throws {
        let limits = try leased("1000/minute")
        let replicas = replicas(2, limits)
        let before = drive([replicas[0]], limits.group, perSecond: 1000, for: .milliseconds(300)).count
        let counted = try #require(model.shared.counters.values.first).state.count
        let held = Int(counted) - before
        for replica in replicas { replica.connection.behaviour = .disconnected }
        var decisions: [Decision] = []
        for _ in 0..<1000 { decisions.append(try #require(replicas[0].store.ask(limits.group))) }
        let admitted = decisions.filter(\.isAllowed)
        #expect(admitted.count == held + (1000 - Int(counted) + 1) / 2)
        #expect(admitted.prefix { !$0.isDegraded }.count >= held - 1)
        replicas[0].tick(for: .seconds(1), time)
        replicas[0].connection.behaviour = .works
        replicas[0].tick(for: .seconds(12), time)
        #expect(try #require(model.shared.counters.values.first).state.count == Int64(before + admitted.count))
    }

    @Test func aStoreThatLostLeasesIsToldOfThem() throws {
        let limits = try leased("1000/minute")
        let replicas = replicas(2, limits)
        var admitted = drive(replicas, limits.group, perSecond: 100, for: .seconds(1)).count
        let earlier = model.shared
        admitted += drive(replicas, limits.group, perSecond: 1000, for: .milliseconds(200)).count
        // A replica of it that had not heard of the last writes takes over.
        model.shared = earlier
        admitted += drive(replicas, limits.group, perSecond: 1000, for: .seconds(3)).count
        #expect(admitted <= 1000)
        #expect(admitted >= 990)
    }
}
