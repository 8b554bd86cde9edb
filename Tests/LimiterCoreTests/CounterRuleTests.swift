import LimiterCore
import TestSupport
import Testing

@Suite struct CounterRuleTests {
    private static let second: Int64 = 1_000_000

    private func rule(_ declaration: LimitDeclaration) throws -> CounterRule {
        var scope = LimitScope()
        try scope.declare(declaration)
        return scope.limits[0].rule
    }

    @Test func aWindowAdmitsItsLimitAndNotOneMore() throws {
        let rule = try rule(.window("w", "10/minute"))
        let now = 1000 * 60 * Self.second
        var state = rule.neutral(at: now)
        for left in (0..<10).reversed() {
            let verdict = rule.decide(&state, cost: 1, at: now, charges: true)
            #expect(verdict.isAllowed)
            #expect(verdict.remaining == Int64(left))
        }
        let refused = rule.decide(&state, cost: 1, at: now, charges: true)
        #expect(!refused.isAllowed)
        #expect(refused.remaining == 0)
        // 10 counted: one tenth of the next window must pass before the tenth of them has left.
        #expect(refused.retryMicroseconds == 66 * Self.second)
        #expect(refused.fullMicroseconds == 120 * Self.second)
    }

    @Test func aCostIsAdmittedWholeOrNotAtAll() throws {
        let rule = try rule(.window("w", "10/minute"))
        var state = rule.neutral(at: 0)
        #expect(rule.decide(&state, cost: 8, at: 0, charges: true).isAllowed)
        #expect(!rule.decide(&state, cost: 3, at: 0, charges: true).isAllowed)
        #expect(rule.decide(&state, cost: 2, at: 0, charges: true).isAllowed)
        #expect(rule.decide(&state, cost: 11, at: 0, charges: true).retryMicroseconds == Verdict.never)
        #expect(rule.decide(&state, cost: 0, at: 0, charges: true).isAllowed)
    }

    @Test func aBucketAdmitsItsBurstAndThenItsRate() throws {
        let rule = try rule(.bucket("b", "10/minute", burst: 3))
        var now = 7 * Self.second
        var state = rule.neutral(at: now)
        for _ in 0..<3 { #expect(rule.decide(&state, cost: 1, at: now, charges: true).isAllowed) }
        let refused = rule.decide(&state, cost: 1, at: now, charges: true)
        #expect(refused.retryMicroseconds == 6 * Self.second)
        now += refused.retryMicroseconds - 1
        state = rule.current(state, at: now)
        #expect(!rule.decide(&state, cost: 1, at: now, charges: true).isAllowed)
        now += 1
        state = rule.current(state, at: now)
        #expect(rule.decide(&state, cost: 1, at: now, charges: true).isAllowed)
    }

    @Test func aBucketThatWouldNeverFillIsRefused() throws {
        let error = #expect(throws: LimitError.self) { try rule(.bucket("b", "1/53w", burst: 300_000)) }
        #expect(error?.key == "burst")
        let slow = try rule(.bucket("b", "1/53w", burst: 90))
        var state = slow.neutral(at: 0)
        #expect(
            slow.decide(&state, cost: 90, at: 0, charges: true).fullMicroseconds == 90 * 53 * 7 * 86_400 * Self.second)
    }

    @Test func aClockThatWentBackGivesNothing() throws {
        for declaration in [try LimitDeclaration.window("w", "10/minute"), try .bucket("b", "10/minute")] {
            let rule = try rule(declaration)
            let now = 1000 * 60 * Self.second
            var state = rule.neutral(at: now)
            _ = rule.decide(&state, cost: 10, at: now, charges: true)
            let earlier = now - 3600 * Self.second
            let back = rule.current(state, at: earlier)
            #expect(back == state)
            let verdict = rule.verdict(back, cost: 1, isAllowed: false, at: earlier)
            #expect(verdict.remaining == 0)
            var later = rule.current(back, at: earlier + verdict.retryMicroseconds)
            #expect(rule.decide(&later, cost: 1, at: earlier + verdict.retryMicroseconds, charges: true).isAllowed)
        }
    }

    /// Random rules, times and costs: a refused request passes at its Retry-After and not a microsecond sooner.
    @Test func retryAfterIsExact() throws {
        var random = SeededGenerator()
        let rates = ["1/s", "7/s", "10/minute", "1000/30s", "999983/h", "1000000007/h", "3/d", "1000000000000/h"]
        var refusals = 0
        for _ in 0..<4000 {
            let rate = rates.randomElement(using: &random)!
            let isWindow = Bool.random(using: &random)
            let rule = try rule(
                isWindow ? .window("r", rate) : .bucket("r", rate, burst: .random(in: 1...50, using: &random)))
            var now = Int64.random(in: 1_700_000_000_000_000...1_800_000_000_000_000, using: &random)
            var state = rule.neutral(at: now)
            for _ in 0..<12 {
                now += Int64.random(in: 0...(rule.periodMicroseconds / 2 + 1), using: &random)
                state = rule.current(state, at: now)
                let cost = Int64.random(in: 1...max(1, rule.limit / 2), using: &random)
                let verdict = rule.decide(&state, cost: cost, at: now, charges: true)
                guard !verdict.isAllowed else { continue }
                refusals += 1
                let retry = now + verdict.retryMicroseconds
                #expect(rule.admits(rule.current(state, at: retry), cost: cost, at: retry))
                #expect(!rule.admits(rule.current(state, at: retry - 1), cost: cost, at: retry - 1))
            }
        }
        #expect(refusals > 1000)
    }

