/// Stands before the shared store: asks it, spends from what it granted in advance, and decides by itself when it does not answer. One an
/// event loop, over state that the process shares.
///
/// `@unchecked Sendable`: created on and called from one event loop only; closures that it hands to its shared store run there too.
package final class LeasingStore: LimitStore, SharedStoreObserver, @unchecked Sendable {
    let primary: any SharedStore
    let state: LeasingState
    /// Calls that wait for a lease, in order of arrival.
    var waiting: [LimitCall] = []
    /// Those that waited, and are about to be tried again.
    var resumed: ArraySlice<LimitCall> = []
    /// For the limits of a call that are asked exactly while others are decided here; reused.
    var spareParts: [LimitCall] = []
    private var nextHeartbeat: Int64 = 0
    private var isHeartbeatUnderWay = false

    private static let heartbeatMicroseconds: Int64 = 2_000_000
    private static let countersATick = 1024

    /// `run` executes its argument on the event loop that the store belongs to; other stores over the same state call it. Until
    /// `end`, the store and its state hold each other: a weak reference would make each of a decision's strong ones dear.
    package init(
        primary: any SharedStore, state: LeasingState,
        run: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void = { $0() }
    ) {
        self.primary = primary
        self.state = state
        primary.observer = self
        state.add(self) { run { self.resume() } }
    }

    /// Other stores wake it no longer. Call it when it is asked no more.
    package func end() { state.remove(self) }

    package var storeTime: Int64? { state.clock.storeTime }

    package func decide(_ call: LimitCall) {
        call.makeKeys()
        call.settle(at: state.clock.now)
        guard call.group.isLocal || state.withBreaker({ $0.isClosed }) else {
            _ = decideLocally(call)
            return call.answer()
        }
        if call.group.mayLease, call.operation == .decide {
            take(call)
        } else if !call.group.local.isEmpty {
            lookOrReset(call)
        } else {
            load(call)
            primary.decide(call)
        }
    }

    /// Fills in what was last seen of each counter; what was spent without the store goes there first, on the same connection.
    func load(_ call: LimitCall) {
        let now = state.clock.now
        var untold: [CounterPlace] = []
        state.locked(call, at: now) { carry(call, &untold) }
        useOverflowKeys(call)
        tell(untold)
    }

    /// The same while the call's counters are locked; `untold`: those of which the store must be told first.
    func carry(_ call: LimitCall, _ untold: inout [CounterPlace]) {
        let mayTell = state.mayTell
        for index in call.group.limits.indices {
            let place = call.places[index]
            guard let slot = state.memories.find(place) else { continue }
            // What was seen of a counter that replicas hold leases of may have been given back since: a lease call asks the ledger.
            let traits = call.traits[index]
            if !mayBeLeased(traits) { call.carried[index] = slot.pointee.value.seen }
            if mayTell, !slot.pointee.value.isLeasing, slot.pointee.value.hasUnsettled(traits.rule) {
                untold.append(place)
            }
        }
    }

    func mayBeLeased(_ traits: LimitTraits) -> Bool {
        traits.isAlwaysLeased
            || (traits.mode == .automatic && LeaseTerms.isLargeEnough(traits.rule, shares: state.shares))
    }

    func useOverflowKeys(_ call: LimitCall) {
        guard call.places.contains(where: state.memories.isOverflow) else { return }
        call.useOverflowKeys { state.memories.isOverflow(call.places[$0]) }
    }

    // MARK: What the shared store says

    package func answered(_ call: LimitCall, at now: Int64) {
        state.withBreaker { $0.succeeded(at: state.clock.monotonic) }
        state.clock.align(to: now)
        var held: [Int64] = []
        var doubtful: [(index: Int, isUnsettled: Bool)] = []
        state.locked(call, at: now) {
            for index in call.group.limits.indices {
                keepSeen(call.states[index], at: call.places[index], call.traits[index], now: now)
                if let memory = state.memories.find(call.places[index])?.pointee.value, memory.doubtsStore {
                    doubtful.append((index, memory.hasUnsettled(call.traits[index].rule)))
                }
                if call.operation == .peek { held.append(self.held(call.traits[index].rule, call.places[index])) }
            }
        }
        for (index, isUnsettled) in doubtful { noteOpen(call, index, isUnsettled: isUnsettled) }
        if held.contains(where: { $0 > 0 }) { resolve(call, holding: held, at: now) }
        finish(call)
    }

    /// What this replica holds has been granted and is not spent: who asks what is left is told so.
    private func resolve(_ call: LimitCall, holding held: [Int64], at now: Int64) {
        for index in call.traits.indices {
            let rule = call.traits[index].rule
            switch rule.algorithm {
            case .slidingWindow, .calendar: call.states[index].count = max(0, call.states[index].count - held[index])
            case .tokenBucket:
                call.states[index].count = min(rule.limit, call.states[index].count + held[index])
            }
        }
        _ = call.resolve(at: now)
    }

    private func held(_ rule: CounterRule, _ place: CounterPlace) -> Int64 {
        state.memories.find(place)?.pointee.value.held(rule, at: state.clock.monotonic, latest: state.clock.latest) ?? 0
    }

    package func failed(_ call: LimitCall, _ error: StoreError) -> [Int64] {
        noteFailure(error)
        let spent = decideLocally(call)
        finish(call)
        return spent
    }

    package func answeredLate(_ answer: LateAnswer) {
        for index in answer.group.limits.indices {
            let rule = answer.rules[index]
            let place = answer.keys[index].withUnsafeBytes(state.memories.place(ofKey:))
            state.memories.locked(place) {
                if index < answer.charged.count, index < answer.spentLocally.count,
                    let slot = state.memories.find(place)
                {
                    slot.pointee.value.unspend(
                        min(answer.charged[index], answer.spentLocally[index]), rule, at: answer.now)
                }
                var traits = answer.group.traits[index]
                traits.rule = rule
                guard state.memories.find(place) != nil || state.memories.hasRoom(traits.index) else { return }
                keepSeen(answer.states[index], at: place, traits, now: answer.now)
            }
        }
    }

    private func keepSeen(_ seen: CounterState, at place: CounterPlace, _ traits: LimitTraits, now: Int64) {
        let rule = traits.rule
        let known = state.memories.find(place)?.pointee.value
        if known == nil, rule.available(seen, at: now) == rule.limit, seen.generation == 0 { return }
        var memory = known ?? CounterMemory()
        memory.saw(seen, rule: rule, mayBeLeased: mayBeLeased(traits), at: now)
        keep(memory, at: place, rule, traits.index, now: now)
    }

    func keep(_ memory: CounterMemory, at place: CounterPlace, _ rule: CounterRule, _ limit: Int, now: Int64) {
        let share = memory.hasUnsettled(rule) ? state.share : FleetShare(shares: 1, rank: nil)
        state.memories.store(
            memory, at: place, limit: limit, now: now, milliseconds: memory.timeToLiveMilliseconds(rule, share, at: now)
        )
    }

    func noteFailure(_ error: StoreError) {
        switch error.code {
        case .overloaded, .shutdown: break
        case .disconnected: state.suspect()
        case .timeout, .interrupted, .refused, .unauthorized, .incompatible:
            if error.code == .timeout { state.holdTelling() }
            guard !primary.guardsItself else { return }
            state.withBreaker { $0.failed(at: state.clock.monotonic) }
        }
    }

    // MARK: Time

    /// Looks after the shared store: heartbeats, probes, what is held and not used, and what is left to tell. One store of
    /// the process calls it, every 50 ms or so.
    package func tick() {
        let now = state.clock.monotonic
        let isProbe = state.withBreaker { $0.shouldProbe(at: now) }
        let isDue = now >= nextHeartbeat || state.takeSuspicion()
        let isClosed = state.withBreaker { $0.isClosed }
        if isProbe || (isClosed && isDue && !isHeartbeatUnderWay) { beat(isProbe: isProbe) }
        if isClosed {
            lookAfter(state.nextOpen(Self.countersATick))
            tellLost()
        }
    }

    private func beat(isProbe: Bool) {
        isHeartbeatUnderWay = true
        let sent = state.clock.monotonic
        nextHeartbeat = sent + Self.heartbeatMicroseconds
        primary.heartbeat(of: state.replica) { [self] result in
            isHeartbeatUnderWay = false
            let now = state.clock.monotonic
            switch result {
            case .success(let view):
                state.clock.align(to: view.now, askedAt: sent)
                state.saw(view)
                state.withBreaker { isProbe ? $0.probePassed(at: now) : $0.succeeded(at: now) }
            case .failure(let error):
                state.withBreaker { breaker in
                    if isProbe {
                        breaker.probeFailed(at: now)
                    } else if error.code == .disconnected || !error.isTransient || !state.wasHeard {
                        // Nothing is gained by trying a few times more.
                        breaker.disconnected(at: now)
                    } else {
                        breaker.failed(at: now)
                    }
                }
            }
        }
    }

    /// Takes this replica off the fleet's list.
    package func leave(_ completion: @escaping () -> Void) { primary.leave(state.replica, completion) }
}
