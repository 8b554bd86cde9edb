import TestSupport
import Testing

@testable import Gateway

private let second: Int64 = 1_000_000_000

private func rules(
    least: Int = 20, errors: Int = 50, inRow: Int? = nil, slow: Int? = nil, open: Int64 = 5, longest: Int64 = 60,
    probes: Int = 3
) -> CircuitBreaker.Rules {
    CircuitBreaker.Rules(
        windowNanoseconds: 10 * second, minimumRequests: least, errorPercent: errors, consecutiveFailures: inRow,
        slowPercent: slow, openNanoseconds: open * second, longestOpenNanoseconds: longest * second, probes: probes)
}

extension CircuitBreaker {
    /// What it says of one more attempt, which is not made.
    fileprivate func answer(at now: Int64) -> Admission {
        var copy = self
        return copy.admit(at: now)
    }

    fileprivate mutating func feed(_ outcomes: [Outcome], at now: Int64) {
        for outcome in outcomes { ended(admit(at: now), outcome, at: now) }
    }

    fileprivate var openUntil: Int64? { if case .open(let until) = phase { until } else { nil } }
}

struct CircuitBreakerTests {
    struct Row: Sendable {
        var rules: CircuitBreaker.Rules
        var outcomes: [CircuitBreaker.Outcome]
        var opens: Bool
    }

    private static func many(_ counts: (CircuitBreaker.Outcome, Int)...) -> [CircuitBreaker.Outcome] {
        counts.flatMap { Array(repeating: $0.0, count: $0.1) }
    }

    @Test(arguments: [
        Row(rules: rules(), outcomes: many((.failed, 19)), opens: false),
        Row(rules: rules(), outcomes: many((.failed, 20)), opens: true),
        Row(rules: rules(), outcomes: many((.passed, 10), (.failed, 10)), opens: true),
        Row(rules: rules(), outcomes: many((.passed, 11), (.failed, 10)), opens: false),
        Row(rules: rules(errors: 100), outcomes: many((.failed, 19), (.passed, 1), (.failed, 50)), opens: false),
        Row(rules: rules(), outcomes: many((.abandoned, 100), (.failed, 19)), opens: false),
        Row(rules: rules(inRow: 5), outcomes: many((.passed, 100), (.failed, 5)), opens: true),
        Row(rules: rules(inRow: 5), outcomes: many((.failed, 4), (.passed, 1), (.failed, 4)), opens: false),
        Row(rules: rules(inRow: 5), outcomes: many((.failed, 4), (.slow, 1), (.failed, 4)), opens: false),
        Row(rules: rules(slow: 80), outcomes: many((.passed, 5), (.slow, 19)), opens: false),
        Row(rules: rules(slow: 80), outcomes: many((.passed, 5), (.slow, 20)), opens: true),
        Row(rules: rules(), outcomes: many((.slow, 100)), opens: false),
        Row(rules: rules(), outcomes: many((.passed, 100)), opens: false),
    ])
    func itOpensWhenTheWindowSaysSo(row: Row) {
        var breaker = CircuitBreaker(row.rules, seed: 1)
        breaker.feed(row.outcomes, at: second)
        #expect((breaker.openUntil != nil) == row.opens)
    }

    @Test func whatIsOlderThanTheWindowIsForgotten() {
        var breaker = CircuitBreaker(rules(), seed: 1)
        breaker.feed(Self.many((.failed, 19)), at: second)
        breaker.feed([.failed], at: 11 * second)
        #expect(breaker.phase == .closed)
        breaker.feed(Self.many((.failed, 19)), at: 20 * second)
        #expect(breaker.openUntil != nil)
    }

    @Test func openItRefusesAndTheTimeDoublesWhileProbesFail() throws {
        var breaker = CircuitBreaker(rules(inRow: 1, open: 5, longest: 60), seed: 7)
        var now = second
        for expected in [5, 10, 20, 40, 60, 60] as [Int64] {
            breaker.feed([.failed], at: now)
            let until = try #require(breaker.openUntil)
            #expect(abs(until - now - expected * second) <= expected * second / 10)
            #expect(breaker.answer(at: until - 1) == .refused(until: until))
            now = until
        }
        breaker.feed([.passed, .passed, .passed], at: now)
        #expect(breaker.phase == .closed)
        breaker.feed([.failed], at: now)
        #expect(try #require(breaker.openUntil) <= now + 6 * second)
    }

