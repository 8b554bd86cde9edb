import Synchronization

/// The calendar quotas that this process counts, or knows of from before it started: what was used of each in its periods.
///
/// Counters note themselves once; their counts are copied here when somebody asks for them, so that deciding costs no more.
package final class UsageBook: Sendable {
    struct Entry {
        let key: [UInt8]
        let limit: EffectiveLimit
        /// What the store of the counters is known to have, or to have had.
        var counts: PeriodCounts
        /// As it was handed out last by `takeChanged`.
        var recorded: PeriodCounts?
        /// What was used beside `counts`, in the period `number` and in the one before.
        var beside: (number: Int64, current: Int64, before: Int64) = (0, 0, 0)
        /// The shared store must be told what it had, for it may have lost it.
        var isUntold = false

        var whole: PeriodCounts {
            var whole = counts
            if beside.current + beside.before > 0 { whole.add(beside.current, beside.before, at: beside.number) }
            return whole
        }
    }

    private struct Entries {
        var of: [CounterPlace: Entry] = [:]
        var untold: [CounterPlace] = []
        /// When the shared store's memory began, as `FleetView.birth` has it; 0: unknown.
        var birth: Int64 = 0
    }

    private let entries = Mutex(Entries())

    package init() {}

    package var count: Int { entries.withLock { $0.of.count } }

    /// When the memory of the shared store began that these counts are of; 0: unknown.
    package var birth: Int64 { entries.withLock { $0.birth } }

    /// The counter is decided here.
    func note(_ place: CounterPlace, _ limit: EffectiveLimit, at now: Int64, key: () -> [UInt8]) {
        entries.withLock { entries in
            guard entries.of[place] == nil else { return }
            entries.of[place] = Entry(
                key: key(), limit: limit, counts: PeriodCounts(number: limit.rule(at: now).number))
        }
    }

    subscript(place: CounterPlace) -> Entry? { entries.withLock { $0.of[place] } }

    var places: [(place: CounterPlace, limit: EffectiveLimit)] {
        entries.withLock { $0.of.map { ($0.key, $0.value.limit) } }
    }

    func update(_ place: CounterPlace, _ body: (inout Entry) -> Void) {
        entries.withLock { entries in
            guard var entry = entries.of[place] else { return }
            body(&entry)
            entries.of[place] = entry
        }
    }

    /// Takes back what was recorded of a counter.
    func restore(_ record: UsageRecord, at place: CounterPlace, _ limit: EffectiveLimit) {
        entries.withLock { entries in
            guard entries.of[place] == nil else {
                entries.of[place]!.counts.merge(record.counts)
                return
            }
            entries.of[place] = Entry(key: record.key, limit: limit, counts: record.counts, recorded: record.counts)
        }
    }

    /// What has changed since the last time; forgets counters of which nothing is left to tell.
    package func takeChanged(at now: Int64) -> [UsageRecord] {
        var changed: [UsageRecord] = []
        var numbers: [ObjectIdentifier: Int64] = [:]
        let places = entries.withLock { Array($0.of.keys) }
        for start in stride(from: 0, to: places.count, by: Self.placesATime) {
            entries.withLock { entries in
                for place in places[start..<min(start + Self.placesATime, places.count)] {
                    guard let entry = entries.of[place] else { continue }
                    let limit = ObjectIdentifier(entry.limit)
                    let number = numbers[limit] ?? entry.limit.rule(at: now).number
                    numbers[limit] = number
                    let whole = entry.whole
                    var moved = whole
                    moved.move(to: number)
                    if moved.isEmpty, !entry.isUntold {
                        entries.of[place] = nil
                    } else if whole != entry.recorded {
                        entries.of[place]!.recorded = whole
                        changed.append(UsageRecord(key: entry.key, counts: whole))
                    }
                }
            }
        }
        return changed
    }

    /// So many are looked at while those who decide wait.
    private static let placesATime = 256

    // MARK: A store that lost its memory

    /// What a heartbeat said of the shared store. One that began anew must be told everything.
    func saw(birth: Int64) {
        entries.withLock { entries in
            guard birth > 0, birth != entries.birth else { return }
            entries.birth = birth
            for place in entries.of.keys { Self.markUntold(place, in: &entries) }
        }
    }

    /// These counts are from the store whose memory began then.
    package func restore(birth: Int64) { entries.withLock { $0.birth = birth } }

    /// Whether something is left to tell.
    package var hasUntold: Bool { entries.withLock { !$0.untold.isEmpty } }

    /// Up to `limit` counters that the store must be told of.
    func nextUntold(_ limit: Int) -> [(place: CounterPlace, entry: Entry)] {
        entries.withLock { entries in
            let places = Array(entries.untold.suffix(limit))
            entries.untold.removeLast(places.count)
            return places.compactMap { place in
                entries.of[place]?.isUntold = false
                return entries.of[place].map { (place, $0) }
            }
        }
    }

    func tellAgain(_ place: CounterPlace) { entries.withLock { Self.markUntold(place, in: &$0) } }

    private static func markUntold(_ place: CounterPlace, in entries: inout Entries) {
        guard entries.of[place]?.isUntold == false else { return }
        entries.of[place]!.isUntold = true
        entries.untold.append(place)
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
