/// Limits that this replica counts alone, whatever becomes of the shared store. All of it while the call's counters are locked,
/// except `lookOrReset`.
extension LeasingStore {
    /// What this replica has counted, and what is left of that.
    private func known(_ call: LimitCall, _ index: Int, at now: Int64) -> CounterState {
        let memory = state.memories.find(call.places[index])?.pointee.value ?? CounterMemory()
        return memory.known(call.traits[index].rule, holding: 0, at: now)
    }

    func hasRoomAlone(_ call: LimitCall, _ index: Int, at now: Int64) -> Bool {
        call.traits[index].rule.admits(known(call, index, at: now), cost: call.costs[index], at: now)
    }

    func chargeAlone(_ call: LimitCall, _ index: Int, at now: Int64) {
        change(call, index, at: now) { $0.chargeAlone(call.costs[index], $1, at: now) }
        call.taken.insert(index)
    }

    func refundAlone(_ call: LimitCall, _ index: Int, at now: Int64) {
        change(call, index, at: now) { $0.refundAlone(call.costs[index], $1, chargedAt: call.spentAt, at: now) }
    }

    func resetAlone(_ call: LimitCall, at now: Int64) {
        for index in call.traits.indices where call.group.local.contains(index) {
            call.costs[index] = 0
            if state.memories.find(call.places[index]) != nil {
                change(call, index, at: now) { $0.resetAlone($1, at: now) }
            }
        }
    }

    /// Adds the limit's verdict to the call's decision, and charges it if it has room and `charges` is set.
    func decideAlone(_ call: LimitCall, _ index: Int, charges: Bool, at now: Int64) {
        let (traits, cost) = (call.traits[index], call.costs[index])
        let isAllowed = hasRoomAlone(call, index, at: now)
        if charges, isAllowed, cost > 0 { chargeAlone(call, index, at: now) }
        call.decision.append(
            traits.rule.verdict(known(call, index, at: now), cost: cost, isAllowed: isAllowed, at: now),
            isEnforced: !traits.isShadow)
    }

    private func change(
        _ call: LimitCall, _ index: Int, at now: Int64, _ body: (inout CounterMemory, CounterRule) -> Void
    ) {
        let (place, rule) = (call.places[index], call.traits[index].rule)
        var memory = state.memories.find(place)?.pointee.value ?? CounterMemory()
        body(&memory, rule)
        keep(memory, at: place, rule, call.traits[index].index, now: now)
    }

    /// A question that charges nothing: the store is asked about what it decides, if anything.
    func lookOrReset(_ call: LimitCall) {
        guard call.group.isLocal else {
            load(call)
            return askRest(call.group.local, of: call)
        }
        let (now, monotonic, latest) = state.clock.read()
        state.locked(call, at: now) {
            if call.operation == .reset { resetAlone(call, at: now) }
            decide(call, call.group.local, passes: false, at: now, monotonic, latest)
        }
        call.answer()
    }
}
