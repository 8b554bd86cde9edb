import Synchronization

/// The calendar quotas that this process counts, or knows of from before it started: what was used of each in its periods.
///
/// Counters note themselves once; their counts are copied here when somebody asks for them, and every so often, so that deciding
/// costs little more. Values that clients choose are not recorded, so strangers cannot fill it.
package final class UsageBook: Sendable {
    struct Entry {
        let key: [UInt8]
        let limit: EffectiveLimit
        /// What the store of the counters is known to have, or to have had.
        var counts: PeriodCounts
        /// As it was recorded outside last.
        var recorded: PeriodCounts?
        /// What was used beside `counts`, in the period `number` and in the one before.
        var beside: (number: Int64, current: Int64, before: Int64) = (0, 0, 0)
        /// Its counts were copied here since it was noted.
        var isCopied = false
        /// The shared store must be told what it had, for it may have lost it.
        var isUntold = false

        var whole: PeriodCounts {
            var whole = counts
            if beside.current + beside.before > 0 { whole.add(beside.current, beside.before, at: beside.number) }
            return whole
        }
    }

    private final class Shard: Sendable {
        let entries = Mutex<[CounterPlace: Entry]>([:])
    }

    private struct Untold {
        var places: [CounterPlace] = []
        /// When the shared store's memory began, as `FleetView.birth` has it; 0: unknown.
        var birth: Int64 = 0
    }

    /// So that event loops seldom wait for each other, or for who looks at all.
    private let shards = (0..<64).map { _ in Shard() }
    private let untold = Mutex(Untold())

    /// So many are looked at while those who decide wait.
    private static let placesATime = 64

    package init() {}

    package var count: Int { shards.reduce(0) { $0 + $1.entries.withLock { $0.count } } }

    /// When the memory of the shared store began that these counts are of; 0: unknown.
    package var birth: Int64 { untold.withLock { $0.birth } }

    private func entries(of place: CounterPlace) -> Shard { shards[Int(place.hash.low % UInt64(shards.count))] }

    /// Notes the call's calendar quotas, whose counters are locked.
    func note(_ call: LimitCall, at now: Int64, isOverflow: (CounterPlace) -> Bool) {
        for index in call.traits.indices where call.traits[index].rule.keepsPast {
            let place = call.places[index]
            guard !isOverflow(place) else { continue }
            entries(of: place).entries.withLock { entries in
                guard entries[place] == nil else { return }
                entries[place] = Entry(
                    key: call.withKey(index) { [UInt8]($0) }, limit: call.group.limits[index],
                    counts: PeriodCounts(number: call.traits[index].rule.number))
            }
        }
    }

    subscript(place: CounterPlace) -> Entry? { entries(of: place).entries.withLock { $0[place] } }

    var places: [(place: CounterPlace, limit: EffectiveLimit)] {
        shards.flatMap { shard in shard.entries.withLock { $0.map { ($0.key, $0.value.limit) } } }
    }

    func update(_ place: CounterPlace, _ body: (inout Entry) -> Void) {
        entries(of: place).entries.withLock { entries in
            guard var entry = entries[place] else { return }
            body(&entry)
            entries[place] = entry
        }
    }

    /// The counter's budget was given back, and its usage with it.
    func reset(_ place: CounterPlace, at now: Int64) { update(place) { $0.counts.reset(at: now) } }

    /// Takes back what was recorded of a counter.
    func restore(_ record: UsageRecord, at place: CounterPlace, _ limit: EffectiveLimit) {
        entries(of: place).entries.withLock { entries in
            guard entries[place] == nil else {
                entries[place]!.counts.merge(record.counts)
                return
            }
            entries[place] = Entry(
                key: record.key, limit: limit, counts: record.counts, recorded: record.counts, isCopied: true)
        }
    }

    // MARK: Recording outside

    /// A counter that has changed since it was recorded last.
    package struct Change: Sendable {
        fileprivate let place: CounterPlace
        package let record: UsageRecord
    }

    /// What has changed since it was recorded; forgets counters of which nothing is left to tell.
    package func changes(at now: Int64) -> [Change] {
        var changes: [Change] = []
        var numbers: [ObjectIdentifier: Int64] = [:]
        for shard in shards {
            let places = shard.entries.withLock { Array($0.keys) }
            for start in stride(from: 0, to: places.count, by: Self.placesATime) {
                shard.entries.withLock { entries in
                    for place in places[start..<min(start + Self.placesATime, places.count)] {
                        guard let entry = entries[place] else { continue }
                        let limit = ObjectIdentifier(entry.limit)
                        let number = numbers[limit] ?? entry.limit.rule(at: now).number
                        numbers[limit] = number
                        let whole = entry.whole
                        var moved = whole
                        moved.move(to: number)
                        if moved.isEmpty, entry.isCopied, !entry.isUntold {
                            entries[place] = nil
                        } else if whole != entry.recorded {
                            changes.append(Change(place: place, record: UsageRecord(key: entry.key, counts: whole)))
                        }
                    }
                }
            }
        }
        return changes
    }

    /// These are recorded now.
    package func confirm(_ changes: [Change]) {
        for change in changes { update(change.place) { $0.recorded = change.record.counts } }
    }

    // MARK: A store that lost its memory

    /// What a heartbeat said of the shared store. One that began anew must be told everything.
    func saw(birth: Int64) {
        let isAnew = untold.withLock { untold in
            guard birth > 0, birth != untold.birth else { return false }
            untold.birth = birth
            return true
        }
        guard isAnew else { return }
        for (place, _) in places { tellAgain(place) }
    }

    /// These counts are from the store whose memory began then.
    package func restore(birth: Int64) { untold.withLock { $0.birth = birth } }

    /// Up to `limit` counters that the store must be told of.
    func nextUntold(_ limit: Int) -> [(place: CounterPlace, entry: Entry)] {
        let places = untold.withLock { untold in
            let places = Array(untold.places.suffix(limit))
            untold.places.removeLast(places.count)
            return places
        }
        return places.compactMap { place in
            update(place) { $0.isUntold = false }
            return self[place].map { (place, $0) }
        }
    }

    func tellAgain(_ place: CounterPlace) {
        var isNew = false
        update(place) { entry in
            isNew = !entry.isUntold
            entry.isUntold = true
        }
        if isNew { untold.withLock { $0.places.append(place) } }
    }
}

/// Counters whose calendar quotas can be recorded outside the process, and given back to it.
package protocol UsageKeeping: AnyObject, Sendable {
    var usage: UsageBook { get }
    /// Copies what was counted into the book.
    func updateUsage()
    /// Takes back what was recorded, by maximum. Returns how many of the records are of no limit that there is.
    func restore(_ records: [UsageRecord], of limits: LimitTable) -> Int
}

extension UsageKeeping {
    /// Hands out each record that is of a limit, with that and its rule at `now`. Returns how many are of none.
    func restore(
        _ records: [UsageRecord], of limits: LimitTable, at now: Int64,
        _ body: (UsageRecord, EffectiveLimit, CounterRule) -> Void
    ) -> Int {
        var unknown = 0
        for record in records {
            if let limit = limits.calendarQuota(ofKey: record.key), limit.rule(at: now).mayBeOf(record.counts) {
                body(record, limit, limit.rule(at: now))
            } else {
                unknown += 1
            }
        }
        return unknown
    }
}
