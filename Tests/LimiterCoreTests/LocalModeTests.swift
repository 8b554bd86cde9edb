import TestSupport
import Testing

@testable import LimiterCore

/// `mode: local`: each replica counts for itself, up to the whole limit.
@Suite struct LocalModeTests {
    private let time = ManualTime()
    private let model: ModelStore

    init() { model = ModelStore(time) }

    private func replica(_ limits: DeclaredLimits, number: UInt64 = 1) -> ModelReplica {
        let replica = ModelReplica(model, limits, number: number)
        replica.store.tick()
        // A window of an hour begins.
        time.set(to: (time.nowMicroseconds / 3_600_000_000 + 1) * 3_600_000_000)
        return replica
    }

    private func local(_ name: String = "local", _ rate: String = "10/hour") throws -> LimitDeclaration {
        try .window(name, rate) { $0.mode = .local }
    }

    private func remaining(_ replica: ModelReplica, _ limits: DeclaredLimits) throws -> [Int64] {
        try #require(replica.store.ask(limits.group, .peek, cost: 0)).verdicts.map(\.remaining)
    }

    private func calls(_ replica: ModelReplica) -> Int { replica.connection.decided + replica.connection.leases }

    @Test func eachReplicaAdmitsTheWholeLimitAndNobodyIsAsked() throws {
        let limits = try DeclaredLimits(local())
        let replicas = [replica(limits), replica(limits, number: 2)]
        #expect(replicas.map { $0.admitted(limits.group, of: 30) } == [10, 10])
        for replica in replicas { #expect(try remaining(replica, limits) == [0]) }
        #expect(replicas.map(calls) == [0, 0])
        #expect(model.shared.counters.isEmpty)
    }

    @Test func itDecidesAsAStoreInMemoryDoes() throws {
        var random = SeededGenerator()
        let limits = try DeclaredLimits(
            .window("w", "20/s") { $0.mode = .local },
            .bucket("b", "30/s", burst: 12) { $0.mode = .local },
            .window("shadow", "7/s") {
                $0.mode = .local
                $0.isShadow = true
            })
        let replica = replica(limits)
        let memory = LocalStore(labels: limits.table.labels, time: time)
        for _ in 0..<4000 {
            let asked: LimitCall.Operation =
                switch Int.random(in: 0..<100, using: &random) {
                case 0: .reset
                case 1..<20: .peek
                default: .decide
                }
            let tenant = ["acme", "globex"].randomElement(using: &random)!
            let cost = Int64.random(in: 0...4, using: &random)
            let here = try #require(replica.store.ask(limits.group, asked, [tenant], cost: cost))
            let there = try #require(memory.ask(limits.group, asked, [tenant], cost: cost))
            try #require(here.outcome == there.outcome)
            try #require(here.verdicts == there.verdicts)
            try #require(here.retryAfterMicroseconds == there.retryAfterMicroseconds)
            time.advance(by: .microseconds(Int64.random(in: 0...90_000, using: &random)))
        }
        #expect(calls(replica) == 0)
    }

    // MARK: Beside limits of the store

    @Test(arguments: [Limit.Mode.exact, .leased])
    func whatAnotherLimitRefusesIsNotCharged(mode: Limit.Mode) throws {
        let limits = try DeclaredLimits(local(), .window("other", "4/hour") { $0.mode = mode })
        let replica = replica(limits)
        #expect(replica.admitted(limits.group, of: 9) == 4)
        replica.tick(for: .seconds(1), time)
        #expect(try remaining(replica, limits) == [6, 0])
    }

    @Test(arguments: [Limit.Mode.exact, .leased])
    func whatItRefusesIsNotChargedElsewhereAndNobodyIsAsked(mode: Limit.Mode) throws {
        let limits = try DeclaredLimits(.window("other", "100/hour") { $0.mode = mode }, local())
        let replica = replica(limits)
        #expect(replica.admitted(limits.group, of: 10) == 10)
        let before = calls(replica)
        let refused = try #require(replica.store.ask(limits.group))
        #expect(refused.verdicts.map(\.isAllowed) == [true, false])
        #expect(calls(replica) == before)
        replica.tick(for: .seconds(1), time)
        #expect(try remaining(replica, limits) == [90, 0])
    }

    @Test func allThreeModesTogetherChargeAllOrNothing() throws {
        var random = SeededGenerator()
        let limits = try DeclaredLimits(
            .window("local", "300/hour") { $0.mode = .local }, .window("leased", "400/hour") { $0.mode = .leased },
            .window("exact", "350/hour") { $0.mode = .exact })
        let replica = replica(limits)
        var spent: Int64 = 0
        for _ in 0..<400 {
            let cost = Int64.random(in: 0...3, using: &random)
            let decision = try #require(replica.store.ask(limits.group, cost: cost))
            #expect(!decision.isDegraded)
            if decision.isAllowed { spent += cost }
            #expect(decision.isAllowed == (spent <= 300 && decision.verdicts[0].isAllowed))
            time.advance(by: .milliseconds(1))
        }
        #expect(spent == 300)
        replica.tick(for: .seconds(1), time)
        #expect(try remaining(replica, limits) == [0, 100, 50])
    }

    @Test func aLimitThatIsNotEnforcedIsChargedWhileItHasRoom() throws {
        let limits = try DeclaredLimits(
            .window("shadow", "2/hour") {
                $0.mode = .local
                $0.isShadow = true
            }, .window("exact", "4/hour") { $0.mode = .exact })
        let replica = replica(limits)
        let answers = (0..<5).compactMap { _ in replica.store.ask(limits.group) }
        #expect(answers.map(\.isAllowed) == [true, true, true, true, false])
        #expect(answers.map { $0.verdicts[0].isAllowed } == [true, true, false, false, false])
    }

    @Test func aCallOfManyLimitsIsSplitToo() throws {
        let declarations = try (0..<100).map { index in
            try LimitDeclaration.window("l\(index)", "\(200 - index)/hour") {
                $0.mode = index % 2 == 0 ? .local : .exact
            }
        }
        let limits = try DeclaredLimits(declarations)
        let replica = replica(limits)
        #expect(replica.admitted(limits.group, of: 3) == 3)
        #expect(try remaining(replica, limits) == (0..<100).map { 197 - $0 })
        #expect(replica.admitted(limits.group, of: 200) == 98)
    }

    // MARK: When the store is away

    @Test func withoutTheStoreItDecidesAsBeforeAndIsNotDegraded() throws {
        let limits = try DeclaredLimits(local())
        let replica = replica(limits)
        #expect(replica.admitted(limits.group, of: 4) == 4)
        replica.connection.behaviour = .disconnected
        replica.tick(for: .seconds(1), time)
        #expect(replica.state.status.isDegraded)
        let answers = (0..<10).compactMap { _ in replica.store.ask(limits.group) }
        #expect(answers.count(where: \.isAllowed) == 6)
        #expect(answers.allSatisfy { !$0.isDegraded })
        #expect(try #require(replica.store.ask(limits.group, .reset)).verdicts.map(\.remaining) == [10])
        #expect(replica.state.status.unmerged == 0)
    }

    @Test(arguments: [ModelConnection.Behaviour.disconnected, .losesRequests, .losesReplies, .refuses])
    func cutOffOnlyTheLimitsOfTheStoreAreShared(behaviour: ModelConnection.Behaviour) throws {
        let limits = try DeclaredLimits(
            local(), .window("exact", "1000/hour") { $0.mode = .exact })
        let replica = replica(limits)
        replica.connection.behaviour = behaviour
        let answers = (0..<30).compactMap { _ in replica.store.ask(limits.group) }
        #expect(answers.count(where: \.isAllowed) == 10)
        #expect(answers.prefix(10).count { $0.isDegraded } == 10)
        #expect(answers.last?.verdicts.map(\.isAllowed) == [false, true])
        #expect(answers.last?.verdicts[0].limit == 10)
    }

    @Test func whereNobodyMayDecideNothingIsCharged() throws {
        let limits = try DeclaredLimits(
            local(),
            .window("exact", "1000/hour") {
                $0.mode = .exact
                $0.onStoreFailure = .deny
            })
        let replica = replica(limits)
        replica.connection.behaviour = .losesRequests
        let answers = (0..<20).compactMap { _ in replica.store.ask(limits.group) }
        #expect(answers.allSatisfy { $0.outcome == .unavailable })
        #expect(try #require(replica.store.ask(limits.group, .reset)).outcome == .unavailable)
        replica.connection.behaviour = .works
        replica.tick(for: .seconds(12), time)
        #expect(try remaining(replica, limits) == [10, 1000])
    }

    // MARK: Looking and resetting

    @Test func aLookAndAResetReachBothKinds() throws {
        let limits = try DeclaredLimits(
            local(), .window("leased", "100/hour") { $0.mode = .leased },
            .bucket("exact", "100/hour") { $0.mode = .exact })
        let replica = replica(limits)
        #expect(replica.admitted(limits.group, of: 12) == 10)
        replica.tick(for: .seconds(1), time)
        let look = try #require(replica.store.ask(limits.group, .peek))
        #expect(look.verdicts.map(\.isAllowed) == [false, true, true])
        #expect(look.outcome == .denied)
        #expect(look.retryAfterMicroseconds == look.verdicts[0].retryMicroseconds)
        #expect(look.verdicts.map(\.remaining) == [0, 90, 90])
        #expect(try #require(replica.store.ask(limits.group, .reset)).verdicts.map(\.remaining) == [10, 100, 100])
        #expect(replica.admitted(limits.group, of: 12) == 10)
    }

    @Test func aResetThatTheStoreDoesNotHearOfChangesNothing() throws {
        let limits = try DeclaredLimits(local(), .window("exact", "100/hour") { $0.mode = .exact })
        let replica = replica(limits)
        #expect(replica.admitted(limits.group, of: 4) == 4)
        replica.connection.behaviour = .disconnected
        #expect(try #require(replica.store.ask(limits.group, .reset)).outcome == .unavailable)
        replica.connection.behaviour = .works
        replica.tick(for: .seconds(12), time)
        #expect(try remaining(replica, limits) == [6, 96])
    }

    @Test func newKeysBeyondTheMostShareOneCounter() throws {
        let limits = try DeclaredLimits(
            .window("local", "5/hour", per: [.clientIP]) {
                $0.mode = .local
                $0.maximumKeys = 2
            }, .window("exact", "1000/hour", per: [.clientIP]) { $0.mode = .exact })
        let replica = replica(limits)
        let admitted = (0..<4).map { address in
            (0..<10).count { _ in replica.store.ask(limits.group, .decide, ["\(address)"])?.isAllowed == true }
        }
        #expect(admitted == [5, 5, 5, 0])
    }

    // MARK: Declarations

    @Test func whatHappensInAnOutageIsNotInheritedByALocalLimit() throws {
        var scope = LimitScope()
        try scope.declare(.window("w", "10/s") { $0.onStoreFailure = .deny })
        var service = scope.service("api")
        var own = LimitDeclaration(name: "w")
        own.mode = .local
        try service.declare(own)
        #expect(service.limits[0].limit.mode == .local)
        #expect(service.limits[0].limit.onStoreFailure == .local)
    }

    @Test func aLocalLimitSharesNoCounterWithOneOfTheStore() throws {
        var scope = LimitScope()
        try scope.declare(.window("w", "10/s"))
        var service = scope.service("api")
        var own = LimitDeclaration(name: "w")
        own.mode = .local
        own.isShared = true
        let error = #expect(throws: LimitError.self) { try service.declare(own) }
        #expect(error?.key == "shared")
        try scope.declare(.window("v", "10/s") { $0.mode = .local })
        var other = scope.service("web")
        own.name = "v"
        try other.declare(own)
        #expect(other.limits[1].owner == .global)
    }
}
