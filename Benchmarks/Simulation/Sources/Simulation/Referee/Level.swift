import LimiterCore

/// How full a bucket of burst B and rate r would be that took every admission: at most B exactly if every interval x admits at most
/// B + r·x. A window of L per W promises that of B = L and r = L/W.
///
/// Counted in units times the rule's period in microseconds, so that it is exact.
struct Level {
    private var period: Int64
    private var burst: Int64
    private var refill: Int64
    private var level: Int64 = 0
    private var time: Int64
    /// Since when the level is 0, where it is.
    private var emptySince: Int64
    /// Units that were debited from the store, are forgotten there, and may still be spent; and until when.
    private var credits: [(units: Int64, until: Int64)] = []

    /// Clocks of stores are right to within so many parts of a million.
    static let drift: Int64 = 250

    init(_ rule: CounterRule, at now: Int64) {
        period = rule.periodMicroseconds
        burst = rule.limit
        refill = rule.algorithm == .slidingWindow ? rule.limit : rule.refill
        time = now
        emptySince = now
    }

    /// Where the limit is changed, the larger of both counts.
    mutating func widen(_ rule: CounterRule) {
        burst = max(burst, rule.limit)
        let others = rule.algorithm == .slidingWindow ? rule.limit : rule.refill
        let common = period / Self.greatestCommonDivisor(period, rule.periodMicroseconds) * rule.periodMicroseconds
        level *= common / period
        refill = max(refill * (common / period), others * (common / rule.periodMicroseconds))
        period = common
    }

    private static func greatestCommonDivisor(_ a: Int64, _ b: Int64) -> Int64 {
        b == 0 ? a : greatestCommonDivisor(b, a % b)
    }

    private mutating func drain(to now: Int64) {
        let elapsed = Self.fastest(now) - Self.fastest(time)
        guard level > 0 else { return time = now }
        // Long enough for any level to be gone.
        let drained = elapsed < 1 << 30 ? elapsed * refill : level
        if drained >= level { emptySince = min(now, time + level / refill) }
        level = max(0, level - drained)
        time = now
    }

    /// A clock that runs as fast as one may.
    private static func fastest(_ time: Int64) -> Int64 { time + time * drift / 1_000_000 }

    /// Takes an admission, of units that were taken at `taken`. Returns by how many units the promise is broken then.
    mutating func admit(_ units: Int64, takenAt taken: Int64, at now: Int64) -> Int64? {
        drain(to: now)
        let isFirst = level == 0
        var units = units
        credits.removeAll { $0.until <= now || $0.units <= 0 }
        for index in credits.indices {
            let used = min(units, credits[index].units)
            credits[index].units -= used
            units -= used
        }
        level += units * period
        // What was taken of an empty bucket a while ago has been draining since.
        if isFirst { level -= min(level, (Self.fastest(now) - Self.fastest(max(taken, emptySince))) * refill) }
        // Clocks are read in whole microseconds.
        let excess = level - burst * period - 3 * refill
        return excess > 0 ? (excess + period - 1) / period : nil
    }

    /// The store forgot units: an interval may admit these beside its promise. Where they were granted, they may be spent until `end`.
    mutating func forgive(_ units: Int64, at now: Int64, until end: Int64) {
        drain(to: now)
        let inLevel = min(units, (level + period - 1) / period)
        level = max(0, level - inLevel * period)
        if units > inLevel { credits.append((units - inLevel, end)) }
    }

    /// Units that were granted before may be spent until `end` beside the promise.
    mutating func credit(_ units: Int64, until end: Int64) {
        if units > 0 { credits.append((units, end)) }
    }

    /// The store's time jumped ahead: at most one limit comes back early. What was granted before may be spent until `end`.
    mutating func jumpedAhead(_ microseconds: Int64, at now: Int64, until end: Int64) {
        let (gained, overflow) = microseconds.multipliedReportingOverflow(by: refill)
        forgive(overflow ? burst : min(burst, (gained + period - 1) / period), at: now, until: end)
    }
}
