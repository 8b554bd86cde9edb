import WeirConfiguration

/// When a cluster's map is asked for, and whom: one question at a time. A value; time is an argument, in microseconds.
struct MapSurvey {
    /// The least from one survey to the next.
    private static let shortest: Int64 = 100_000
    /// From one survey to the next where nothing is known to have changed.
    private static let longest: Int64 = 10_000_000

    private var isWanted = true
    private var isUnderWay = false
    private var lastBegan: Int64?
    /// Who is still to be asked in this survey, the next one last.
    private var candidates: [RedisAddress.Server] = []

    /// Something showed that the map may be out of date.
    mutating func want() { isWanted = true }

    /// Whether a survey should begin now.
    func isDue(at now: Int64) -> Bool {
        guard !isUnderWay else { return false }
        guard let lastBegan else { return true }
        return now - lastBegan >= (isWanted ? Self.shortest : Self.longest)
    }

    /// Begins one, and says whom to ask first.
    mutating func begin(at now: Int64, asking candidates: [RedisAddress.Server]) -> RedisAddress.Server? {
        lastBegan = now
        isWanted = false
        isUnderWay = true
        var unique: [RedisAddress.Server] = []
        for candidate in candidates where !unique.contains(candidate) { unique.append(candidate) }
        self.candidates = unique.reversed()
        return next()
    }

    /// Whom to ask instead of the one that had no map; nil: nobody is left, and a later survey is needed.
    mutating func failed() -> RedisAddress.Server? {
        let next = next()
        if next == nil { isWanted = true }
        return next
    }

    mutating func succeeded() { isUnderWay = false }

    private mutating func next() -> RedisAddress.Server? {
        let next = candidates.popLast()
        if next == nil { isUnderWay = false }
        return next
    }
}