    @Test func halfOpenNoMoreThanTheProbesPass() throws {
        var breaker = CircuitBreaker(rules(inRow: 1, probes: 3), seed: 1)
        breaker.feed([.failed], at: 0)
        let now = try #require(breaker.openUntil)
        let probes = (0..<3).map { _ in breaker.admit(at: now) }
        for probe in probes {
            #expect(probe == .probe(phase: breaker.phaseNumber, round: 0))
        }
        #expect(breaker.answer(at: now) == .refused(until: now))
        // A client that leaves makes room for another probe, and says nothing.
        breaker.ended(probes[0], .abandoned, at: now)
        let another = breaker.admit(at: now)
        #expect(another == probes[0])
        #expect(breaker.answer(at: now) == .refused(until: now))
        breaker.ended(probes[1], .passed, at: now)
        breaker.ended(probes[2], .passed, at: now)
        #expect(breaker.answer(at: now) == .refused(until: now))
        breaker.ended(probes[0], .passed, at: now)
        #expect(breaker.phase == .closed)
    }

    @Test func probesThatDoNotEndKeepNobodyWaitingForEver() throws {
        var breaker = CircuitBreaker(rules(inRow: 1, open: 5, probes: 2), seed: 1)
        breaker.feed([.failed], at: 0)
        let now = try #require(breaker.openUntil)
        let hanging = (0..<2).map { _ in breaker.admit(at: now) }
        #expect(breaker.answer(at: now + 5 * second - 1) == .refused(until: now + 5 * second - 1))
        let next = (0..<2).map { _ in breaker.admit(at: now + 5 * second) }
        #expect(next.allSatisfy { $0 == .probe(phase: breaker.phaseNumber, round: 1) })
        #expect(breaker.answer(at: now + 5 * second) == .refused(until: now + 5 * second))

        var failing = breaker
        failing.ended(hanging[0], .failed, at: now + 6 * second)
        #expect(failing.openUntil != nil)

        // Who is waited for no longer makes room for nobody.
        var left = breaker
        for probe in hanging { left.ended(probe, .abandoned, at: now + 6 * second) }
        #expect(left.answer(at: now + 6 * second) == .refused(until: now + 6 * second))

        // A service whose answers take longer than it is left alone for is used again.
        for probe in hanging { breaker.ended(probe, .passed, at: now + 7 * second) }
        #expect(breaker.phase == .closed)
        for probe in next { breaker.ended(probe, .failed, at: now + 8 * second) }
        #expect(breaker.phase == .closed)
    }

    @Test func whatBeganInAnEarlierPhaseSaysNothingOfThisOne() throws {
        var breaker = CircuitBreaker(rules(inRow: 1), seed: 1)
        let early = breaker.admit(at: 0)
        breaker.feed([.failed], at: 0)
        let until = try #require(breaker.openUntil)
        breaker.ended(early, .failed, at: 1)
        #expect(breaker.openUntil == until)
        breaker.feed([.passed, .passed], at: until)
        breaker.ended(early, .failed, at: until)
        #expect(breaker.phase == .halfOpen)
        breaker.feed([.passed], at: until)
        breaker.ended(early, .failed, at: until)
        #expect(breaker.phase == .closed)
    }

    @Test func aProbeThatBreaksOffAfterItsHeadOpensItAgain() throws {
        var breaker = CircuitBreaker(rules(inRow: 1), seed: 1)
        breaker.feed([.failed], at: 0)
        let until = try #require(breaker.openUntil)
        let probe = breaker.admit(at: until)
        breaker.ended(probe, .passed, at: until)
        breaker.ended(.counted(phase: breaker.phaseNumber), .failed, at: until)
        #expect(breaker.openUntil != nil)
    }

