/// The one arithmetic of every store. Time is an argument: microseconds since the epoch.
extension CounterRule {
    /// Nothing used.
    package func neutral(at now: Int64, generation: Int64 = 0) -> CounterState {
        switch algorithm {
        case .slidingWindow, .calendar:
            CounterState(position: window(at: now), count: 0, rest: 0, generation: generation)
        case .tokenBucket:
            CounterState(position: now / tickMicroseconds, count: limit, rest: 0, generation: generation)
        }
    }

    /// Nothing used, in a new generation, so that no older memory brings the count back.
    package func reset(_ state: CounterState, at now: Int64) -> CounterState {
        var next = neutral(at: now, generation: max(state.generation + 1, now / 1000))
        // What was used in the calendar period before stays on record.
        if algorithm == .calendar, state.position == next.position { next.rest = state.rest }
        return next
    }

    /// The state as it stands at `now`: windows moved on, tokens refilled. A clock that went back changes nothing.
    ///
    /// It may come from another version of the limit, whose tick was another: then its rest, and a debt, are brought within
    /// what this one counts exactly.
    package func current(_ state: CounterState, at now: Int64) -> CounterState {
        switch algorithm {
        case .slidingWindow, .calendar: rotated(state, to: window(at: now))
        case .tokenBucket: refilled(state, to: now / tickMicroseconds, cap: limit)
        }
    }

    /// Two memories of one counter made one, never in the caller's favour: the later generation, and within one
    /// generation the fuller count (of a bucket, the emptier one). Where both windows that count began after the later reset, or a bucket
    /// that was deep in debt before it would be full again, generations do not matter.
    package func merged(_ a: CounterState, _ b: CounterState, at now: Int64) -> CounterState {
        if a.generation != b.generation, !isPast(max(a.generation, b.generation), a, b, at: now) {
            return current(a.generation > b.generation ? a : b, at: now)
        }
        switch algorithm {
        case .slidingWindow, .calendar:
            let position = max(window(at: now), max(a.position, b.position))
            let (x, y) = (rotated(a, to: position), rotated(b, to: position))
            return CounterState(
                position: position, count: max(x.count, y.count), rest: max(x.rest, y.rest), generation: a.generation)
        case .tokenBucket:
            let position = max(now / tickMicroseconds, max(a.position, b.position))
            let (x, y) = (refilled(a, to: position, cap: limit), refilled(b, to: position, cap: limit))
            var emptier = (x.count, x.rest) < (y.count, y.rest) ? x : y
            emptier.generation = max(a.generation, b.generation)
            return emptier
        }
    }

    /// Whether a reset lies before the window before the later of two states, or so long before them that a bucket has filled up since.
    private func isPast(_ generation: Int64, _ a: CounterState, _ b: CounterState, at now: Int64) -> Bool {
        let later = max(a.position, b.position)
        guard !isWindow else { return generation * 1000 < start(ofWindow: later - 1) }
        return generation * 1000 + longestFill <= max(later, now / tickMicroseconds) * tickMicroseconds
    }

    /// How long a bucket takes from the deepest debt until it is full, in microseconds.
    private var longestFill: Int64 { (2 * limit * periodTicks / refill + 1) * tickMicroseconds }

    /// Decides one request on a state that is `current` at `now`, and charges it if it passes and `charges` is set.
    package func decide(_ state: inout CounterState, cost: Int64, at now: Int64, charges: Bool) -> Verdict {
        let isAllowed = admits(state, cost: cost, at: now)
        if isAllowed && charges { charge(&state, cost: cost) }
        return verdict(state, cost: cost, isAllowed: isAllowed, at: now)
    }

    /// Cost 0 always passes.
    package func admits(_ state: CounterState, cost: Int64, at now: Int64) -> Bool {
        cost == 0 || cost <= available(state, at: now)
    }

    package func charge(_ state: inout CounterState, cost: Int64) {
        switch algorithm {
        case .slidingWindow, .calendar: state.count += cost
        case .tokenBucket: state.count -= cost
        }
    }

    /// What the caller is told of a state that is `current` at `now`.
    package func verdict(_ state: CounterState, cost: Int64, isAllowed: Bool, at now: Int64) -> Verdict {
        verdict(
            state, available: available(state, at: now), cost: cost, isAllowed: isAllowed, at: now, reportsReset: true)
    }

    /// The same where `available` is known already.
    func verdict(
        _ state: CounterState, available: Int64, cost: Int64, isAllowed: Bool, at now: Int64, reportsReset: Bool
    ) -> Verdict {
        let remaining = max(0, available)
        let isFull = available >= limit
        return Verdict(
            isAllowed: isAllowed, limit: limit, remaining: remaining,
            nextUnitMicroseconds: isFull ? 0 : delay(state, untilAvailable: remaining + 1, at: now),
            fullMicroseconds: isFull || !reportsReset ? 0 : delay(state, untilAvailable: limit, at: now),
            retryMicroseconds: isAllowed
                ? 0 : cost > limit ? Verdict.never : delay(state, untilAvailable: cost, at: now))
    }

