/// Answers what was used of calendar quotas.
package protocol UsageStore: AnyObject {
    /// `call` is prepared for a group whose limits are all calendar quotas. Ends in one call of `completion`, on the store's event loop.
    func usage(of call: LimitCall, _ completion: @escaping (UsageAnswer) -> Void)
}

/// What was used of the limits of a question, in their order.
package struct UsageAnswer: Sendable {
    /// The shared store was not asked: these are this replica's own numbers.
    package var isDegraded: Bool
    /// The store's time in microseconds.
    package var now: Int64
    package var counts: [PeriodCounts]
}

/// What the shared store is asked of one counter, and what is remembered of it that it may have lost.
package struct PeriodRequest: Hashable, Sendable {
    package var key: [UInt8]
    package var remembered: PeriodCounts?
    /// How long that must be kept.
    package var lifeMilliseconds: Int64

    package init(key: [UInt8], remembered: PeriodCounts? = nil, lifeMilliseconds: Int64 = 0) {
        self.key = key
        self.remembered = remembered
        self.lifeMilliseconds = lifeMilliseconds
    }
}

extension PeriodRequest {
    /// Most requests of one call.
    package static let most = 64
}

/// The store's word on a call of such requests.
package struct PeriodAnswer: Hashable, Sendable {
    /// The store's time in microseconds.
    package var now: Int64
    /// One a request; nil: the store knows nothing of the counter.
    package var counts: [PeriodCounts?]

    package init(now: Int64, counts: [PeriodCounts?]) {
        self.now = now
        self.counts = counts
    }
}

/// Asks a store that belongs to an event loop from anywhere.
///
/// `@unchecked Sendable`: the store is touched only inside `run`, which executes on the store's loop.
package final class AsyncUsage: @unchecked Sendable {
    private let store: any UsageStore
    private let run: @Sendable (@escaping @Sendable () -> Void) -> Void

    /// `run` executes its argument on the event loop that the store belongs to.
    package init(store: any UsageStore, run: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void) {
        self.store = store
        self.run = run
    }

    /// The question's group holds calendar quotas only.
    package func usage(_ question: LimitQuestion) async -> UsageAnswer {
        await withCheckedContinuation { continuation in
            run { self.store.usage(of: question.makeCall()) { continuation.resume(returning: $0) } }
        }
    }
}

extension LocalStore: UsageStore, UsageKeeping {
    package func usage(of call: LimitCall, _ completion: @escaping (UsageAnswer) -> Void) {
        let now = time.nowMicroseconds
        call.settle(at: now)
        var counts: [PeriodCounts] = []
        table.locked(call, at: now) {
            for index in call.group.limits.indices {
                update(call.places[index], call.traits[index].rule, at: now)
                counts.append(usage[call.places[index]]?.counts ?? PeriodCounts(number: call.traits[index].rule.number))
            }
        }
        completion(UsageAnswer(isDegraded: false, now: now, counts: counts))
    }

    package func updateUsage() {
        let now = time.nowMicroseconds
        for (place, limit) in usage.places {
            let rule = limit.rule(at: now)
            table.locked(place) { update(place, rule, at: now) }
        }
    }

    /// While the call's counters are locked.
    func noteUsage(_ call: LimitCall, at now: Int64) {
        switch call.operation {
        case .decide: usage.note(call, at: now, isOverflow: table.isOverflow)
        case .reset: for place in call.places { usage.reset(place, at: now) }
        case .peek: break
        }
    }

    /// While the counter is locked.
    private func update(_ place: CounterPlace, _ rule: CounterRule, at now: Int64) {
        let state = state(at: place)
        usage.update(place) { entry in
            entry.isCopied = true
            guard let state else { return }
            // Counters in memory have no generation: there is no other memory of them than this.
            var current = rule.current(state, at: now)
            current.generation = entry.counts.generation
            entry.counts.merge(PeriodCounts(current))
        }
    }

    package func restore(_ records: [UsageRecord], of limits: LimitTable) -> Int {
        let now = time.nowMicroseconds
        return restore(records, of: limits, at: now) { record, limit, rule in
            let place = record.key.withUnsafeBytes(table.place(ofKey:))
            usage.restore(record, at: place, limit)
            table.locked(place) {
                let known = state(at: place) ?? rule.neutral(at: now)
                keep(
                    rule.merged(known, record.counts.state(rule, at: now), at: now), at: place, rule, limit.index,
                    now: now)
            }
        }
    }
}
