extension LeasingStore: UsageStore {
    private static let untoldATick = 64

    package func usage(of call: LimitCall, _ completion: @escaping (UsageAnswer) -> Void) {
        call.makeKeys()
        let now = state.clock.now
        call.settle(at: now)
        state.memories.locked(call, at: now) {}
        for index in call.traits.indices { state.updateUsage(call.places[index], call.traits[index].rule, at: now) }
        let known = call.traits.indices.map { index in
            state.usage[call.places[index]]?.whole ?? PeriodCounts(number: call.traits[index].rule.number)
        }
        let own = UsageAnswer(isDegraded: true, now: now, counts: known)
        // A limit that each replica counts for itself is nobody else's to tell.
        let asked = call.traits.indices.filter { !call.group.local.contains($0) }
        guard !asked.isEmpty else {
            return completion(UsageAnswer(isDegraded: false, now: now, counts: known))
        }
        guard state.withBreaker({ $0.isClosed }) else { return completion(own) }
        askPeriods(of: call, asked, known, completion)
    }

    /// In pieces: what comes of one that fails is this replica's own word.
    private func askPeriods(
        of call: LimitCall, _ asked: [Int], _ known: [PeriodCounts],
        _ completion: @escaping (UsageAnswer) -> Void
    ) {
        let keys = asked.map { index in call.withKey(index) { [UInt8]($0) } }
        let (places, rules) = (call.places, call.rules)
        var whole = UsageAnswer(isDegraded: false, now: state.clock.now, counts: known)
        let pieces = stride(from: 0, to: asked.count, by: PeriodRequest.most).map {
            $0..<min($0 + PeriodRequest.most, asked.count)
        }
        var missing = pieces.count
        for piece in pieces {
            primary.periods(piece.map { PeriodRequest(key: keys[$0]) }) { [state] result in
                switch result {
                case .success(let answer):
                    whole.now = answer.now
                    for (index, counts) in zip(asked[piece], answer.counts) {
                        guard var counts, rules[index].mayBeOf(counts) else { continue }
                        // What the store was not told yet.
                        if let beside = state.usage[places[index]]?.beside, beside.current + beside.before > 0 {
                            counts.add(beside.current, beside.before, at: beside.number)
                        }
                        whole.counts[index] = counts
                    }
                case .failure: whole.isDegraded = true
                }
                missing -= 1
                if missing == 0 { completion(whole) }
            }
        }
    }

    /// Gives the store back what it had, as far as anybody here knows.
    func tellLost() {
        let now = state.clock.now
        for (place, entry) in state.usage.nextUntold(Self.untoldATick) {
            let rule = entry.limit.rule(at: now)
            let end = rule.start(ofWindow: rule.number + 1)
            let life = (end - now + rule.periodsKept * rule.periodMicroseconds) / 1000
            guard entry.limit.limit.mode != .local, life > 0 else { continue }
            let request = PeriodRequest(key: entry.key, remembered: entry.counts, lifeMilliseconds: life)
            primary.periods([request]) { [state] result in
                switch result {
                case .success(let answer):
                    guard let counts = answer.counts.first ?? nil, rule.mayBeOf(counts) else { return }
                    state.usage.update(place) { $0.counts.merge(counts) }
                case .failure: state.usage.tellAgain(place)
                }
            }
        }
    }
}
