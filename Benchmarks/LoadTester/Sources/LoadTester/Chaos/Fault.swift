/// What is done to the Redis that the tester started, and when.
package struct Fault: Hashable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        /// Killed; started again, empty, at the end.
        case stop
        /// Halted with all its connections open.
        case pause
        /// Halted for 30 ms of every 40.
        case slow
        /// All keys deleted, once.
        case flush
        /// The primary killed for good; sentinels make its replica the primary.
        case failover

        /// Whether it lasts as long as the caller says.
        var hasLength: Bool {
            switch self {
            case .stop, .pause, .slow: true
            case .flush, .failover: false
            }
        }
    }

    package let kind: Kind
    /// Nanoseconds from the start of the run.
    package let at: Int64
    /// Nanoseconds; 0 for what takes the time that it takes.
    package let length: Int64

    /// When the next fault may begin.
    package var end: Int64 { at + length }

    package init(kind: Kind, at: Int64, length: Int64) {
        self.kind = kind
        self.at = at
        self.length = length
    }

    /// Reads `pause`, `pause@5s` or `pause@5s,2s`. Left out: it begins after a third of the run and lasts a sixth of it.
    package init(parsing text: String, runLength: Int64) throws(LoadError) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let names = Kind.allCases.map(\.rawValue).joined(separator: ", ")
        guard let kind = Kind(rawValue: String(parts[0])) else {
            throw .usage("--redis-fault: `\(parts[0])` is not a fault; there are \(names)")
        }
        let times = parts.count == 2 ? parts[1].split(separator: ",", omittingEmptySubsequences: false) : []
        guard times.count <= 2 else {
            throw .usage("--redis-fault: `\(text)` is not understood; write it like \(kind.rawValue)@5s,2s")
        }
        self.kind = kind
        at = times.isEmpty ? runLength / 3 : try TimeText.parse(times[0], "--redis-fault \(kind.rawValue)")
        if !kind.hasLength {
            guard times.count < 2 else {
                throw .usage("--redis-fault: \(kind.rawValue) has no length; write it like \(kind.rawValue)@5s")
            }
            length = 0
        } else {
            length = times.count == 2 ? try TimeText.parse(times[1], "--redis-fault \(kind.rawValue)") : runLength / 6
            guard length > 0 else { throw .usage("--redis-fault: \(kind.rawValue) must last longer than nothing") }
        }
    }

    /// In the order in which they begin; throws where two overlap.
    package static func ordered(_ faults: [Fault]) throws(LoadError) -> [Fault] {
        guard faults.count < 2 || !faults.contains(where: { $0.kind == .failover }) else {
            throw .usage(
                "--redis-fault: failover stands alone; sentinels may replace a primary that is harmed in another way, and the one that fails does not come back"
            )
        }
        let sorted = faults.sorted { $0.at < $1.at }
        for (first, second) in zip(sorted, sorted.dropFirst()) where second.at < first.end {
            throw .usage(
                "--redis-fault: \(second.kind.rawValue) begins at \(TimeText.show(Double(second.at))), before \(first.kind.rawValue) ends"
            )
        }
        return sorted
    }
}

/// What happened to Redis, on the run's timeline.
package struct ChaosMark: Codable, Hashable, Sendable {
    package let fault: String
    package let fromSeconds: Double
    package let toSeconds: Double
    /// What came of it, where that is not plain; for people.
    package let outcome: String?
}
