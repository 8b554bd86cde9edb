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
    /// Each entry stands here once.
    private var turns: [CounterPlace] = []
    private var next = 0
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
            turns.append(place)
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
        for _ in 0..<min(limit, turns.count) {
            if next >= turns.count { next = 0 }
            let place = turns[next]
            if let entry = entries[place], !entry.isClosed {
                chosen.append((place, entry.counter))
                next += 1
            } else {
                entries[place] = nil
                turns.swapAt(next, turns.count - 1)
                turns.removeLast()
            }
        }
        return chosen
    }
}
