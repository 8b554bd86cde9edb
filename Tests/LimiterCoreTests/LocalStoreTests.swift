import Synchronization
import TestSupport
import Testing

@testable import LimiterCore

@Suite struct LocalStoreTests {
    private let time = ManualTime()

    private func store(_ limits: DeclaredLimits) -> LocalStore { LocalStore(labels: limits.table.labels, time: time) }

    @Test func aDeniedRequestConsumesNothingOfAnyLimit() throws {
        let limits = try DeclaredLimits(.window("wide", "100/minute"), .bucket("narrow", "2/minute"))
        let store = store(limits)
        for _ in 0..<2 { #expect(store.ask(limits.group)?.isAllowed == true) }
        for _ in 0..<5 { #expect(store.ask(limits.group)?.isAllowed == false) }
        let peek = try #require(store.ask(limits.group, .peek))
        #expect(peek.verdicts.map(\.remaining) == [98, 0])
    }

    @Test func limitsThatComeLaterHaveTheirOwnKeysAndThoseBeforeGoOn() throws {
        let before = try DeclaredLimits(.window("old", "100/minute"))
        let store = store(before)
        for _ in 0..<10 { _ = store.ask(before.group) }
        let scope = try [.window("new", "3/minute") { $0.maximumKeys = 2 }, .window("old", "100/minute")].reduce(
            into: LimitScope()
        ) { try $0.declare($1) }
        let table = LimitTable(global: scope, services: [], after: before.table)
        store.use(table.labels)
        #expect(table.labels.map(\.limit) == ["old", "new"])
        #expect(store.ask(table.tenantCounters)?.verdicts.map(\.remaining) == [2, 89])
    }

    @Test func peeksAndCostZeroKeepNothing() throws {
        let limits = try DeclaredLimits(.window("w", "10/minute"))
        let store = store(limits)
        #expect(store.ask(limits.group, .peek)?.isAllowed == true)
        #expect(store.ask(limits.group, cost: 0)?.isAllowed == true)
        #expect(store.count == 0)
    }

    @Test func shadowLimitsRefuseNobody() throws {
        let limits = try DeclaredLimits(
            .window("real", "5/minute"), .window("shadow", "1/minute") { $0.isShadow = true })
        let store = store(limits)
        let answers = (0..<6).compactMap { _ in store.ask(limits.group) }
        #expect(answers.map(\.isAllowed) == [true, true, true, true, true, false])
        #expect(answers[1].verdicts.map(\.isAllowed) == [true, false])
    }

    @Test func aResetGivesTheBudgetBack() throws {
        let limits = try DeclaredLimits(.window("w", "3/hour"))
        let store = store(limits)
        for _ in 0..<3 { _ = store.ask(limits.group) }
        #expect(store.ask(limits.group)?.isAllowed == false)
        #expect(store.ask(limits.group, .reset)?.verdicts.map(\.remaining) == [3])
        #expect(store.ask(limits.group)?.isAllowed == true)
    }

    @Test func tenantsDoNotTouchEachOther() throws {
        let limits = try DeclaredLimits(.window("w", "1/minute"))
        let store = store(limits)
        #expect(store.ask(limits.group, .decide, ["a"])?.isAllowed == true)
        #expect(store.ask(limits.group, .decide, ["b"])?.isAllowed == true)
        #expect(store.ask(limits.group, .decide, ["a"])?.isAllowed == false)
    }

    @Test func beyondItsKeysALimitSharesOneCounter() throws {
        let limits = try DeclaredLimits(.window("ip", "2/minute", per: [.clientIP]) { $0.maximumKeys = 3 })
        let store = store(limits)
        for ip in ["1", "2", "3"] { #expect(store.ask(limits.group, .decide, [ip])?.isAllowed == true) }
        #expect(store.ask(limits.group, .decide, ["4"])?.isAllowed == true)
        #expect(store.ask(limits.group, .decide, ["5"])?.isAllowed == true)
        #expect(store.ask(limits.group, .decide, ["6"])?.isAllowed == false)
        // Those who have a counter keep it.
        #expect(store.ask(limits.group, .decide, ["1"])?.isAllowed == true)
        #expect(store.ask(limits.group, .decide, ["1"])?.isAllowed == false)
        #expect(store.count == 3)
    }

    @Test func onceCountersAreNeutralTheirPlacesAreFreeAgain() throws {
        let limits = try DeclaredLimits(.window("ip", "2/s", per: [.clientIP]) { $0.maximumKeys = 1000 })
        let store = store(limits)
        for ip in 0..<1000 { _ = store.ask(limits.group, .decide, ["\(ip)"]) }
        #expect(store.count == 1000)
        #expect(store.ask(limits.group, .decide, ["late"])?.isAllowed == true)
        #expect(store.count == 1000)
        time.advance(by: .seconds(4))
        // A few callers are enough to find the places again, wherever they are.
        for round in 0..<3000 { _ = store.ask(limits.group, .decide, ["new\(round % 10)"]) }
        #expect(store.count < 1000)
        for ip in 0..<50 {
            let answers = (0..<3).map { _ in store.ask(limits.group, .decide, ["fresh\(ip)"])?.isAllowed }
            #expect(answers == [true, true, false])
        }
    }

    @Test func aMillionRandomKeysStayWithinTheBound() throws {
        var random = SeededGenerator()
        let limits = try DeclaredLimits(.window("h", "5/hour", per: [.header("x-key")]))
        let store = store(limits)
        let call = LimitCall()
        for _ in 0..<1_000_000 {
            call.prepare(limits.group)
            withUnsafeBytes(of: random.next()) { call.appendValue($0) }
            store.decide(call)
        }
        #expect(store.count == Limit.defaultMaximumKeys)
        #expect(store.byteCount <= 64 * Limit.defaultMaximumKeys)
    }

    @Test func aKeyTakesAtMostAHundredBytesFromAThousandKeysOn() throws {
        let limits = try DeclaredLimits(.window("w", "5/hour"))
        let store = store(limits)
        let call = LimitCall()
        for tenant in 1...200_000 {
            call.prepare(limits.group)
            withUnsafeBytes(of: tenant) { call.appendValue($0) }
            store.decide(call)
            if tenant % 1000 == 0 { #expect(store.byteCount <= 100 * tenant, "\(tenant) keys") }
        }
    }

    @Test func manyThreadsAdmitExactlyTheLimit() async throws {
        let limits = try DeclaredLimits(.window("w", "1000/hour"), .window("all", "100000/hour", per: []))
        let store = store(limits)
        let admitted = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask { (0..<500).count { _ in store.ask(limits.group)?.isAllowed == true } }
            }
            return await group.reduce(0, +)
        }
        #expect(admitted == 1000)
        #expect(store.ask(limits.group, .peek)?.verdicts.map(\.remaining) == [0, 99_000])
    }

    /// The table against a dictionary, through insertions, expiries and shrinking.
    @Test func theTableForgetsOnlyWhatIsNeutral() throws {
        var random = SeededGenerator()
        let limits = try DeclaredLimits(.window("w", "1000/s"))
        let store = store(limits)
        let rule = limits.group.limits[0].rule
        var model: [String: CounterState] = [:]
        for _ in 0..<60_000 {
            if Int.random(in: 0..<50, using: &random) == 0 {
                time.advance(by: .milliseconds(.random(in: 0...700, using: &random)))
            }
            let key = "\(UInt.random(in: 0..<3000, using: &random))"
            let cost = Int64.random(in: 0...400, using: &random)
            let now = time.nowMicroseconds
            var state = rule.current(model[key] ?? rule.neutral(at: now), at: now)
            let expected = rule.decide(&state, cost: cost, at: now, charges: true)
            model[key] = state
            let decision = try #require(store.ask(limits.group, .decide, [key], cost: cost))
            try #require(decision.verdicts == [expected])
        }
    }
}
