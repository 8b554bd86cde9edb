/// Counters in this process's memory: exact for one process, decided at once, shared by all its event loops.
///
/// Memory: 48 bytes a slot, of which at least three quarters are used after growth, so about 64 bytes a key at most; with only a few
/// thousand keys, whole slots of small shards add to that. The number of keys is bounded by the limits' `maximumKeys`.
package final class LocalStore: LimitStore, Sendable {
    struct Counter: BitwiseCopyable, Sendable {
        var position: Int64
        var count: Int64
        var rest: Int64
    }

    let table: CounterTable<Counter>
    let time: any TimeSource
    package let usage = UsageBook()

    /// `secret` is the key of the hash that says where counters lie; at random but where places shall repeat from run to run.
    package init(labels: [LimitTable.Label], time: any TimeSource, secret: (UInt64, UInt64)? = nil) {
        self.time = time
        table = CounterTable(labels: labels, now: time.nowMicroseconds, placesByKey: false, secret: secret)
    }

    /// The limits of a table that was made after the one before.
    package func use(_ labels: [LimitTable.Label]) { table.add(labels) }

    /// Counters that are kept just now.
    package var count: Int { table.count }
    /// Bytes that they take, free slots included.
    package var byteCount: Int { table.byteCount }

    /// Answers before it returns.
    package func decide(_ call: LimitCall) {
        let now = time.nowMicroseconds
        call.settle(at: now)
        table.locked(call, at: now) {
            if call.group.hasCalendar { noteUsage(call, at: now) }
            let traits = call.traits
            if call.states.count != traits.count {
                call.states = Array(repeating: CounterState(position: 0, count: 0, rest: 0), count: traits.count)
            }
            for index in traits.indices {
                if let state = state(at: call.places[index]) {
                    call.states[index] = traits[index].rule.current(state, at: now)
                } else {
                    call.states[index] = traits[index].rule.neutral(at: now)
                }
            }
            if call.resolve(at: now) {
                for index in traits.indices {
                    keep(call.states[index], at: call.places[index], traits[index].rule, traits[index].index, now: now)
                }
            }
        }
        call.answer()
    }

    /// What is kept of a counter, if anything. While it is locked, as all that follows.
    @inline(__always) func state(at place: CounterPlace) -> CounterState? {
        guard let counter = table.find(place)?.pointee.value else { return nil }
        return CounterState(position: counter.position, count: counter.count, rest: counter.rest)
    }

    /// What is neutral needs no memory, unless it has some already.
    func keep(
        _ state: CounterState, at place: CounterPlace, _ rule: CounterRule, _ limit: Int, now: Int64
    ) {
        if rule.available(state, at: now) == rule.limit, table.find(place) == nil { return }
        table.store(
            Counter(position: state.position, count: state.count, rest: state.rest), at: place, limit: limit, now: now,
            milliseconds: rule.timeToLiveMilliseconds(state, at: now))
    }
}
