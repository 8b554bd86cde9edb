/// Deciding from what the shared store granted in advance and what this replica counts alone, and asking the store for more.
extension LeasingStore {
    private enum Step {
        /// All its limits were decided here.
        case decided
        /// Some of its limits need a lease that is on its way.
        case waits(CounterPlace)
        /// None of its limits is leased now, or local.
        case asks
        /// What is decided here was taken; the others are asked.
        case asksRest(LimitGroup.Selection)
        /// A lease failed.
        case cutOff
    }

    /// What is asked of one counter.
    private struct Renewal {
        var place: CounterPlace
        var limit: EffectiveLimit
        var request: LeaseRequest
    }

    /// So many leases may come that others have spent before a call that waited for them is refused.
    private static let mostAttempts = 16

    /// Decides the limits that are leased from what is held and those that are local, and has the store asked for the others.
    func take(_ call: LimitCall, isResumed: Bool = false) {
        let (now, monotonic, latest) = state.clock.read()
        call.settle(at: now)
        var renewals: [Renewal] = []
        var untold: [CounterPlace] = []
        var step = Step.asks
        state.locked(call, at: now) {
            step = attempt(call, isResumed, at: now, monotonic, latest, &renewals)
            switch step {
            case .asks, .asksRest: carry(call, &untold)
            case .decided, .waits, .cutOff: break
            }
        }
        if case .waits(let place) = step {
            if waiting.isEmpty { state.beginsToWait() }
            call.waitsFor = place
            if call.waitsSince == 0 { call.waitsSince = monotonic }
            waiting.append(call)
        }
        useOverflowKeys(call)
        tell(untold)
        if !renewals.isEmpty { send(renewals) }
        switch step {
        case .decided: call.answer()
        case .waits: break
        case .asks: primary.decide(call)
        case .asksRest(let rest): askRest(rest, of: call)
        case .cutOff:
            _ = decideLocally(call)
            call.answer()
        }
    }

    /// While the call's counters are locked.
    private func attempt(
        _ call: LimitCall, _ isResumed: Bool, at now: Int64, _ monotonic: Int64, _ latest: Int64,
        _ renewals: inout [Renewal]
    ) -> Step {
        let traits = call.traits
        var (leased, here) = (LimitGroup.Selection(), call.group.local)
        var isRefused = false
        var isCutOff = false
        var lacking: CounterPlace?
        for index in traits.indices {
            if traits[index].mode == .local {
                if !traits[index].isShadow, !hasRoomAlone(call, index, at: now) { isRefused = true }
                continue
            }
            guard isLeased(call, index, isResumed, at: now, monotonic) else { continue }
            leased.insert(index)
            here.insert(index)
            let (rule, cost) = (traits[index].rule, call.costs[index])
            guard let memory = state.memories.find(call.places[index])?.pointee.value, cost > 0 else { continue }
            if memory.held(rule, at: monotonic, latest: latest) >= cost { continue }
            let isHopeless = cost > rule.limit || memory.refusedUntil > monotonic
            if !isHopeless, isResumed, !memory.isLeasing { call.attempts += 1 }
            if isHopeless || call.attempts > Self.mostAttempts {
                // A shadow limit refuses nobody: the others are still to be asked.
                if !traits[index].isShadow { isRefused = true }
            } else {
                lacking = call.places[index]
                if isResumed && memory.isCutOff { isCutOff = true }
            }
        }
        if here.isEmpty { return .asks }
        if isRefused {
            decide(call, here, passes: false, at: now, monotonic, latest)
            return .decided
        }
        if let lacking {
            let hasWaited = call.waitsSince > 0 && monotonic - call.waitsSince >= state.deadlineMicroseconds
            if isCutOff || hasWaited { return .cutOff }
            renew(call, leased, at: now, monotonic, latest, &renewals)
            return .waits(lacking)
        }
        for index in traits.indices where here.contains(index) && call.costs[index] > 0 {
            if traits[index].mode == .local {
                if hasRoomAlone(call, index, at: now) { chargeAlone(call, index, at: now) }
                continue
            }
            guard let slot = state.memories.find(call.places[index]) else { continue }
            // A shadow limit that has no more is not charged.
            if slot.pointee.value.held(traits[index].rule, at: monotonic, latest: latest) >= call.costs[index] {
                slot.pointee.value.spend(call.costs[index], traits[index].rule)
                call.taken.insert(index)
            }
        }
        call.spentAt = now
        renew(call, leased, at: now, monotonic, latest, &renewals)
        guard here.count == traits.count else { return .asksRest(here) }
        decide(call, here, passes: true, at: now, monotonic, latest)
        return .decided
    }

