/// Asks the shared store, and decides by itself when that does not answer. One an event loop, over state that the process shares.
///
/// `@unchecked Sendable`: created on and called from one event loop only; closures that it hands to its shared store run there too.
package final class FallbackStore: LimitStore, SharedStoreObserver, @unchecked Sendable {
    private let primary: any SharedStore
    private let state: FallbackState
    private var nextHeartbeat: Int64 = 0
    private var isHeartbeatUnderWay = false

    private static let heartbeatMicroseconds: Int64 = 2_000_000
    private static let mergesATick = 256

    package init(primary: any SharedStore, state: FallbackState) {
        self.primary = primary
        self.state = state
        primary.observer = self
    }

    package var storeTime: Int64? { state.clock.storeTime }

    package func decide(_ call: LimitCall) {
        call.makeKeys()
        guard state.withBreaker({ $0.isClosed }) else {
            _ = decideLocally(call)
            return call.answer()
        }
        load(call)
        primary.decide(call)
    }

    /// Fills in what was last seen of each counter; what was spent without the store goes there first, on the same connection.
    private func load(_ call: LimitCall) {
        let now = state.clock.now
        let mayMerge = state.mayMerge
        var merges: [CounterPlace] = []
        var overflows = false
        state.memories.locked(call, at: now) {
            for index in call.group.limits.indices {
                let place = call.places[index]
                overflows = overflows || state.memories.isOverflow(place)
                guard let memory = state.memories.find(place)?.pointee.value else { continue }
                call.carried[index] = memory.seen
                if mayMerge, memory.hasUnsettled(call.group.limits[index].rule) { merges.append(place) }
            }
        }
        if overflows { call.useOverflowKeys { state.memories.isOverflow(call.places[$0]) } }
        for place in merges {
            if let counter = state.unsettledCounter(place) { merge(place, counter) }
        }
    }

    // MARK: What the shared store says

    package func answered(_ call: LimitCall, at now: Int64) {
        state.withBreaker { $0.succeeded(at: state.clock.monotonic) }
        state.clock.align(to: now)
        state.memories.locked(call, at: now) {
            for index in call.group.limits.indices {
                keepSeen(call.states[index], at: call.places[index], call.group.limits[index], now: now)
            }
        }
        call.answer()
    }

    package func failed(_ call: LimitCall, _ error: StoreError) -> [Int64] {
        noteFailure(error)
        let spent = decideLocally(call)
        call.answer()
        return spent
    }

    package func answeredLate(_ answer: LateAnswer) {
        state.clock.align(to: answer.now)
        for index in answer.group.limits.indices {
            let limit = answer.group.limits[index]
            let place = answer.keys[index].withUnsafeBytes(state.memories.place(ofKey:))
            state.memories.locked(place) {
                if index < answer.charged.count, index < answer.spentLocally.count,
                    let slot = state.memories.find(place)
                {
                    slot.pointee.value.unspend(
                        min(answer.charged[index], answer.spentLocally[index]), limit.rule, at: answer.now)
                }
                keepSeen(answer.states[index], at: place, limit, now: answer.now)
            }
        }
    }

    private func keepSeen(_ seen: CounterState, at place: CounterPlace, _ limit: EffectiveLimit, now: Int64) {
        let known = state.memories.find(place)?.pointee.value
        if known == nil, limit.rule.available(seen, at: now) == limit.rule.limit, seen.generation == 0 { return }
        var memory = known ?? CounterMemory()
        memory.saw(seen, rule: limit.rule, at: now)
        keep(memory, at: place, limit, now: now)
    }

    private func keep(_ memory: CounterMemory, at place: CounterPlace, _ limit: EffectiveLimit, now: Int64) {
        let share = memory.hasUnsettled(limit.rule) ? state.share : FleetShare(shares: 1, rank: nil)
        state.memories.store(
            memory, at: place, limit: limit.index, now: now,
            milliseconds: memory.timeToLiveMilliseconds(limit.rule, share, at: now))
    }

    private func noteFailure(_ error: StoreError) {
        switch error.code {
        case .overloaded, .shutdown: break
        case .disconnected: state.suspect()
        case .timeout, .interrupted, .refused, .unauthorized, .incompatible:
            if error.code == .timeout { state.holdMerges() }
            guard !primary.guardsItself else { return }
            state.withBreaker { $0.failed(at: state.clock.monotonic) }
        }
    }

    // MARK: Deciding without it

    /// Decides by this replica's share and answers nobody yet. Returns what was spent, one amount a limit; empty: nothing.
    private func decideLocally(_ call: LimitCall) -> [Int64] {
        guard call.group.failurePolicy != .deny, call.operation != .reset else {
            call.decideUnavailable()
            return []
        }
        let now = state.clock.now
        let share = state.share
        var spent: [Int64] = []
        state.memories.locked(call, at: now) {
            call.decision.begin(limits: call.group.limits.count)
            call.decision.isDegraded = true
            var memories: [CounterMemory] = []
            var passes = true
            for (index, limit) in call.group.limits.enumerated() {
                var memory = state.memories.find(call.places[index])?.pointee.value ?? CounterMemory()
                memory.move(to: now, rule: limit.rule, share: share)
                memories.append(memory)
                passes =
                    passes && (limit.limit.isShadow || admits(memory, limit, cost: call.costs[index], share, at: now))
            }
            for (index, limit) in call.group.limits.enumerated() {
                let cost = call.costs[index]
                let isAllowed = admits(memories[index], limit, cost: cost, share, at: now)
                if passes && isAllowed && cost > 0 && call.operation == .decide {
                    memories[index].spend(cost, limit.rule)
                    keep(memories[index], at: call.places[index], limit, now: now)
                    spent.append(cost)
                } else {
                    spent.append(0)
                }
                call.decision.append(
                    verdict(memories[index], limit, cost: cost, isAllowed: isAllowed, share, at: now),
                    isEnforced: !limit.limit.isShadow)
            }
        }
        noteSpent(call, spent)
        return spent.contains { $0 > 0 } ? spent : []
    }

    private func admits(
        _ memory: CounterMemory, _ limit: EffectiveLimit, cost: Int64, _ share: FleetShare, at now: Int64
    ) -> Bool {
        cost == 0 || limit.limit.onStoreFailure == .allow || cost <= memory.available(limit.rule, share, at: now)
    }

    private func verdict(
        _ memory: CounterMemory, _ limit: EffectiveLimit, cost: Int64, isAllowed: Bool, _ share: FleetShare,
        at now: Int64
    ) -> Verdict {
        let rule = limit.rule
        let remaining = max(0, memory.available(rule, share, at: now))
        func delay(_ units: Int64) -> Int64 { memory.delay(untilAvailable: units, rule, share, at: now) }
        let isFull = remaining >= share.of(rule.limit)
        return Verdict(
            isAllowed: isAllowed, limit: rule.limit, remaining: remaining,
            nextUnitMicroseconds: isFull ? 0 : delay(remaining + 1),
            fullMicroseconds: isFull ? 0 : delay(share.of(rule.limit)),
            retryMicroseconds: isAllowed ? 0 : cost > rule.limit ? Verdict.never : max(1, delay(cost)))
    }

    private func noteSpent(_ call: LimitCall, _ spent: [Int64]) {
        for (index, units) in spent.enumerated() where units > 0 {
            let limit = call.group.limits[index]
            let key =
                state.memories.isOverflow(call.places[index])
                ? call.withOverflowKey(index) { [UInt8]($0) } : call.withKey(index) { [UInt8]($0) }
            state.noteUnsettled(
                call.places[index], FallbackState.UnsettledCounter(key: key, rule: limit.rule, limit: limit.index))
        }
    }

    // MARK: Coming back

    /// Looks after the shared store: heartbeats, probes, and what is left to merge. One store of the process calls it, every
    /// 50 ms or so.
    package func tick() {
        let now = state.clock.monotonic
        let isProbe = state.withBreaker { $0.shouldProbe(at: now) }
        let isDue = now >= nextHeartbeat || state.takeSuspicion()
        let isClosed = state.withBreaker { $0.isClosed }
        if isProbe || (isClosed && isDue && !isHeartbeatUnderWay) { beat(isProbe: isProbe) }
        if isClosed, state.mayMerge {
            for (place, counter) in state.takeUnsettled(Self.mergesATick) {
                merge(place, counter) { [state] in state.mergeEnded(place) }
            }
        }
    }

    private func beat(isProbe: Bool) {
        isHeartbeatUnderWay = true
        nextHeartbeat = state.clock.monotonic + Self.heartbeatMicroseconds
        primary.heartbeat(of: state.replica) { [self] result in
            isHeartbeatUnderWay = false
            let now = state.clock.monotonic
            switch result {
            case .success(let view):
                state.clock.align(to: view.now)
                state.saw(view)
                state.withBreaker { isProbe ? $0.probePassed(at: now) : $0.succeeded(at: now) }
            case .failure(let error):
                state.withBreaker { breaker in
                    if isProbe {
                        breaker.probeFailed(at: now)
                    } else if error.code == .disconnected {
                        breaker.disconnected(at: now)
                    } else {
                        breaker.failed(at: now)
                    }
                }
            }
        }
    }

    private func merge(
        _ place: CounterPlace, _ counter: FallbackState.UnsettledCounter, _ ended: @escaping () -> Void = {}
    ) {
        var spending: Spending?
        state.memories.locked(place) {
            guard let slot = state.memories.find(place) else { return }
            slot.pointee.value.move(to: state.clock.now, rule: counter.rule, share: state.share)
            guard slot.pointee.value.hasUnsettled(counter.rule) else { return }
            spending = slot.pointee.value.spending(of: state.replica, key: counter.key, rule: counter.rule)
        }
        guard let spending else {
            // Its window is long over: nothing is left to tell.
            state.forgetUnsettled(place)
            return
        }
        primary.merge(spending) { [state] result in
            if case .success(let snapshot) = result {
                state.memories.locked(place) {
                    guard let slot = state.memories.find(place) else { return }
                    slot.pointee.value.settle(spending)
                    slot.pointee.value.saw(snapshot.state, rule: counter.rule, at: snapshot.now)
                    if !slot.pointee.value.hasUnsettled(counter.rule) { state.forgetUnsettled(place) }
                }
            }
            ended()
        }
    }

    /// Takes this replica off the fleet's list.
    package func leave(_ completion: @escaping () -> Void) { primary.leave(state.replica, completion) }
}