    /// What the limit promises: at most L in a clock window, at most L(1+x/W) in any interval x.
    @Test func aWindowKeepsItsPromiseInEveryInterval() throws {
        var random = SeededGenerator()
        for _ in 0..<40 {
            let rule = try rule(.window("w", "\(Int.random(in: 1...40, using: &random))/s"))
            let window = rule.periodMicroseconds
            var now = 1_767_225_600_000_000 + Int64.random(in: 0..<window, using: &random)
            var state = rule.neutral(at: now)
            var admitted: [(time: Int64, cost: Int64)] = []
            for _ in 0..<400 {
                now += Int64.random(in: 0...(window / 20), using: &random)
                state = rule.current(state, at: now)
                let cost = Int64.random(in: 1...3, using: &random)
                if rule.decide(&state, cost: cost, at: now, charges: true).isAllowed { admitted.append((now, cost)) }
            }
            let perWindow = Dictionary(grouping: admitted) { $0.time / window }.mapValues {
                $0.reduce(0) { $0 + $1.cost }
            }
            #expect(perWindow.values.allSatisfy { $0 <= rule.limit })
            for start in admitted.indices {
                var sum: Int64 = 0
                for end in start..<admitted.count {
                    let length = admitted[end].time - admitted[start].time
                    guard length <= window else { break }
                    sum += admitted[end].cost
                    #expect(sum * window <= rule.limit * (window + length))
                }
            }
        }
    }

    /// Against exact fractions: after any sequence the bucket holds what an ideal one holds, to the last remainder.
    @Test func aBucketRefillsExactly() throws {
        var random = SeededGenerator()
        for _ in 0..<300 {
            let rule = try rule(
                .bucket("b", "\(Int.random(in: 1...1000, using: &random))/\(Int.random(in: 1...100, using: &random))s"))
            var now = 1_767_225_600_000_000 as Int64
            var state = rule.neutral(at: now)
            // The ideal amount in units of 1/periodTicks tokens.
            var ideal = Int128(rule.limit) * Int128(rule.periodTicks)
            for _ in 0..<60 {
                let step = Int64.random(in: 0...(rule.periodTicks * 3), using: &random)
                now += step
                ideal = min(ideal + Int128(step) * Int128(rule.refill), Int128(rule.limit) * Int128(rule.periodTicks))
                state = rule.current(state, at: now)
                #expect(Int128(state.count) * Int128(rule.periodTicks) + Int128(state.rest) == ideal)
                let cost = Int64.random(in: 0...rule.limit, using: &random)
                if rule.decide(&state, cost: cost, at: now, charges: true).isAllowed {
                    ideal -= Int128(cost) * Int128(rule.periodTicks)
                }
            }
        }
    }

    @Test func mergingTwoMemoriesNeverFavoursTheCaller() throws {
        var random = SeededGenerator()
        for _ in 0..<3000 {
            let isWindow = Bool.random(using: &random)
            let rule = try rule(isWindow ? .window("r", "50/s") : .bucket("r", "50/s"))
            let now = 1_767_225_600_000_000 as Int64
            func memory() -> CounterState {
                let then = now - .random(in: 0...3_000_000, using: &random)
                var state = rule.neutral(at: then)
                for _ in 0..<3 {
                    _ = rule.decide(&state, cost: .random(in: 0...30, using: &random), at: then, charges: true)
                }
                return state
            }
            let (a, b) = (memory(), memory())
            let merged = rule.merged(a, b, at: now)
            #expect(merged == rule.merged(b, a, at: now))
            let available = rule.available(merged, at: now)
            #expect(available <= rule.available(rule.current(a, at: now), at: now))
            #expect(available <= rule.available(rule.current(b, at: now), at: now))
        }
    }

    /// The window of a limit that counted in milliseconds, read after the limit became so small that it counts in microseconds.
    @Test func aRestFromACoarserTickIsBroughtWithinWhatIsExact() throws {
        let (coarse, fine) = (try rule(.window("w", "1000000000/h")), try rule(.window("w", "20/h")))
        #expect(coarse.tickMicroseconds == 1000 && fine.tickMicroseconds == 1)
        let now = 1_767_225_600_000_000 as Int64
        let old = CounterState(position: now / coarse.periodMicroseconds, count: 3, rest: 1_000_000_000)
        for state in [fine.current(old, at: now), fine.merged(old, fine.neutral(at: now), at: now)] {
            #expect(state == CounterState(position: old.position, count: 3, rest: fine.countCeiling))
            #expect(fine.available(state, at: now) == 20 - 3 - fine.countCeiling)
            let retry = now + fine.delay(state, untilAvailable: 1, at: now)
            #expect(fine.admits(fine.current(state, at: retry), cost: 1, at: retry))
            #expect(!fine.admits(fine.current(state, at: retry - 1), cost: 1, at: retry - 1))
        }
    }

    @Test func aBucketTakesNoRemainderOfALongerPeriodAndOwesAtMostItsCapacity() throws {
        let rule = try rule(.bucket("b", "7/minute", burst: 10))
        let now = 1_767_225_600_000_000 as Int64
        let old = CounterState(position: now, count: -25, rest: rule.periodTicks)
        #expect(rule.current(old, at: now) == CounterState(position: now, count: -10, rest: 0))
        let later = now + rule.periodMicroseconds
        #expect(rule.current(old, at: later) == CounterState(position: later, count: -3, rest: 0))
    }

    @Test func aLaterGenerationWinsWhateverWasCounted() throws {
        let rule = try rule(.window("w", "10/minute"))
        var old = rule.neutral(at: 0)
        rule.charge(&old, cost: 10)
        let reset = rule.neutral(at: 0, generation: 5)
        #expect(rule.merged(old, reset, at: 0) == reset)
    }
}