    /// Whether this limit of the call is leased now; notes what is asked of it.
    private func isLeased(
        _ call: LimitCall, _ index: Int, _ isResumed: Bool, at now: Int64, _ monotonic: Int64
    ) -> Bool {
        let traits = call.traits[index]
        let rule = traits.rule
        guard traits.mode != .exact else { return false }
        if state.memories.find(call.places[index]) == nil {
            guard traits.isAlwaysLeased else { return false }
            var memory = CounterMemory()
            memory.isLeased = true
            keep(memory, at: call.places[index], rule, traits.index, now: now)
        }
        guard let slot = state.memories.find(call.places[index]) else { return false }
        slot.pointee.value.expire(rule, at: monotonic)
        slot.pointee.value.move(to: now, rule: rule, share: state.share)
        if !isResumed { slot.pointee.value.demand.note(call.costs[index], at: monotonic, rule) }
        slot.pointee.value.isLeased =
            traits.isAlwaysLeased
            || LeaseTerms.pays(
                slot.pointee.value.demand.unitsPerSecond(at: monotonic, rule), rule,
                shares: state.shares, isLeased: slot.pointee.value.isLeased)
        return slot.pointee.value.isLeased
    }

    /// Fills in the call's decision where all its limits are decided here, or where one of those refuses.
    func decide(
        _ call: LimitCall, _ here: LimitGroup.Selection, passes: Bool, at now: Int64, _ monotonic: Int64,
        _ latest: Int64
    ) {
        let traits = call.traits
        call.decision.begin(limits: traits.count)
        for index in traits.indices {
            let verdict = verdict(
                call, index, isHere: here.contains(index), passes: passes, at: now, monotonic, latest)
            call.decision.append(verdict, isEnforced: !traits[index].isShadow)
        }
    }

    /// What a caller is told of one limit by what was last seen of it, and what this replica holds.
    func verdict(
        _ call: LimitCall, _ index: Int, isHere: Bool, passes: Bool, at now: Int64, _ monotonic: Int64,
        _ latest: Int64
    ) -> Verdict {
        let (rule, cost) = (call.traits[index].rule, call.costs[index])
        let memory = state.memories.find(call.places[index])?.pointee.value ?? CounterMemory()
        let held = memory.held(rule, at: monotonic, latest: latest)
        let known = memory.known(rule, holding: held, at: now)
        let available = rule.available(known, at: now)
        let hasRoom = isHere && call.traits[index].mode != .local ? held >= cost : cost <= available
        let isAllowed = cost == 0 || (isHere && passes ? call.taken.contains(index) : hasRoom)
        var verdict = rule.verdict(
            known, available: available, cost: cost, isAllowed: isAllowed, at: now, reportsReset: call.reportsReset)
        if !isAllowed, verdict.retryMicroseconds != Verdict.never {
            verdict.remaining = min(verdict.remaining, cost - 1)
            verdict.retryMicroseconds = max(verdict.retryMicroseconds, memory.refusedUntil - monotonic, 1)
        }
        return verdict
    }

    // MARK: Asking for leases

