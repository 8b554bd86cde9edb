import LimiterCore
import TestSupport

/// A counter's state at a time, by arithmetic that shares nothing with the limiter's: plain fractions in 128 bits.
struct Oracle {
    private(set) var state: CounterState
    let available: Int64

    /// The state moved on to `now`. A time before the state's own changes nothing.
    init(_ stored: CounterState, _ rule: CounterRule, at now: Int64) {
        var state = stored
        let limit = Int128(rule.limit)
        switch rule.algorithm {
        case .slidingWindow, .calendar:
            let length = rule.periodMicroseconds
            let window = Self.floor(now, length)
            if window > state.position {
                state = CounterState(
                    position: window, count: 0, rest: window - state.position == 1 ? state.count : 0,
                    generation: state.generation)
            }
            // The window before counts for the part of it that a window ending now still covers.
            let covered = min(length, (state.position + 1) * length - now)
            let whole = Int128(state.rest) * Int128(covered)
            // The calendar's has no weight.
            let weighed =
                rule.algorithm == .calendar ? 0 : whole / Int128(length) + (whole % Int128(length) == 0 ? 0 : 1)
            available = Int64(limit - Int128(state.count) - weighed)
        case .tokenBucket:
            // In parts of a token, of which each tick brings `refill` back.
            let parts = Int128(rule.periodTicks)
            let tick = Self.floor(now, rule.tickMicroseconds)
            var value =
                max(Int128(state.count), -limit) * parts + (state.rest < rule.periodTicks ? Int128(state.rest) : 0)
            if tick > state.position {
                value += Int128(tick - state.position) * Int128(rule.refill)
                state.position = tick
            }
            value = min(value, limit * parts)
            let whole = value >= 0 ? value / parts : -((-value + parts - 1) / parts)
            state.count = Int64(whole)
            state.rest = Int64(value - whole * parts)
            available = state.count
        }
        self.state = state
    }

    /// What a script finds: what is stored or else nothing used, with what the call carries where that is worse for the caller.
    static func found(
        _ stored: SharedCounters.Counter?, carried: CounterState, _ rule: CounterRule, at now: Int64
    ) -> Oracle {
        let unused = CounterState(
            position: 0, count: rule.algorithm == .tokenBucket ? rule.limit : 0, rest: 0, generation: 0)
        var known = stored?.state ?? unused
        // Parts of a token of another size.
        if rule.algorithm == .tokenBucket, stored?.periodTicks != rule.periodTicks { known.rest = 0 }
        var mine = Oracle(known, rule, at: now)
        guard carried.position >= 0 else { return mine }
        let theirs = Oracle(carried, rule, at: now)
        if carried.generation != mine.state.generation {
            let later = max(carried.position, mine.state.position)
            let reset = max(carried.generation, mine.state.generation) * 1000
            // Nothing that still counts is older than the reset. What a bucket owed then has come back.
            let owed = rule.isWindow ? 0 : 2 * rule.limit * rule.periodTicks / rule.refill
            let isPast =
                rule.isWindow
                ? reset / rule.periodMicroseconds < later - 1
                : reset + (owed + 1) * rule.tickMicroseconds <= later * rule.tickMicroseconds
            if !isPast { return carried.generation > mine.state.generation ? theirs : mine }
        }
        switch rule.algorithm {
        case .slidingWindow, .calendar:
            // Both as of the later window.
            let later = max(mine.state.position, theirs.state.position) * rule.periodMicroseconds
            let (a, b) = (Oracle(mine.state, rule, at: later).state, Oracle(theirs.state, rule, at: later).state)
            let fuller = CounterState(
                position: a.position, count: max(a.count, b.count), rest: max(a.rest, b.rest), generation: a.generation)
            return Oracle(fuller, rule, at: now)
        case .tokenBucket:
            let later = max(mine.state.position, theirs.state.position) * rule.tickMicroseconds
            let (a, b) = (Oracle(mine.state, rule, at: later), Oracle(theirs.state, rule, at: later))
            mine = (a.state.count, a.state.rest) <= (b.state.count, b.state.rest) ? a : b
            mine.state.generation = max(a.state.generation, b.state.generation)
            return mine
        }
    }

    private static func floor(_ a: Int64, _ b: Int64) -> Int64 { a >= 0 ? a / b : -((-a + b - 1) / b) }
}
