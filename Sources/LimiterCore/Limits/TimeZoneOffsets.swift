/// A time zone as a table: how far its clocks are ahead of UTC, and since when.
package struct TimeZoneOffsets: Hashable, Sendable {
    /// Such as `Europe/Berlin`.
    package let name: String
    /// Seconds since the epoch at which the offset changes, ascending.
    let transitions: [Int64]
    /// Seconds ahead of UTC: the first before the first transition, each further one from a transition on.
    let offsets: [Int64]

    package static let utc = TimeZoneOffsets(name: "UTC", first: 0, changes: [])

    /// `changes`: from when on (seconds since the epoch, ascending) clocks are so many seconds ahead of UTC.
    package init(name: String, first: Int64, changes: [(at: Int64, offset: Int64)]) {
        precondition(zip(changes, changes.dropFirst()).allSatisfy { $0.at < $1.at }, "changes come in order")
        self.name = name
        transitions = changes.map(\.at)
        offsets = [first] + changes.map(\.offset)
    }

    /// Which offset holds at a time in seconds since the epoch.
    func segment(at time: Int64) -> Int {
        var (low, high) = (0, transitions.count)
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle] <= time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func start(of segment: Int) -> Int64 { segment == 0 ? .min : transitions[segment - 1] }

    func end(of segment: Int) -> Int64 { segment == transitions.count ? .max : transitions[segment] }

    /// What clocks show, as seconds since 1970 in local time.
    func local(_ time: Int64) -> Int64 { time + offsets[segment(at: time)] }

    /// The first time at which clocks show `local` or later. One that is skipped comes with the change, one that comes twice, first.
    func firstTime(showing local: Int64) -> Int64 {
        // Clocks are less than two days away from UTC.
        var index = segment(at: local - 2 * 86_400)
        while true {
            let time = max(start(of: index), local - offsets[index])
            if time < end(of: index) { return time }
            index += 1
        }
    }
}