    /// Asks for what the call's leased limits lack or will soon lack, all of a tenant's together.
    private func renew(
        _ call: LimitCall, _ leased: LimitGroup.Selection, at now: Int64, _ monotonic: Int64, _ latest: Int64,
        _ renewals: inout [Renewal]
    ) {
        var isUrgent = false
        for index in call.traits.indices where leased.contains(index) {
            guard let slot = state.memories.find(call.places[index]) else { continue }
            let rule = call.traits[index].rule
            let held = slot.pointee.value.held(rule, at: monotonic, latest: latest)
            let demand = slot.pointee.value.demand.unitsPerSecond(at: monotonic, rule)
            guard !slot.pointee.value.isLeasing, slot.pointee.value.refusedUntil <= monotonic else { continue }
            let lacks = held < call.costs[index] && call.spentAt != now
            if lacks || LeaseTerms.isLow(held, demand) { isUrgent = true }
        }
        guard isUrgent else { return }
        for index in call.traits.indices where leased.contains(index) {
            guard let slot = state.memories.find(call.places[index]) else { continue }
            let rule = call.traits[index].rule
            let held = slot.pointee.value.held(rule, at: monotonic, latest: latest)
            let demand = slot.pointee.value.demand.unitsPerSecond(at: monotonic, rule)
            let waits = call.spentAt == now ? 0 : call.costs[index] + unitsAwaited(at: call.places[index])
            let wanted = LeaseTerms.wanted(demand, rule, waiting: waits, holding: held, at: now)
            guard !slot.pointee.value.isLeasing, slot.pointee.value.refusedUntil <= monotonic, wanted > 0 else {
                continue
            }
            let counter = OpenCounter(key: key(call, index), limit: call.group.limits[index], isExact: false)
            let request = slot.pointee.value.request(
                counter, rule, wanted: wanted, holding: held, tells: state.mayTellNow, isExact: false,
                sequence: state.nextSequence(), at: monotonic)
            // It must be there when the answer comes, however long nobody had asked for it before.
            keep(slot.pointee.value, at: call.places[index], rule, counter.limit.index, now: now)
            renewals.append(Renewal(place: call.places[index], limit: counter.limit, request: request))
        }
    }

    /// What calls that wait already, or are about to be tried again, need of a counter.
    private func unitsAwaited(at place: CounterPlace) -> Int64 {
        var units: Int64 = 0
        for call in [waiting[...], resumed].joined() where call.waitsFor == place {
            for index in call.places.indices where call.places[index] == place { units += call.costs[index] }
        }
        return units
    }

    private func key(_ call: LimitCall, _ index: Int) -> [UInt8] {
        state.memories.isOverflow(call.places[index])
            ? call.withOverflowKey(index) { [UInt8]($0) } : call.withKey(index) { [UInt8]($0) }
    }

    /// Those of a tenant go in one call; each that has no tenant in one of its own, for it lies elsewhere on a cluster.
    private func send(_ renewals: [Renewal]) {
        let tagEnd = KeyTemplate.tagStart
        func isOfTenant(_ renewal: Renewal) -> Bool { renewal.request.key[tagEnd] != UInt8(ascii: "~") }
        let ofTenant = renewals.filter(isOfTenant)
        if !ofTenant.isEmpty { ask(ofTenant) }
        for renewal in renewals where !isOfTenant(renewal) { ask([renewal]) }
    }

    private func ask(_ renewals: [Renewal]) {
        let sent = state.clock.monotonic
        primary.lease(renewals.map(\.request), of: state.replica) { [self] result in
            switch result {
            case .success(let answer):
                state.withBreaker { $0.succeeded(at: state.clock.monotonic) }
                state.clock.align(to: answer.now, askedAt: sent)
                if answer.isOutsidePeriods {
                    giveUp(renewals, isCutOff: false)
                } else {
                    for (renewal, entry) in zip(renewals, answer.entries) {
                        accept(entry, of: renewal, sent: sent, at: answer.now)
                    }
                }
            case .failure(let error):
                noteFailure(error)
                giveUp(renewals, isCutOff: true)
            }
            resume(after: renewals.map(\.place))
            state.wakeOthers(than: self)
        }
    }

    private func giveUp(_ renewals: [Renewal], isCutOff: Bool) {
        for renewal in renewals {
            state.memories.locked(renewal.place) {
                guard let slot = state.memories.find(renewal.place) else { return }
                slot.pointee.value.isLeasing = false
                slot.pointee.value.isCutOff = isCutOff
            }
        }
    }

