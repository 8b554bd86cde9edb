/// A request of which some limits are decided here, and the store is asked about the others.
extension LeasingStore {
    /// Asks the store for all limits but these, which are decided here.
    func askRest(_ here: LimitGroup.Selection, of call: LimitCall) {
        let part = spareParts.popLast() ?? LimitCall()
        part.begin(as: call.group.part(without: here), of: call, here)
        primary.decide(part)
    }

    /// The answer to a call, or to a part of one, is there.
    func finish(_ part: LimitCall) {
        guard let whole = part.whole else { return part.answer() }
        let here = part.decidedElsewhere
        part.whole = nil
        defer { spareParts.append(part) }
        if part.decision.outcome == .unavailable { whole.decideUnavailable() }
        let passes = part.decision.isAllowed
        let (now, monotonic, latest) = state.clock.read()
        state.memories.locked(whole, at: now) {
            let traits = whole.traits
            if !passes {
                for index in traits.indices where whole.taken.contains(index) {
                    if traits[index].mode == .local {
                        refundAlone(whole, index, at: now)
                        continue
                    }
                    guard let slot = state.memories.find(whole.places[index]) else { continue }
                    slot.pointee.value.refund(whole.costs[index], whole.traits[index].rule, at: whole.spentAt)
                }
            }
            guard part.decision.outcome != .unavailable else { return }
            if whole.operation == .reset { resetAlone(whole, at: now) }
            whole.decision.begin(limits: traits.count)
            var next = 0
            for index in traits.indices {
                if here.contains(index) {
                    let verdict = verdict(
                        whole, index, isHere: true, passes: passes && whole.operation == .decide, at: now, monotonic,
                        latest)
                    whole.decision.append(verdict, isEnforced: !traits[index].isShadow)
                } else {
                    whole.decision.append(part.decision.verdicts[next], isEnforced: !traits[index].isShadow)
                    next += 1
                }
            }
            whole.decision.isDegraded = part.decision.isDegraded
        }
        whole.answer()
    }
}
