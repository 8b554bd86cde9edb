import HTTPWire
import Telemetry
import TestSupport
import Testing
import WeirConfiguration

@testable import Gateway

struct SharedBreakerTests {
    private static let rules = CircuitBreaker.Rules(
        windowNanoseconds: 1000, minimumRequests: 4, errorPercent: 50, consecutiveFailures: nil, slowPercent: nil,
        openNanoseconds: 500, longestOpenNanoseconds: 500, probes: 1)

    private func breaker(_ rules: CircuitBreaker.Rules = rules) -> SharedBreaker {
        SharedBreaker(rules, gauge: BreakerGauge(service: "a", route: nil), seed: 1)
    }

    /// Passes are gathered outside of the lock; that must not change what they do.
    @Test func itDecidesAsAnUnsharedOneDoes() {
        var generator = SeededGenerator()
        for _ in 0..<100 {
            let seed = generator.next()
            let shared = SharedBreaker(Self.rules, gauge: BreakerGauge(service: "a", route: nil), seed: seed)
            var plain = CircuitBreaker(Self.rules, seed: seed)
            var now: Int64 = 5000
            for _ in 0..<300 {
                now += .random(in: 0...70, using: &generator)
                let admission = shared.admit(at: now)
                let expected = plain.admit(at: now)
                #expect(admission == expected)
                let outcome: CircuitBreaker.Outcome = Int.random(in: 0..<3, using: &generator) == 0 ? .failed : .passed
                shared.ended(admission, outcome, at: now)
                plain.ended(admission, outcome, at: now)
            }
        }
    }

    @Test func itsGaugeShowsThePhase() {
        let breaker = breaker()
        #expect(breaker.gauge.state == .closed)
        var phases: [CircuitBreaker.Phase?] = []
        for _ in 0..<4 { phases.append(breaker.ended(breaker.admit(at: 0), .failed, at: 0)) }
        #expect(phases.map { $0 == nil } == [true, true, true, false])
        #expect(breaker.gauge.state == .open)
        #expect(!breaker.isClosed)
        let probe = breaker.admit(at: 600)
        #expect(breaker.gauge.state == .halfOpen)
        #expect(breaker.ended(probe, .passed, at: 600) == .closed)
        #expect(breaker.gauge.state == .closed)
    }

    @Test func whatIsDeclaredAsBeforeKeepsItsState() throws {
        func table(_ open: Duration, _ budget: Int, following previous: ResilienceTable? = nil) -> ResilienceTable {
            var rules = BreakerRules()
            rules.open = open
            var retries = RetryRules()
            retries.budgetPercent = budget
            var service = Service(
                name: "a",
                routes: [Route(name: "own", path: "/own", host: nil), Route(name: "b", path: "/b", host: nil)],
                upstreams: [])
            service.resilience.breaker = .on(BreakerRules())
            service.resilience.retries = .on(retries)
            service.resilience.concurrency = .on(5)
            service.routes[0].resilience.breaker = .on(rules)
            return ResilienceTable([service], following: previous)
        }
        let first = table(.seconds(5), 20)
        var state = ResilienceState(first)
        let spent = (0..<3).map { _ in state.budgets[0].takeRetry(at: 0) }
        #expect(spent == [true, true, true])
        let changed = table(.seconds(6), 20, following: first)
        let breaker = { (table: ResilienceTable, route: Int) in try #require(table.routes[0][route]?.breaker) }
        #expect(try breaker(first, 0) !== breaker(first, 1))
        #expect(try breaker(changed, 1) === breaker(first, 1))
        #expect(try breaker(changed, 0) !== breaker(first, 0))
        #expect(changed.gauges.map(\.route) == [nil, "own"])
        #expect(changed.routes[0][0]?.concurrency?.inFlight === first.routes[0][0]?.concurrency?.inFlight)
        var kept = ResilienceState(changed, following: (first, state))
        #expect(kept.budgets.count == 1)
        let isLeft = kept.budgets[0].takeRetry(at: 0)
        #expect(!isLeft)
        var fresh = ResilienceState(table(.seconds(5), 30), following: (first, state))
        let isFresh = fresh.budgets[0].takeRetry(at: 0)
        #expect(isFresh)
    }

    @Test func everyMethodThatMayBeRepeatedIsOneThatIsAccepted() {
        var retries = RetryRules()
        retries.methods = RetryRules.repeatable
        var declared = Resilience()
        declared.retries = .on(retries)
        var parts = ResiliencePlan.Parts()
        parts.retries = ResiliencePlan.Retries(
            rules: retries, backoff: Backoff(firstNanoseconds: 1, longestNanoseconds: 1), budget: 0)
        let plan = ResiliencePlan(declared, parts)
        let repeated = Method.allCases.filter { plan.mayRepeat($0) }.map(\.name.description)
        #expect(Set(repeated) == RetryRules.repeatable)
        let byDefault = ResiliencePlan(Resilience(), ResiliencePlan.Parts())
        #expect(Method.allCases.allSatisfy { byDefault.mayRepeat($0) == $0.isIdempotent })
    }

    @Test func requestsInFlightAreCountedExactlyOnManyThreads() async {
        let inFlight = RequestsInFlight()
        let most = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var entered = 0
                    for _ in 0..<2000 where inFlight.enter(atMost: 5000) { entered += 1 }
                    return entered
                }
            }
            return await group.reduce(0, +)
        }
        #expect(most == 5000)
        inFlight.leave()
        #expect(inFlight.enter(atMost: 5000))
        #expect(!inFlight.enter(atMost: 5000))
    }
}
