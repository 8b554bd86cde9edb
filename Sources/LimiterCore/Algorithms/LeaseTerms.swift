/// How much a replica asks for in advance, and when leasing pays. Times in microseconds, demand in units a second.
enum LeaseTerms {
    /// What is asked for should last so long.
    static let horizonMicroseconds: Int64 = 100_000
    /// What would be spent sooner than this is asked for before it is lacking.
    private static let lowMicroseconds: Float = 3000
    /// What nobody asked for in so long is given back.
    static let idleMicroseconds = 2 * horizonMicroseconds
    /// A limit that is smaller than this for each replica and period is decided exactly: leases would strand too much of it.
    private static let leastLimitForEach = 100

    /// Whether leasing pays: each lease covers more than one request, and the limit is large enough. One that is leased
    /// already stays so down to half the demand.
    static func pays(_ demand: Float, _ rule: CounterRule, shares: Int, isLeased: Bool) -> Bool {
        guard isLargeEnough(rule, shares: shares) else { return false }
        let least = 1e6 / Float(horizonMicroseconds)
        return demand > (isLeased ? least / 2 : least)
    }

    static func isLargeEnough(_ rule: CounterRule, shares: Int) -> Bool {
        rule.limit >= Int64(leastLimitForEach * shares)
    }

    static func isLow(_ held: Int64, _ demand: Float) -> Bool { Float(held) < demand * lowMicroseconds / 1e6 }

    /// Units to ask for beside those that are held: what lasts for the horizon or until the window ends, and what a request waits for.
    static func wanted(
        _ demand: Float, _ rule: CounterRule, waiting: Int64, holding held: Int64, at now: Int64
    ) -> Int64 {
        var horizon = horizonMicroseconds
        if rule.isWindow {
            horizon = min(horizon, rule.start(ofWindow: rule.window(at: now) + 1) - now)
        }
        let lasts = Int64((min(1e9, demand) * Float(horizon) / 1e6).rounded(.up))
        return max(waiting, min(lasts, rule.limit)) - held
    }
}