    /// Units that may pass now; negative while a debt is owed.
    package func available(_ state: CounterState, at now: Int64) -> Int64 {
        switch algorithm {
        case .slidingWindow: limit - used(state, at: now)
        case .calendar: limit - state.count
        case .tokenBucket: state.count
        }
    }

    /// How long until `units` (at most the limit) are available if nobody spends any, exact to the microsecond.
    ///
    /// A window: within it, the weight of the one before shrinks until `ceil(rest·left/W) <= limit-units-count`; if that
    /// cannot be, the same in the next window, where today's count is the one before.
    package func delay(_ state: CounterState, untilAvailable units: Int64, at now: Int64) -> Int64 {
        switch algorithm {
        case .calendar: return state.count <= limit - units ? 0 : start(ofWindow: state.position + 1) - now
        case .slidingWindow:
            let window = periodMicroseconds
            let start = state.position * window
            let untilWindowEnds = start + window - now
            let target = limit - units
            if state.count <= target {
                guard state.rest > 0 else { return 0 }
                let ticks = (target - state.count) * periodTicks / state.rest
                return max(0, untilWindowEnds - min(ticks, periodTicks) * tickMicroseconds)
            }
            return untilWindowEnds + window - target * periodTicks / state.count * tickMicroseconds
        case .tokenBucket:
            let missing = (units - state.count) * periodTicks - state.rest
            guard missing > 0 else { return 0 }
            let ticks = (missing + refill - 1) / refill
            return max(0, (state.position + ticks) * tickMicroseconds - now)
        }
    }

    /// How long, in milliseconds, a state must be kept: until it is neutral.
    package func timeToLiveMilliseconds(_ state: CounterState, at now: Int64) -> Int64 {
        switch algorithm {
        // A period more, so that what was used can still be told.
        case .calendar: return max(1, (start(ofWindow: state.position + 2) - now + 999) / 1000)
        case .slidingWindow:
            let window = periodMicroseconds
            let start = state.position * window
            let left = start + window - max(now, start)
            return (left + window + 999) / 1000
        case .tokenBucket:
            let missing = (limit - state.count) * periodTicks - state.rest
            let ticks = (missing + refill - 1) / refill
            // A store that counts in milliseconds counts from the one that has begun.
            return max(1, (ticks * tickMicroseconds + tickMicroseconds + 999) / 1000) + 1
        }
    }

    /// `ceil(rest·left/W) + count`: never under the truth by rounding.
    private func used(_ state: CounterState, at now: Int64) -> Int64 {
        if state.rest == 0 { return state.count }
        let start = state.position * periodMicroseconds
        let left = start + periodMicroseconds - max(now, start)
        let leftTicks = tickMicroseconds == 1 ? left : (left + tickMicroseconds - 1) / tickMicroseconds
        return (state.rest * leftTicks + periodTicks - 1) / periodTicks + state.count
    }

    /// `rest` is kept of calendar periods, too, where it has no weight: what is told late goes there.
    private func rotated(_ state: CounterState, to window: Int64) -> CounterState {
        var next = state
        if state.position < window {
            next.rest = state.position == window - 1 ? state.count : 0
            next.count = 0
            next.position = window
        }
        next.rest = min(next.rest, countCeiling)
        return next
    }

    /// A bucket at a tick, filled up to `cap` tokens at most. Whole periods and the remainder kept apart, so that the long-run rate is
    /// exact.
    package func refilled(_ state: CounterState, to tick: Int64, cap: Int64) -> CounterState {
        var next = state
        next.count = max(next.count, -limit)
        if next.rest >= periodTicks { next.rest = 0 }
        if tick > state.position {
            let elapsed = tick - state.position
            next.position = tick
            let missing = cap - next.count
            // More than enough periods passed: full, without forming products that could be large.
            if missing <= 0 || elapsed / periodTicks > missing / refill {
                (next.count, next.rest) = (cap, 0)
                return next
            }
            // In 128 bits: the bucket of a replica's share has a period that is longer by the number of shares.
            let gained = Int128(elapsed % periodTicks) * Int128(refill) + Int128(next.rest)
            let (tokens, rest) = gained.quotientAndRemainder(dividingBy: Int128(periodTicks))
            next.count += elapsed / periodTicks * refill + Int64(tokens)
            next.rest = Int64(rest)
        }
        if next.count >= cap { (next.count, next.rest) = (cap, 0) }
        return next
    }
}
