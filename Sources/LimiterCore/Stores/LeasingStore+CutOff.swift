/// Deciding without the shared store.
extension LeasingStore {
    /// Decides by what this replica holds and its share of the rest, and answers nobody yet. Returns what was spent, one amount a limit;
    /// empty: nothing.
    func decideLocally(_ call: LimitCall) -> [Int64] {
        guard call.group.failurePolicy != .deny, call.operation != .reset else {
            call.decideUnavailable()
            return []
        }
        let (now, monotonic, latest) = state.clock.read()
        call.settle(at: now)
        let share = state.share
        var spent: [Int64] = []
        state.locked(call, at: now) {
            call.decision.begin(limits: call.group.limits.count)
            var memories: [CounterMemory] = []
            var held: [Int64] = []
            var passes = true
            for (index, limit) in call.group.limits.enumerated() {
                let rule = call.traits[index].rule
                if limit.limit.mode == .local {
                    memories.append(CounterMemory())
                    held.append(0)
                    passes = passes && (limit.limit.isShadow || hasRoomAlone(call, index, at: now))
                    continue
                }
                var memory = state.memories.find(call.places[index])?.pointee.value ?? CounterMemory()
                memory.expire(rule, at: monotonic)
                memory.move(to: now, rule: rule, share: share)
                memories.append(memory)
                held.append(memory.held(rule, at: monotonic, latest: latest))
                passes =
                    passes
                    && (limit.limit.isShadow
                        || admits(memory, limit, rule, cost: call.costs[index], share, holding: held[index], at: now))
            }
            // What was granted before is as good as the store's own word.
            call.decision.isDegraded = !call.group.limits.indices.allSatisfy {
                call.group.local.contains($0) || call.costs[$0] <= held[$0]
            }
            for (index, limit) in call.group.limits.enumerated() {
                let (rule, cost) = (call.traits[index].rule, call.costs[index])
                if limit.limit.mode == .local {
                    spent.append(0)
                    decideAlone(call, index, charges: passes && call.operation == .decide, at: now)
                    continue
                }
                let isAllowed = admits(memories[index], limit, rule, cost: cost, share, holding: held[index], at: now)
                if passes && isAllowed && cost > 0 && call.operation == .decide {
                    memories[index].spend(cost, rule)
                    held[index] = max(0, held[index] - cost)
                    keep(memories[index], at: call.places[index], rule, limit.index, now: now)
                    spent.append(cost)
                } else {
                    spent.append(0)
                }
                call.decision.append(
                    verdict(memories[index], rule, cost: cost, isAllowed, share, holding: held[index], at: now),
                    isEnforced: !limit.limit.isShadow)
            }
        }
        for (index, units) in spent.enumerated() where units > 0 { noteOpen(call, index, isUnsettled: true) }
        return spent.contains { $0 > 0 } ? spent : []
    }

    private func admits(
        _ memory: CounterMemory, _ limit: EffectiveLimit, _ rule: CounterRule, cost: Int64, _ share: FleetShare,
        holding held: Int64, at now: Int64
    ) -> Bool {
        cost == 0 || limit.limit.onStoreFailure == .allow
            || cost <= memory.available(rule, share, holding: held, at: now)
    }

    private func verdict(
        _ memory: CounterMemory, _ rule: CounterRule, cost: Int64, _ isAllowed: Bool, _ share: FleetShare,
        holding held: Int64, at now: Int64
    ) -> Verdict {
        let remaining = max(0, memory.available(rule, share, holding: held, at: now))
        func delay(_ units: Int64) -> Int64 { memory.delay(untilAvailable: units, rule, share, at: now) }
        let isFull = remaining >= share.of(rule.limit)
        return Verdict(
            isAllowed: isAllowed, limit: rule.limit, remaining: remaining,
            nextUnitMicroseconds: isFull ? 0 : delay(remaining + 1),
            fullMicroseconds: isFull ? 0 : delay(share.of(rule.limit)),
            retryMicroseconds: isAllowed ? 0 : cost > rule.limit ? Verdict.never : max(1, delay(cost)))
    }
}
