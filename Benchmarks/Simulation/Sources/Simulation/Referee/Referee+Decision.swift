import LimiterCore
import TestSupport

/// A decision of the store beside what plain arithmetic says.
extension Referee {
    func checkDecision(
        _ call: LimitCall, _ keys: [[UInt8]], _ before: [SharedCounters.Counter?], at now: Int64
    ) {
        // What replicas may hold of a bucket keeps it from filling up: then its tokens are not the whole of it.
        guard !before.contains(where: { $0?.lease.held ?? 0 > 0 || $0?.lease.heldBefore ?? 0 > 0 }) else { return }
        let limits = call.group.limits
        let found = limits.indices.map {
            Oracle.found(before[$0], carried: call.carried[$0], limits[$0].rule, at: now)
        }
        let fits = limits.indices.map { call.costs[$0] == 0 || call.costs[$0] <= found[$0].available }
        let passes = limits.indices.allSatisfy { fits[$0] || limits[$0].limit.isShadow }
        expect(
            call.decision.isAllowed == passes, passes ? .honestDenial : .exactLimit,
            "\(name(keys)): \(call.costs) of \(found.map(\.available)) at \(now) was \(call.decision.outcome)")
        guard call.decision.isAllowed == passes, call.decision.verdicts.count == limits.count else { return }
        for (index, limit) in limits.enumerated() {
            var expected = found[index].state
            if passes, fits[index], call.operation == .decide {
                expected.count += limit.rule.algorithm == .slidingWindow ? call.costs[index] : -call.costs[index]
            }
            expect(
                call.states[index] == expected, .sameArithmetic,
                "\(name(keys)): \(limit.name) is \(call.states[index]) at \(now) and should be \(expected)")
            let left = Oracle(expected, limit.rule, at: now).available
            let verdict = call.decision.verdicts[index]
            expect(
                verdict.remaining == max(0, left), .boundedRemaining,
                "\(name(keys)): \(limit.name) says that \(verdict.remaining) remain of \(left)")
            checkUnit(verdict, expected, limit.rule, left, at: now)
        }
        if !passes { checkRetry(call, found, at: now) }
    }

    private func name(_ keys: [[UInt8]]) -> String {
        keys.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
    }

    /// When one more unit is there.
    private func checkUnit(_ verdict: Verdict, _ state: CounterState, _ rule: CounterRule, _ left: Int64, at now: Int64)
    {
        guard left < rule.limit, state.position >= 0 else { return }
        let wanted = max(0, left) + 1
        let then = now + verdict.nextUnitMicroseconds
        expect(
            Oracle(state, rule, at: then).available >= wanted
                && (verdict.nextUnitMicroseconds == 0 || Oracle(state, rule, at: then - 1).available < wanted),
            .honestRetry,
            "\(state) at \(now): one more than \(left) is said to come in \(verdict.nextUnitMicroseconds) µs")
    }

    private func checkRetry(_ call: LimitCall, _ found: [Oracle], at now: Int64) {
        let enforced = call.group.limits.indices.filter { !call.group.limits[$0].limit.isShadow }
        func passes(at time: Int64) -> Bool {
            enforced.allSatisfy {
                call.costs[$0] == 0
                    || call.costs[$0] <= Oracle(found[$0].state, call.group.limits[$0].rule, at: time).available
            }
        }
        guard let retry = call.decision.retryAfterMicroseconds else {
            return expect(
                enforced.contains { call.costs[$0] > call.group.limits[$0].rule.limit }, .honestRetry,
                "\(call.costs) can pass some day, and no Retry-After says when")
        }
        expect(
            retry > 0 && passes(at: now + retry) && !passes(at: now + retry - 1), .honestRetry,
            "\(call.costs) is to be tried again in \(retry) µs; then it \(passes(at: now + retry) ? "passes" : "is refused"), and a microsecond sooner it \(passes(at: now + retry - 1) ? "passes" : "is refused")"
        )
    }
}