    private func accept(_ entry: LeaseAnswer.Entry, of renewal: Renewal, sent: Int64, at storeTime: Int64) {
        let (place, rule) = (renewal.place, renewal.request.rule)
        // The store's clock may have gone back since others moved the counter on: it is in this window all the same.
        if rule.isWindow { state.clock.align(to: rule.start(ofWindow: entry.state.position)) }
        let (now, monotonic, latest) = state.clock.read()
        var isOpen = false
        var isUnsettled = false
        state.memories.locked(place) {
            guard let slot = state.memories.find(place) else { return }
            var memory = slot.pointee.value
            memory.turnAhead(to: entry.state.position, rule, at: storeTime)
            memory.move(to: now, rule: rule, share: state.share)
            memory.answered(renewal.request, entry, sent: sent, at: monotonic)
            isUnsettled = memory.hasUnsettled(rule)
            isOpen = isUnsettled || memory.held(rule, at: monotonic, latest: latest) > 0
            keep(memory, at: place, rule, renewal.limit.index, now: now)
        }
        if isOpen {
            state.noteOpen(place, renewal.limit, isUnsettled: isUnsettled) {
                OpenCounter(key: renewal.request.key, limit: renewal.limit, isExact: renewal.request.isExact)
            }
        } else {
            state.close(place)
        }
    }

    /// Tries again the calls that wait for one of these counters; nil: for any.
    func resume(after places: [CounterPlace]? = nil) {
        guard !waiting.isEmpty else { return }
        var calls: ArraySlice<LimitCall> = []
        waiting.removeAll { call in
            guard places?.contains(call.waitsFor!) ?? true else { return false }
            calls.append(call)
            return true
        }
        if waiting.isEmpty { state.endsToWait() }
        while let call = calls.popFirst() {
            resumed = calls
            if state.withBreaker({ $0.isClosed }) {
                take(call, isResumed: true)
            } else {
                _ = decideLocally(call)
                call.answer()
            }
        }
    }

    // MARK: Telling and giving back

    func noteOpen(_ call: LimitCall, _ index: Int, isUnsettled: Bool) {
        state.noteOpen(call.places[index], call.group.limits[index], isUnsettled: isUnsettled) {
            OpenCounter(
                key: key(call, index), limit: call.group.limits[index],
                isExact: !mayBeLeased(call.traits[index]))
        }
    }

    /// Tells the store what was spent from these counters beyond what it granted.
    func tell(_ places: [CounterPlace]) {
        for place in places {
            if let counter = state.openCounter(place) { lookAfter(place, counter) }
        }
    }

    /// Tells the store what it does not know yet, gives back what nobody asks for, and forgets what is settled.
    func lookAfter(_ counters: [(CounterPlace, OpenCounter)]) {
        for (place, counter) in counters { lookAfter(place, counter) }
    }

    private func lookAfter(_ place: CounterPlace, _ counter: OpenCounter) {
        let (now, monotonic, latest) = state.clock.read()
        let rule = counter.limit.rule(at: now)
        var request: LeaseRequest?
        var isOver = false
        state.memories.locked(place) {
            guard let slot = state.memories.find(place) else { return isOver = true }
            guard !slot.pointee.value.isLeasing else { return }
            slot.pointee.value.expire(rule, at: monotonic)
            slot.pointee.value.move(to: now, rule: rule, share: state.share)
            let held = slot.pointee.value.held(rule, at: monotonic, latest: latest)
            if slot.pointee.value.hasUnsettled(rule) || slot.pointee.value.doubtsStore {
                guard state.mayTellNow else { return }
                request = slot.pointee.value.request(
                    counter, rule, wanted: 0, holding: held, tells: true, isExact: counter.isExact,
                    sequence: state.nextSequence(), at: monotonic)
            } else if held == 0 {
                isOver = true
            } else if monotonic - slot.pointee.value.demand.lastAsked >= LeaseTerms.idleMicroseconds {
                slot.pointee.value.release(rule)
                request = slot.pointee.value.request(
                    counter, rule, wanted: 0, holding: LeaseRequest.gives, tells: true, isExact: false,
                    sequence: state.nextSequence(), at: monotonic)
            }
        }
        if isOver { state.close(place) }
        if let request { ask([Renewal(place: place, limit: counter.limit, request: request)]) }
    }
}
