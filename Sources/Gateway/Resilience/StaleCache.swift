/// An answer that was good, as it may be given again.
struct StaleAnswer: Sendable {
    let status: Int
    /// The status line and the fields, without what says how long the body is and what belongs to one answer alone.
    let head: [UInt8]
    let body: [UInt8]
    /// The loop's clock, in nanoseconds.
    let storedAt: Int64
    /// Seconds that it had then.
    let ageWhenStored: Int64
    /// Seconds for which it was fresh, of its whole age.
    let freshSeconds: Int64
    /// How old it may be, in nanoseconds since it was stored.
    let lifetimeNanoseconds: Int64

    /// In seconds.
    func age(at now: Int64) -> Int64 { ageWhenStored + max(0, now - storedAt) / 1_000_000_000 }
}

/// The last good answers of one service at one worker: bounded in number and in bytes; what was asked for longest ago goes
/// first. Time is an argument (nanoseconds, monotonic).
struct StaleCache {
    private struct Entry {
        let key: [UInt8]
        var answer: StaleAnswer
        var bytes: Int
        /// Places of the neighbours in the order of use; below zero: none.
        var newer = -1
        var older = -1
    }

    /// What an entry takes beside its bytes: table, list, the arrays' own heads.
    static let overheadBytes = 256

    let maximumEntries: Int
    let maximumBytes: Int
    private var entries: [Entry?] = []
    private var free: [Int] = []
    private var places: [[UInt8]: Int] = [:]
    private var newest = -1
    private var oldest = -1
    private(set) var bytes = 0

    init(maximumEntries: Int, maximumBytes: Int) {
        self.maximumEntries = maximumEntries
        self.maximumBytes = maximumBytes
    }

    var count: Int { places.count }

    /// nil: there is none, or none that is not too old.
    mutating func find(_ key: [UInt8], at now: Int64) -> StaleAnswer? {
        guard let place = places[key], let answer = entries[place]?.answer else { return nil }
        guard now - answer.storedAt <= answer.lifetimeNanoseconds else {
            remove(at: place)
            return nil
        }
        unlink(place)
        link(place)
        return answer
    }

    /// Replaces what the key had. An answer that is larger than everything together may be is not kept.
    mutating func store(_ key: [UInt8], _ answer: StaleAnswer) {
        remove(key)
        let bytes = key.count + answer.head.count + answer.body.count + Self.overheadBytes
        guard bytes <= maximumBytes else { return }
        while oldest >= 0, places.count >= maximumEntries || self.bytes + bytes > maximumBytes { remove(at: oldest) }
        let entry = Entry(key: key, answer: answer, bytes: bytes)
        let place: Int
        if let last = free.popLast() {
            place = last
            entries[place] = entry
        } else {
            place = entries.count
            entries.append(entry)
        }
        places[key] = place
        self.bytes += bytes
        link(place)
    }

    mutating func remove(_ key: [UInt8]) {
        if let place = places[key] { remove(at: place) }
    }

    private mutating func remove(at place: Int) {
        guard let entry = entries[place] else { return }
        unlink(place)
        places[entry.key] = nil
        bytes -= entry.bytes
        entries[place] = nil
        free.append(place)
    }

    // MARK: The order of use

    private mutating func link(_ place: Int) {
        entries[place]?.older = newest
        entries[place]?.newer = -1
        if newest >= 0 { entries[newest]?.newer = place }
        newest = place
        if oldest < 0 { oldest = place }
    }

    private mutating func unlink(_ place: Int) {
        guard let entry = entries[place] else { return }
        if entry.newer >= 0 { entries[entry.newer]?.older = entry.older } else { newest = entry.older }
        if entry.older >= 0 { entries[entry.older]?.newer = entry.newer } else { oldest = entry.newer }
    }
}
