extension LeasingState: UsageKeeping {
    /// Runs `body` while every counter of the call is locked, and notes the calendar quotas that it decides.
    func locked(_ call: LimitCall, at now: Int64, _ body: () -> Void) {
        memories.locked(call, at: now) {
            if call.group.hasCalendar, call.operation == .decide {
                usage.note(call, at: now, isOverflow: memories.isOverflow)
            }
            body()
        }
    }

    package func updateUsage() {
        let now = clock.now
        for (place, limit) in usage.places { updateUsage(place, limit.rule(at: now), at: now) }
    }

    func updateUsage(_ place: CounterPlace, _ rule: CounterRule, at now: Int64) {
        var memory: CounterMemory?
        memories.locked(place) { memory = memories.find(place)?.pointee.value }
        usage.update(place) { entry in
            entry.isCopied = true
            guard let memory else { return }
            if memory.seen.position >= 0 { entry.counts.merge(PeriodCounts(rule.current(memory.seen, at: now))) }
            entry.beside = memory.unsettledUnits(rule, at: now)
        }
    }

    package func restore(_ records: [UsageRecord], of limits: LimitTable) -> Int {
        let now = clock.now
        return restore(records, of: limits, at: now) { record, limit, rule in
            let place = record.key.withUnsafeBytes(memories.place(ofKey:))
            usage.restore(record, at: place, limit)
            memories.locked(place) {
                var memory = memories.find(place)?.pointee.value ?? CounterMemory()
                memory.recall(record.counts.state(rule, at: now), rule, at: now)
                memories.store(
                    memory, at: place, limit: limit.index, now: now,
                    milliseconds: memory.timeToLiveMilliseconds(rule, share, at: now))
            }
        }
    }
}
