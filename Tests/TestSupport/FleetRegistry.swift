package import LimiterCore

/// Who is alive, as the heartbeat script of a Redis keeps it.
package struct FleetRegistry: Hashable {
    /// When each replica was last seen, in milliseconds.
    private var seen: [String: Int64] = [:]
    /// The most that were alive at one time, by minute.
    private var peaks: [Int64: Int] = [:]
    /// When this memory began, in milliseconds; 0: nobody was seen yet.
    private var birth: Int64 = 0

    package init() {}

    /// `clock` is the store's own time, `now` the time that it answers with; both in microseconds.
    package mutating func heartbeat(of replica: ReplicaID, clock: Int64, now: Int64) -> FleetView {
        let milliseconds = clock / 1000
        seen[replica.text] = milliseconds
        seen = seen.filter { $0.value > milliseconds - 10_000 && $0.value < milliseconds + 10_000 }
        let rank = seen.keys.count { $0 < replica.text }

        let minute = milliseconds / 60_000
        peaks = peaks.filter { $0.key > minute - 10 && $0.key <= minute + 1 }
        let peak = max(seen.count, peaks.values.max() ?? 0)
        if seen.count > peaks[minute] ?? 0 { peaks[minute] = seen.count }
        if birth == 0 { birth = max(1, milliseconds) }
        return FleetView(now: now, alive: seen.count, rank: rank, peak: peak, birth: birth)
    }

    package mutating func leave(_ replica: ReplicaID) { seen[replica.text] = nil }
}
