/// What a replica remembers of one counter of the shared store: what it last saw, and what it spent by itself since.
///
/// While the store is away, a replica admits its share of what it last saw left. A window: the share of `L - used(seen)`, where what
/// was seen ages as any window does, less what it spent itself. A bucket: a bucket of its own with its share of capacity, refill and
/// the tokens last seen. What was never seen counts as unused.
struct CounterMemory: BitwiseCopyable, Sendable {
    /// A position below zero: never seen.
    private(set) var seen = CounterState(position: -1, count: 0, rest: 0)
    /// A window: units spent in the window `position` and in the one before, settled or not.
    /// A bucket: this replica's own small bucket, meaningful while something is unsettled.
    private var own = CounterState(position: 0, count: 0, rest: 0)
    /// A bucket: units spent since the process started.
    private var total: Int64 = 0
    /// Of what was spent in the window, or in total from a bucket: what the shared store is known to have.
    private var settled: Int64 = 0
    /// The same of the window before.
    private var previousSettled: Int64 = 0

    /// Takes what the store said. Answers may overtake each other: the later generation and the fuller count stay.
    mutating func saw(_ state: CounterState, rule: CounterRule, at now: Int64) {
        seen = seen.position < 0 ? state : rule.merged(seen, state, at: now)
    }

    func hasUnsettled(_ rule: CounterRule) -> Bool {
        switch rule.algorithm {
        case .slidingWindow: own.count > settled || own.rest > previousSettled
        case .tokenBucket: total > settled
        }
    }

    /// Moves windows and refills on to `now`.
    mutating func move(to now: Int64, rule: CounterRule, share: FleetShare) {
        switch rule.algorithm {
        case .slidingWindow:
            let window = now / rule.periodMicroseconds
            guard window > own.position else { return }
            let isNext = window == own.position + 1
            own.rest = isNext ? own.count : 0
            previousSettled = isNext ? settled : 0
            own.count = 0
            settled = 0
            own.position = window
        case .tokenBucket:
            let part = Self.part(of: rule, share)
            if total > settled {
                own = part.current(own, at: now)
            } else {
                own = part.neutral(at: now)
                own.count = min(part.limit, share.of(seenAvailable(rule, at: now)))
            }
        }
    }

    /// Units that this replica may still admit; after `move(to: now)`.
    func available(_ rule: CounterRule, _ share: FleetShare, at now: Int64) -> Int64 {
        switch rule.algorithm {
        case .slidingWindow:
            let unsettled = CounterState(
                position: own.position, count: max(0, own.count - settled), rest: max(0, own.rest - previousSettled))
            let spent = rule.limit - rule.available(unsettled, at: now)
            return share.of(min(rule.limit, seenAvailable(rule, at: now))) - spent
        case .tokenBucket: return own.count
        }
    }

    /// The smallest delay after which `units` are available if nobody spends any: `available` only grows by itself.
    /// What the share can never hold is answered with the longest time that a share needs to come back.
    func delay(untilAvailable units: Int64, _ rule: CounterRule, _ share: FleetShare, at now: Int64) -> Int64 {
        func available(after delay: Int64) -> Int64 {
            var later = self
            later.move(to: now + delay, rule: rule, share: share)
            return later.available(rule, share, at: now + delay)
        }
        var (low, high) = (Int64(0), horizonMicroseconds(rule, share, at: now))
        while low < high {
            let middle = low + (high - low) / 2
            if available(after: middle) >= units { high = middle } else { low = middle + 1 }
        }
        return high
    }

    mutating func spend(_ cost: Int64, _ rule: CounterRule) {
        switch rule.algorithm {
        case .slidingWindow: own.count += cost
        case .tokenBucket:
            own.count -= cost
            total += cost
        }
    }

    /// Takes back what was spent here at `now`, because the shared store turned out to have charged it.
    mutating func unspend(_ cost: Int64, _ rule: CounterRule, at now: Int64) {
        switch rule.algorithm {
        case .slidingWindow:
            let window = now / rule.periodMicroseconds
            if window == own.position {
                own.count -= min(cost, max(0, own.count - settled))
            } else if window == own.position - 1 {
                own.rest -= min(cost, max(0, own.rest - previousSettled))
            }
        case .tokenBucket:
            let amount = min(cost, max(0, total - settled))
            total -= amount
            own.count += amount
        }
    }

    /// What must still be merged, as running totals.
    func spending(of replica: ReplicaID, key: [UInt8], rule: CounterRule) -> Spending {
        let isWindow = rule.algorithm == .slidingWindow
        return Spending(
            replica: replica, key: key, rule: rule, carried: seen, position: isWindow ? own.position : 0,
            total: isWindow ? own.count : total, settled: settled, previousTotal: isWindow ? own.rest : 0,
            previousSettled: previousSettled)
    }

    /// The store has merged `spending`. More may have been spent since.
    mutating func settle(_ spending: Spending) {
        guard spending.rule.algorithm == .slidingWindow else {
            settled = max(settled, spending.total)
            return
        }
        if spending.position == own.position {
            settled = max(settled, spending.total)
            previousSettled = max(previousSettled, spending.previousTotal)
        } else if spending.position == own.position - 1 {
            previousSettled = max(previousSettled, spending.total)
        }
    }

    /// How long, in milliseconds, this must be remembered.
    func timeToLiveMilliseconds(_ rule: CounterRule, _ share: FleetShare, at now: Int64) -> Int64 {
        let seenPart = seen.position < 0 ? 0 : rule.timeToLiveMilliseconds(rule.current(seen, at: now), at: now)
        guard hasUnsettled(rule) else { return seenPart }
        switch rule.algorithm {
        case .slidingWindow: return 2 * rule.periodMicroseconds / 1000
        case .tokenBucket:
            let part = Self.part(of: rule, share)
            return max(seenPart, part.timeToLiveMilliseconds(part.current(own, at: now), at: now))
        }
    }

    /// The longest time that this replica's share may need to come back whole.
    private func horizonMicroseconds(_ rule: CounterRule, _ share: FleetShare, at now: Int64) -> Int64 {
        switch rule.algorithm {
        case .slidingWindow: 2 * rule.periodMicroseconds
        case .tokenBucket:
            Self.part(of: rule, share).delay(
                CounterState(position: now / rule.tickMicroseconds, count: 0, rest: 0),
                untilAvailable: share.of(rule.limit), at: now)
        }
    }

    private func seenAvailable(_ rule: CounterRule, at now: Int64) -> Int64 {
        seen.position < 0 ? rule.limit : rule.available(rule.current(seen, at: now), at: now)
    }

    /// A bucket with this replica's share of the capacity that refills at its share of the rate.
    private static func part(of rule: CounterRule, _ share: FleetShare) -> CounterRule {
        CounterRule(
            algorithm: .tokenBucket, limit: share.of(rule.limit), refill: rule.refill,
            periodTicks: rule.periodTicks * Int64(share.shares), tickMicroseconds: rule.tickMicroseconds)
    }
}
