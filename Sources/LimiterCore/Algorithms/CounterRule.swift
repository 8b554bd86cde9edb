/// A limit's numbers as both sides count with them: this code and the Redis script do the same arithmetic on the same integers.
///
/// Counting happens in ticks of 1 µs, 1 ms or 1 s, the finest for which every product stays under 2^52 and is
/// therefore exact in the doubles of a Redis script.
package struct CounterRule: Hashable, Sendable, BitwiseCopyable {
    package enum Algorithm: UInt8, Sendable, BitwiseCopyable {
        case slidingWindow = 0
        case tokenBucket = 1
        /// The window is a period of the calendar: this rule holds until that ends.
        case calendar = 2
    }

    package let algorithm: Algorithm
    /// The window's limit or the bucket's capacity, in cost units, at least 1.
    package let limit: Int64
    /// Tokens that come back every `periodTicks`; 0 for a window.
    package let refill: Int64
    /// The window's length, or the refill period in lowest terms, in ticks.
    package let periodTicks: Int64
    /// 1, 1 000 or 1 000 000.
    package let tickMicroseconds: Int64
    /// Of a calendar period its number, as `CalendarPeriod.Span` has it, and its start since the epoch; elsewhere 0.
    package let number: Int64
    package let startMicroseconds: Int64
    /// Of a calendar quota, the counts of periods that are over are kept and recorded.
    package let keepsPast: Bool

    /// Closed calendar periods whose counts the shared store keeps, of quotas whose past is kept.
    package static let keptPeriods = 13
    /// No state is of a calendar period further ahead: a clock was set back, but not by so much.
    package static let mostPeriodsAhead: Int64 = 1000

    private static let exactBound: Int64 = 1 << 52
    /// A bucket must fill up in so many microseconds: a hundred years.
    private static let longestFill = 100.0 * 366 * 86_400 * 1e6

    /// Of a calendar quota, as in the epoch's first period.
    package init(_ limit: Limit) throws(LimitError) {
        if case .calendar(let period) = limit.algorithm {
            guard Self.isExact(limit.capacity, 1) else { throw Self.inexact(limit) }
            self.init(limit.capacity, in: period, at: 0, keepsPast: limit.keepsPast)
            return
        }
        let fill = Double(limit.capacity) * Double(limit.rate.periodMicroseconds) / Double(limit.rate.count)
        guard fill <= Self.longestFill else {
            throw LimitError(
                .invalidBurst,
                "the bucket of the limit `\(limit.name)` would take more than a hundred years to fill; use a smaller burst or a higher rate",
                key: "burst")
        }
        for tick in [1, 1000, 1_000_000] as [Int64] {
            switch limit.algorithm {
            case .slidingWindow, .calendar:
                let window = limit.rate.periodMicroseconds / tick
                guard Self.isExact(limit.rate.count, window) else { continue }
                self.init(
                    algorithm: .slidingWindow, limit: limit.rate.count, refill: 0, periodTicks: window,
                    tickMicroseconds: tick)
                return
            case .tokenBucket(let burst):
                let period = limit.rate.periodMicroseconds / tick
                let divisor = Self.greatestCommonDivisor(limit.rate.count, period)
                let (refill, ticks) = (limit.rate.count / divisor, period / divisor)
                guard Self.isExact(refill, ticks), Self.isExact(burst, ticks) else { continue }
                self.init(
                    algorithm: .tokenBucket, limit: burst, refill: refill, periodTicks: ticks, tickMicroseconds: tick)
                return
            }
        }
        throw Self.inexact(limit)
    }

    /// The calendar period at `now`, in microseconds since the epoch.
    init(_ limit: Int64, in period: CalendarPeriod, at now: Int64, keepsPast: Bool) {
        let span = period.span(at: CivilDay.divide(now, by: 1_000_000).quotient)
        self.init(
            algorithm: .calendar, limit: limit, refill: 0, periodTicks: span.end - span.start,
            tickMicroseconds: 1_000_000, number: span.number, startMicroseconds: span.start * 1_000_000,
            keepsPast: keepsPast)
    }

    private static func inexact(_ limit: Limit) -> LimitError {
        LimitError(
            .inexactRate,
            "the limit `\(limit.name)` cannot be counted exactly: \(limit.rate) needs more than 52 bits; use a smaller count or a shorter period",
            key: "rate")
    }

    package init(
        algorithm: Algorithm, limit: Int64, refill: Int64, periodTicks: Int64, tickMicroseconds: Int64,
        number: Int64 = 0, startMicroseconds: Int64 = 0, keepsPast: Bool = false
    ) {
        self.algorithm = algorithm
        self.limit = limit
        self.refill = refill
        self.periodTicks = periodTicks
        self.tickMicroseconds = tickMicroseconds
        self.number = number
        self.startMicroseconds = startMicroseconds
        self.keepsPast = keepsPast
    }

    package var periodMicroseconds: Int64 { periodTicks * tickMicroseconds }

    /// How many periods a calendar quota's state is kept beyond its own.
    package var periodsKept: Int64 { keepsPast ? Int64(Self.keptPeriods) : 1 }

    /// Whether units are counted in windows, one after the other.
    package var isWindow: Bool { algorithm != .tokenBucket }

    /// The number of the window at `now`. Outside its own period a calendar's rule only knows the ones beside it.
    package func window(at now: Int64) -> Int64 {
        guard algorithm == .calendar else { return now / periodMicroseconds }
        return now < startMicroseconds ? number - 1 : now < start(ofWindow: number + 1) ? number : number + 1
    }

    /// When a window starts, in microseconds since the epoch. Of the calendar's, exact for the rule's own period and the one after it.
    package func start(ofWindow window: Int64) -> Int64 { startMicroseconds + (window - number) * periodMicroseconds }

    /// The largest count of a past window that is weighed exactly; at least twice the limit. The calendar weighs none.
    package var countCeiling: Int64 { algorithm == .calendar ? 1 << 52 : (1 << 53) / periodTicks }

    private static func isExact(_ a: Int64, _ b: Int64) -> Bool {
        let (product, overflow) = a.multipliedReportingOverflow(by: b)
        return !overflow && product < exactBound
    }

    private static func greatestCommonDivisor(_ a: Int64, _ b: Int64) -> Int64 {
        var (a, b) = (a, b)
        while b != 0 { (a, b) = (b, a % b) }
        return a
    }
}

