/// A counter of which this replica holds units, or spent more than the store knows.
struct OpenCounter: Sendable {
    var key: [UInt8]
    var limit: EffectiveLimit
    /// Nobody holds leases of it.
    var isExact: Bool
}

/// The counters that must be looked at until nothing is held of them and nothing is unsettled, in turn.
struct OpenCounters {
    private struct Entry {
        var counter: OpenCounter
        var isUnsettled: Bool
        /// It goes when its turn comes, unless it is opened again before.
        var isClosed = false
    }

    private var entries: [CounterPlace: Entry] = [:]
    /// Whose turn it is in this round, from the end, and who waits for the next one: each entry stands in one of them, once.
    private var turns: [CounterPlace] = []
    private var waiting: [CounterPlace] = []
    /// Entries of which more was spent than the store knows.
    private(set) var unsettled = 0

    subscript(place: CounterPlace) -> OpenCounter? {
        guard let entry = entries[place], !entry.isClosed else { return nil }
        return entry.counter
    }

    /// `limit`: as it is now, which may not be as it was when the counter was opened.
    mutating func add(_ place: CounterPlace, _ limit: EffectiveLimit, isUnsettled: Bool, _ counter: () -> OpenCounter) {
        guard let known = entries[place] else {
            entries[place] = Entry(counter: counter(), isUnsettled: isUnsettled)
            if isUnsettled { unsettled += 1 }
            waiting.append(place)
            return
        }
        entries[place]!.isClosed = false
        entries[place]!.counter.limit = limit
        if known.isUnsettled != isUnsettled {
            entries[place]!.isUnsettled = isUnsettled
            unsettled += isUnsettled ? 1 : -1
        }
    }

    mutating func close(_ place: CounterPlace) {
        guard let entry = entries[place] else { return }
        if entry.isUnsettled { unsettled -= 1 }
        entries[place]!.isUnsettled = false
        entries[place]!.isClosed = true
    }

    /// Up to `limit` counters; a whole round comes by before one comes again.
    mutating func next(_ limit: Int) -> [(CounterPlace, OpenCounter)] {
        var chosen: [(CounterPlace, OpenCounter)] = []
        for _ in 0..<min(limit, turns.count + waiting.count) {
            if turns.isEmpty {
                turns = waiting.reversed()
                waiting.removeAll(keepingCapacity: true)
            }
            let place = turns.removeLast()
            if let entry = entries[place], !entry.isClosed {
                chosen.append((place, entry.counter))
                waiting.append(place)
            } else {
                entries[place] = nil
            }
        }
        return chosen
    }
}
