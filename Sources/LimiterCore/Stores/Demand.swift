/// How much callers ask of a counter here, in units a second: an average whose weight falls by e in each time constant, a fifth of
/// the limit's period, within 50 ms and 1 s.
struct Demand: BitwiseCopyable, Sendable {
    private var perSecond: Float = 0
    /// When it was last asked for, by the monotonic clock in microseconds.
    private(set) var lastAsked: Int64 = 0

    mutating func note(_ units: Int64, at monotonic: Int64, _ rule: CounterRule) {
        let constant = Self.constantSeconds(rule)
        perSecond = decayed(at: monotonic, constant) + Float(units) / constant
        lastAsked = monotonic
    }

    func unitsPerSecond(at monotonic: Int64, _ rule: CounterRule) -> Float {
        decayed(at: monotonic, Self.constantSeconds(rule))
    }

    /// As the store is told it: at most 10^9 units a second.
    func milliunits(at monotonic: Int64, _ rule: CounterRule) -> Int64 {
        Int64(min(1e9, unitsPerSecond(at: monotonic, rule)) * 1000)
    }

    /// e to the -x as nearly as matters here: the eighth power of its series for x/8, cut short.
    private func decayed(at monotonic: Int64, _ constant: Float) -> Float {
        let part = Float(max(0, monotonic - lastAsked)) / 8e6 / constant
        let root = 1 + part + part * part / 2
        let fourth = root * root * root * root
        return perSecond / (fourth * fourth)
    }

    private static func constantSeconds(_ rule: CounterRule) -> Float {
        let periodSeconds =
            rule.isWindow
            ? Float(rule.periodMicroseconds) / 1e6
            : Float(rule.limit) * Float(rule.periodTicks * rule.tickMicroseconds) / 1e6 / Float(rule.refill)
        return min(1, max(0.05, periodSeconds / 5))
    }
}