/// What is remembered of one counter between two requests. What the fields mean depends on the rule's algorithm.
package struct CounterState: Hashable, Sendable, BitwiseCopyable {
    /// A window: its number since the epoch, or the calendar's. A bucket: the time of the last refill, in ticks since the epoch.
    package var position: Int64
    /// A window: units counted in it. A bucket: tokens left; below zero after a debt was merged.
    package var count: Int64
    /// A window: units counted in the one before. A bucket: the refill's remainder, below the rule's `periodTicks`.
    package var rest: Int64
    /// The time of the last reset, in milliseconds since the epoch; 0: never reset. The state of a later generation always wins.
    package var generation: Int64

    package init(position: Int64, count: Int64, rest: Int64, generation: Int64 = 0) {
        self.position = position
        self.count = count
        self.rest = rest
        self.generation = generation
    }
}

/// One limit's answer to one request.
package struct Verdict: Hashable, Sendable, BitwiseCopyable {
    package var isAllowed: Bool
    /// The window's limit or the bucket's capacity, in cost units.
    package var limit: Int64
    /// Units that may still pass now, after this decision; never negative.
    package var remaining: Int64
    /// Until one more unit is available; 0: nothing is used.
    package var nextUnitMicroseconds: Int64
    /// Until nothing is used any more; 0 where nobody asked (`LimitCall.reportsReset`).
    package var fullMicroseconds: Int64
    /// Refused: until the same request alone would pass. Allowed: 0. `Verdict.never`: the cost is over the limit.
    package var retryMicroseconds: Int64

    package static let never: Int64 = -1

    package init(
        isAllowed: Bool, limit: Int64, remaining: Int64, nextUnitMicroseconds: Int64, fullMicroseconds: Int64,
        retryMicroseconds: Int64
    ) {
        self.isAllowed = isAllowed
        self.limit = limit
        self.remaining = remaining
        self.nextUnitMicroseconds = nextUnitMicroseconds
        self.fullMicroseconds = fullMicroseconds
        self.retryMicroseconds = retryMicroseconds
    }
}
