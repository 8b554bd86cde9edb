import LimiterCore
import LoadTester
import TestSupport
import Testing

/// The judge judged: an exact limiter, seen through a network that delays as it likes, is never found guilty; a faulty one is.
@Suite struct SoundnessTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let limit: String
        let rule: CounterRule
        var testDescription: String { limit }
    }

    static let cases = [
        Case(
            limit: "10/s",
            rule: CounterRule(
                algorithm: .slidingWindow, limit: 10, refill: 0, periodTicks: 1_000_000, tickMicroseconds: 1)),
        Case(
            limit: "37/7s",
            rule: CounterRule(
                algorithm: .slidingWindow, limit: 37, refill: 0, periodTicks: 7_000_000, tickMicroseconds: 1)),
        Case(
            limit: "10/s,burst=25",
            rule: CounterRule(algorithm: .tokenBucket, limit: 25, refill: 1, periodTicks: 100_000, tickMicroseconds: 1)),
        Case(
            limit: "3/5s,burst=4",
            rule: CounterRule(algorithm: .tokenBucket, limit: 4, refill: 3, periodTicks: 5_000_000, tickMicroseconds: 1)
        ),
    ]

    /// Microseconds from 1970 to the run's start: in the middle of a window.
    private static let epoch: Int64 = 1_767_225_603_123_456

    /// What a client sees of a limiter that decides by `rule`, each request somewhere between sending and receiving.
    private static func observe(
        _ rule: CounterRule, seconds: Int64, random: inout SeededGenerator
    ) -> [Observation] {
        var state = rule.neutral(at: epoch)
        var observations: [Observation] = []
        var decided: Int64 = 0
        while decided < seconds * 1_000_000 {
            // Quiet stretches and floods.
            decided += Int64.random(in: 0...(Bool.random(using: &random) ? 400_000 : 4000), using: &random)
            let now = epoch + decided
            let cost = Int64.random(in: 1...3, using: &random)
            state = rule.current(state, at: now)
            let verdict = rule.decide(&state, cost: cost, at: now, charges: true)
            let (before, after) = (
                Int64.random(in: 0...30_000, using: &random), Int64.random(in: 1...30_000, using: &random)
            )
            observations.append(
                Observation(
                    sent: (decided - before) * 1000, received: (decided + after) * 1000, tenant: 0, cost: Int(cost),
                    outcome: verdict.isAllowed ? .admitted : .refused,
                    retryAfter: verdict.isAllowed
                        ? .missing : .seconds(Int((verdict.retryMicroseconds + 999_999) / 1_000_000))))
        }
        return observations
    }

    private static func judge(_ observations: [Observation], _ limit: String) throws -> Accuracy {
        let promise = try Promise(parsing: limit)
        return Accuracy(
            observations, names: ["acme"],
            Accuracy.Settings(
                promise: promise, isShared: false,
                windows: ClockWindows(length: promise.periodNanoseconds, epoch: epoch * 1000, skew: 0)))
    }

    @Test(arguments: cases)
    func anExactLimiterIsNeverFoundGuilty(_ one: Case) throws {
        var random = SeededGenerator()
        for _ in 0..<30 {
            let accuracy = try Self.judge(Self.observe(one.rule, seconds: 40, random: &random), one.limit)
            #expect(accuracy.overAdmissionPercent == 0)
            #expect(accuracy.wrongRefusals == 0)
            #expect(accuracy.underAdmissionPercent == 0)
            #expect(accuracy.retryAfterTooLate == 0)
            #expect(accuracy.retryAfterMissing + accuracy.retryAfterInvalid == 0)
            #expect(accuracy.refusedRequests > 0, "the limit was met")
        }
    }

    @Test(arguments: cases)
    func oneThatAdmitsHalfAsMuchAgainIsFoundOut(_ one: Case) throws {
        var random = SeededGenerator()
        var generous = one.rule
        generous = CounterRule(
            algorithm: generous.algorithm, limit: generous.limit * 3 / 2, refill: generous.refill * 3,
            periodTicks: generous.algorithm == .tokenBucket ? generous.periodTicks * 2 : generous.periodTicks,
            tickMicroseconds: 1)
        let accuracy = try Self.judge(Self.observe(generous, seconds: 40, random: &random), one.limit)
        #expect(accuracy.overAdmissionPercent > 0)
        #expect(accuracy.wrongRefusals == 0)
    }

    @Test(arguments: cases)
    func oneThatAdmitsHalfIsFoundOut(_ one: Case) throws {
        var random = SeededGenerator()
        let miserly = CounterRule(
            algorithm: one.rule.algorithm, limit: one.rule.limit / 2, refill: one.rule.refill,
            periodTicks: one.rule.algorithm == .tokenBucket ? one.rule.periodTicks * 2 : one.rule.periodTicks,
            tickMicroseconds: 1)
        let accuracy = try Self.judge(
            Self.observe(miserly, seconds: 40, random: &random).filter { $0.cost <= miserly.limit }, one.limit)
        #expect(accuracy.overAdmissionPercent == 0)
        #expect(accuracy.wrongRefusals > 0)
        #expect(accuracy.underAdmissionPercent > 5)
    }
}