    /// Against one that keeps every event and looks through all of them each time.
    @Test func itAgreesWithANaiveOne() {
        var generator = SeededGenerator()
        for _ in 0..<40 {
            let rules = CircuitBreaker.Rules(
                windowNanoseconds: 1000, minimumRequests: .random(in: 1...10, using: &generator),
                errorPercent: .random(in: 1...100, using: &generator),
                consecutiveFailures: Bool.random(using: &generator) ? .random(in: 2...6, using: &generator) : nil,
                slowPercent: Bool.random(using: &generator) ? .random(in: 1...100, using: &generator) : nil,
                openNanoseconds: 200, longestOpenNanoseconds: 1000, probes: .random(in: 1...4, using: &generator))
            var breaker = CircuitBreaker(rules, seed: generator.next())
            var naive = NaiveBreaker(rules: rules)
            var inFlight: [CircuitBreaker.Admission] = []
            var now: Int64 = 0
            for _ in 0..<600 {
                now += .random(in: 0...60, using: &generator)
                if Bool.random(using: &generator) {
                    let admission = breaker.admit(at: now)
                    let isAdmitted = naive.admit(at: now)
                    if case .refused = admission { #expect(!isAdmitted) } else { #expect(isAdmitted) }
                    if isAdmitted { inFlight.append(admission) }
                } else if let index = inFlight.indices.randomElement(using: &generator) {
                    let admission = inFlight.remove(at: index)
                    let outcomes: [CircuitBreaker.Outcome] = [.passed, .passed, .slow, .failed, .failed, .abandoned]
                    let outcome = outcomes.randomElement(using: &generator)!
                    breaker.ended(admission, outcome, at: now)
                    naive.ended(admission, outcome, at: now, real: breaker.phase)
                }
                #expect(breaker.phase == naive.phase)
            }
        }
    }
}

private struct NaiveBreaker {
    let rules: CircuitBreaker.Rules
    var phase = CircuitBreaker.Phase.closed
    var number = 0
    var events: [(slice: Int64, outcome: CircuitBreaker.Outcome)] = []
    var probing = 0
    var round = 0
    var probesPassed = 0
    var lastProbe: Int64 = 0

    mutating func admit(at now: Int64) -> Bool {
        if case .open(let until) = phase, now >= until { enter(.halfOpen) }
        switch phase {
        case .closed: return true
        case .open: return false
        case .halfOpen:
            if probing + probesPassed >= rules.probes {
                guard now - lastProbe >= rules.openNanoseconds else { return false }
                probing = 0
                round += 1
            }
            lastProbe = now
            probing += 1
            return true
        }
    }

    /// How long it stays open is by chance: `real` says.
    mutating func ended(
        _ admission: CircuitBreaker.Admission, _ outcome: CircuitBreaker.Outcome, at now: Int64,
        real: CircuitBreaker.Phase
    ) {
        switch admission {
        case .counted(number) where phase == .closed:
            guard outcome != .abandoned else { return }
            events.append((now / (rules.windowNanoseconds / 10), outcome))
            if outcome != .passed, isTooMuch(at: now) { enter(real) }
        case .probe(number, let round) where phase == .halfOpen:
            if round == self.round { probing -= 1 }
            switch outcome {
            case .abandoned: break
            case .failed: enter(real)
            case .slow where rules.slowPercent != nil: enter(real)
            case .passed, .slow:
                probesPassed += 1
                if probesPassed == rules.probes { enter(.closed) }
            }
        default: break
        }
    }

    private func isTooMuch(at now: Int64) -> Bool {
        let row = events.reversed().prefix { $0.outcome == .failed }.count
        if let most = rules.consecutiveFailures, row >= most { return true }
        let recent = events.filter { $0.slice > now / (rules.windowNanoseconds / 10) - 10 }
        guard recent.count >= rules.minimumRequests else { return false }
        let failed = recent.count { $0.outcome == .failed }
        let slow = recent.count { $0.outcome == .slow }
        if failed > 0, Double(failed) / Double(recent.count) >= Double(rules.errorPercent) / 100 - 1e-9 { return true }
        guard let percent = rules.slowPercent, slow > 0 else { return false }
        return Double(slow) / Double(recent.count) >= Double(percent) / 100 - 1e-9
    }

    private mutating func enter(_ phase: CircuitBreaker.Phase) {
        self.phase = phase
        number += 1
        events = []
        (probing, probesPassed) = (0, 0)
    }
}
