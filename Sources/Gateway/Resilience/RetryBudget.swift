/// Keeps retries from multiplying the load of a service that fails: of the last ten seconds' requests, at most a share may
/// be repeated, or three a second where that is more. Time is an argument (nanoseconds, monotonic).
struct RetryBudget: Sendable {
    static let windowNanoseconds: Int64 = 10_000_000_000
    /// So that a service with few requests has retries at all.
    static let leastPerSecond = 3

    let percent: Int
    /// Lanes: requests, retries.
    private var counts = SlidingCounts(windowNanoseconds: windowNanoseconds)

    init(percent: Int) { self.percent = percent }

    mutating func requestBegan(at now: Int64) { counts.add([1, 0, 0, 0], at: now) }

    /// Whether one more retry is within the budget; it is counted then.
    mutating func takeRetry(at now: Int64) -> Bool {
        counts.advance(to: now)
        let isWithinShare = (counts.total[1] + 1) * 100 <= percent * counts.total[0]
        guard isWithinShare || counts.current[1] < Self.leastPerSecond else { return false }
        counts.add([0, 1, 0, 0], at: now)
        return true
    }
}
