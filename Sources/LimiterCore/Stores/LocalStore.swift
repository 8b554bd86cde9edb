/// Counters in this process's memory: exact for one process, decided at once, shared by all its event loops.
///
/// Memory: 48 bytes a slot, at most 80 % free after growth, so at most 72 bytes a key; the number of keys is bounded by
/// the limits' `maximumKeys`.
package final class LocalStore: LimitStore, Sendable {
    private struct Counter: BitwiseCopyable, Sendable {
        var position: Int64
        var count: Int64
        var rest: Int64
    }

    private let table: CounterTable<Counter>
    private let time: any TimeSource

    package init(labels: [LimitTable.Label], time: any TimeSource) {
        self.time = time
        table = CounterTable(labels: labels, now: time.nowMicroseconds)
    }

    /// Counters that are kept just now.
    package var count: Int { table.count }
    /// Bytes that they take, free slots included.
    package var byteCount: Int { table.byteCount }

    /// Answers before it returns.
    package func decide(_ call: LimitCall) {
        call.makeKeys()
        let now = time.nowMicroseconds
        table.locked(call, at: now) {
            call.states.removeAll(keepingCapacity: true)
            for index in call.group.limits.indices {
                let rule = call.group.limits[index].rule
                if let counter = table.find(call.places[index])?.pointee.value {
                    let state = CounterState(position: counter.position, count: counter.count, rest: counter.rest)
                    call.states.append(rule.current(state, at: now))
                } else {
                    call.states.append(rule.neutral(at: now))
                }
            }
            if call.resolve(at: now) { keep(call, at: now) }
        }
        call.answer()
    }

    private func keep(_ call: LimitCall, at now: Int64) {
        for index in call.group.limits.indices {
            let state = call.states[index]
            let limit = call.group.limits[index]
            // What is neutral needs no memory, unless it has some already.
            if limit.rule.available(state, at: now) == limit.rule.limit, table.find(call.places[index]) == nil {
                continue
            }
            table.store(
                Counter(position: state.position, count: state.count, rest: state.rest), at: call.places[index],
                limit: limit.index,
                now: now, milliseconds: limit.rule.timeToLiveMilliseconds(state, at: now))
        }
    }
}
