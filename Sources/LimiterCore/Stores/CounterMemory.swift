/// What a replica remembers of one counter of the shared store: what it last saw, what it was granted, and what it spent by itself.
///
/// There is one way to spend: from what this replica holds. While the store answers, that is what it was granted and has not spent. While
/// it is away, its share of what it last saw left comes on top. A window: the share of `L - used(seen)`, where what
/// was seen ages as any window does. A bucket: a bucket of its own with its share of capacity, refill and the tokens
/// last seen. What was never seen counts as unused. What was spent beyond the grants is unsettled, until the store was told.
struct CounterMemory: BitwiseCopyable, Sendable {
    /// A position below zero: never seen.
    private(set) var seen = CounterState(position: -1, count: 0, rest: 0)
    /// A window: units spent in the window `position` and in the one before, settled or not.
    /// A bucket: this replica's own small bucket, meaningful while something is unsettled.
    private var own = CounterState(position: 0, count: 0, rest: 0)
    /// A bucket: units spent since the process started.
    private var total: Int64 = 0
    /// What the store granted in the window, or in total from a bucket, and of what was spent beyond that, what it is known to have.
    private var settled: Int64 = 0
    /// A window: the same of the window before. A bucket: which life of this memory it is, for its totals begin anew with each;
    /// 0: nothing was told of it yet.
    private var previousSettled: Int64 = 0
    /// A bucket: when what was granted may no longer be spent, by the monotonic clock.
    private var leaseEnd: Int64 = 0
    var demand = Demand()
    /// Until then more than what is held is refused without asking, by the monotonic clock.
    var refusedUntil: Int64 = 0
    /// A lease call for it is under way.
    var isLeasing = false
    /// The last lease call failed, and none is under way.
    var isCutOff = false
    /// The store shows less than it did: its ledger must be asked what is true.
    private(set) var doubtsStore = false
    /// Automatic mode: it is leased now.
    var isLeased = false

    // MARK: What was seen

    /// Takes what the store said in a decision. Answers may overtake each other: the later generation and the fuller count stay.
    /// Of a counter that replicas may hold leases of, more may be left than before only by the ledger's word.
    mutating func saw(_ state: CounterState, rule: CounterRule, mayBeLeased: Bool, at now: Int64) {
        if seen.position >= 0, state.generation > seen.generation { forfeit(rule) }
        if mayBeLeased, seen.position >= 0, isLess(state, than: seen, rule, at: now) {
            // Units were given back since, or the store lost some.
            doubtsStore = true
        } else {
            seen = seen.position < 0 ? state : rule.merged(seen, state, at: now)
        }
    }

    private func isLess(_ state: CounterState, than other: CounterState, _ rule: CounterRule, at now: Int64) -> Bool {
        state.generation == other.generation
            && rule.available(rule.current(state, at: now), at: now)
                > rule.available(rule.current(other, at: now), at: now)
    }

    /// A reset gave the budget back: what was held is part of that.
    private mutating func forfeit(_ rule: CounterRule) {
        switch rule.algorithm {
        case .slidingWindow, .calendar: own.count = max(own.count, settled)
        case .tokenBucket: total = max(total, settled)
        }
        refusedUntil = 0
    }

    private func seenAvailable(_ rule: CounterRule, at now: Int64) -> Int64 {
        seen.position < 0 ? rule.limit : rule.available(rule.current(seen, at: now), at: now)
    }

    /// What callers are told: what was last seen, less what is known to be unspent of it.
    func known(_ rule: CounterRule, holding held: Int64, at now: Int64) -> CounterState {
        var state = seen.position < 0 ? rule.neutral(at: now) : rule.current(seen, at: now)
        switch rule.algorithm {
        case .slidingWindow, .calendar: state.count = max(0, state.count - held)
        case .tokenBucket: state.count = min(rule.limit, state.count + held)
        }
        return state
    }

    // MARK: Windows and refills

    /// Moves windows and refills on to `now`.
    mutating func move(to now: Int64, rule: CounterRule, share: @autoclosure () -> FleetShare) {
        switch rule.algorithm {
        case .slidingWindow, .calendar:
            let window = rule.window(at: now)
            if rule.start(ofWindow: own.position) > now + Self.mostRegression { turnBack(to: window) }
            guard window > own.position else { return }
            let isNext = window == own.position + 1
            own.rest = isNext ? own.count : 0
            previousSettled = isNext ? settled : 0
            own.count = 0
            settled = 0
            own.position = window
        case .tokenBucket:
            let share = share()
            let part = Self.part(of: rule, share)
            if total > settled {
                own = part.current(own, at: now)
            } else {
                own = part.neutral(at: now)
                own.count = min(part.limit, share.of(seenAvailable(rule, at: now)))
            }
        }
    }

    /// What was spent ahead of the store's time was spent before that was known: it belongs to the window that the store is in.
    private mutating func turnBack(to window: Int64) {
        own.count += own.position == window + 1 ? own.rest : 0
        (own.position, own.rest, settled, previousSettled) = (window, 0, 0, 0)
    }

    /// The counter is in a window that is ahead of the store's time, which is `now`: its clock went back, and the counter stays there
    /// until the clock comes by again. What was spent meanwhile belongs to that window, too, or it would never be counted.
    mutating func turnAhead(to window: Int64, _ rule: CounterRule, at now: Int64) {
        guard rule.isWindow, window > own.position, rule.start(ofWindow: window) > now + Self.mostRegression else {
            return
        }
        (own.position, own.rest, settled, previousSettled) = (window, 0, 0, 0)
    }

    /// No answer of the store is further behind the one before; microseconds.
    private static let mostRegression: Int64 = 1_000_000

    // MARK: What is held

    /// Granted units that may still be spent; after `move(to:)`. `latest` is the latest that the store's time may be.
    func held(_ rule: CounterRule, at monotonic: Int64, latest: Int64) -> Int64 {
        switch rule.algorithm {
        case .slidingWindow, .calendar:
            latest < rule.start(ofWindow: own.position + 1) ? max(0, settled - own.count) : 0
        case .tokenBucket: monotonic < leaseEnd ? max(0, settled - total) : 0
        }
    }

    /// Gives up what is held, which goes back to the store.
    mutating func release(_ rule: CounterRule) {
        switch rule.algorithm {
        case .slidingWindow, .calendar: settled = min(settled, own.count)
        case .tokenBucket: settled = min(settled, total)
        }
    }

    /// A bucket's lease has ended: what is left of it counts as spent, for nobody takes it back.
    mutating func expire(_ rule: CounterRule, at monotonic: Int64) {
        if !rule.isWindow, monotonic >= leaseEnd, settled > total { total = settled }
    }

    /// What was spent beyond the grants and the store is not known to have, in a window and in the one before.
    func unsettledUnits(_ rule: CounterRule, at now: Int64) -> (number: Int64, current: Int64, before: Int64) {
        var moved = self
        moved.move(to: now, rule: rule, share: FleetShare(shares: 1, rank: nil))
        return (
            moved.own.position, max(0, moved.own.count - moved.settled), max(0, moved.own.rest - moved.previousSettled)
        )
    }

    /// Takes back what was seen before this process started.
    mutating func recall(_ state: CounterState, _ rule: CounterRule, at now: Int64) {
        seen = seen.position < 0 ? state : rule.merged(seen, state, at: now)
    }

    func hasUnsettled(_ rule: CounterRule) -> Bool {
        switch rule.algorithm {
        case .slidingWindow, .calendar: own.count > settled || own.rest > previousSettled
        case .tokenBucket: total > settled
        }
    }

    // MARK: Without the store

    /// Units that this replica may still admit while it is cut off; after `move(to: now)`.
    func available(_ rule: CounterRule, _ share: FleetShare, holding held: Int64, at now: Int64) -> Int64 {
        switch rule.algorithm {
        case .slidingWindow, .calendar:
            let unsettled = CounterState(
                position: own.position, count: max(0, own.count - settled), rest: max(0, own.rest - previousSettled))
            let spent = rule.limit - rule.available(unsettled, at: now)
            return share.of(min(rule.limit, seenAvailable(rule, at: now))) - spent + held
        case .tokenBucket: return min(rule.limit, own.count + held)
        }
    }

    /// The smallest delay after which `units` are available if nobody spends any: `available` only grows by itself.
    /// What the share can never hold is answered with the longest time that a share needs to come back.
    func delay(untilAvailable units: Int64, _ rule: CounterRule, _ share: FleetShare, at now: Int64) -> Int64 {
        func available(after delay: Int64) -> Int64 {
            var later = self
            later.move(to: now + delay, rule: rule, share: share)
            return later.available(rule, share, holding: 0, at: now + delay)
        }
        var (low, high) = (Int64(0), horizonMicroseconds(rule, share, at: now))
        while low < high {
            let middle = low + (high - low) / 2
            if available(after: middle) >= units { high = middle } else { low = middle + 1 }
        }
        return high
    }

    // MARK: Spending

    mutating func spend(_ cost: Int64, _ rule: CounterRule) {
        switch rule.algorithm {
        case .slidingWindow, .calendar: own.count += cost
        case .tokenBucket:
            own.count -= max(0, cost - max(0, settled - total))
            total += cost
        }
    }

    /// Takes back what was spent here at `now` beyond what was granted, because the shared store turned out to have charged it.
    mutating func unspend(_ cost: Int64, _ rule: CounterRule, at now: Int64) {
        switch rule.algorithm {
        case .slidingWindow, .calendar:
            let window = rule.window(at: now)
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

    /// Puts back what was taken at `now` from what is held: the request was refused after all.
    mutating func refund(_ cost: Int64, _ rule: CounterRule, at now: Int64) {
        switch rule.algorithm {
        case .slidingWindow, .calendar:
            if rule.window(at: now) == own.position { own.count = max(0, own.count - cost) }
        case .tokenBucket: total -= cost
        }
    }

    // MARK: A counter of this replica alone

    // Nobody else knows of it, so what was seen last, by this replica itself, is all there is: `known`, with nothing held.

    mutating func chargeAlone(_ cost: Int64, _ rule: CounterRule, at now: Int64) {
        seen = known(rule, holding: 0, at: now)
        rule.charge(&seen, cost: cost)
    }

    /// Puts back what was charged at `charged`: the request was refused after all.
    mutating func refundAlone(_ cost: Int64, _ rule: CounterRule, chargedAt charged: Int64, at now: Int64) {
        seen = known(rule, holding: 0, at: now)
        switch rule.algorithm {
        case .slidingWindow, .calendar:
            let age = seen.position - rule.window(at: charged)
            if age <= 0 { seen.count = max(0, seen.count - cost) }
            if age == 1 { seen.rest = max(0, seen.rest - cost) }
        case .tokenBucket: seen.count = min(rule.limit, seen.count + cost)
        }
    }

    mutating func resetAlone(_ rule: CounterRule, at now: Int64) {
        seen = rule.reset(known(rule, holding: 0, at: now), at: now)
    }

    // MARK: Telling the store

    /// What the store must know, as running totals, and what is asked of it; after `move(to:)`. `held`: what may still be
    /// spent; below zero: what was granted and is no longer held goes back. `tells`: whether what was spent beyond the grants may
    /// be told yet. `isExact`: nobody holds leases of it.
    mutating func request(
        _ counter: OpenCounter, _ rule: CounterRule, wanted: Int64, holding held: Int64, tells: Bool, isExact: Bool,
        sequence: Int64, at monotonic: Int64
    ) -> LeaseRequest {
        let isWindow = rule.isWindow
        if !isWindow, previousSettled == 0 { previousSettled = sequence }
        isLeasing = true
        isCutOff = false
        return LeaseRequest(
            key: counter.key, rule: rule, carried: seen, position: isWindow ? own.position : previousSettled,
            total: tells ? max(isWindow ? own.count : total, settled) : settled, settled: settled,
            previousTotal: isWindow ? tells ? max(own.rest, previousSettled) : previousSettled : 0,
            previousSettled: isWindow ? previousSettled : 0, wanted: wanted,
            demand: demand.milliunits(at: monotonic, rule), sequence: sequence, isExact: isExact,
            holds: held)
    }

    /// The store has answered `request`, which was sent at `sent`. More may have been spent since.
    mutating func answered(
        _ request: LeaseRequest, _ entry: LeaseAnswer.Entry, sent: Int64, at monotonic: Int64
    ) {
        let rule = request.rule
        if entry.state.generation > seen.generation, seen.position >= 0 { forfeit(rule) }
        if !rule.isWindow {
            settled = entry.taken
            leaseEnd = sent + Self.bucketLeaseMicroseconds
        } else {
            if request.position == own.position {
                settled = max(settled, request.total)
                previousSettled = max(previousSettled, request.previousTotal)
            } else if request.position == own.position - 1 {
                previousSettled = max(previousSettled, request.total)
            }
            if entry.state.position == own.position { settled = entry.taken }
        }
        seen = entry.state
        isLeasing = false
        isCutOff = false
        doubtsStore = false
        refusedUntil = entry.retryMicroseconds > 0 ? monotonic + entry.retryMicroseconds : 0
    }

    /// How long, in milliseconds, this must be remembered.
    func timeToLiveMilliseconds(_ rule: CounterRule, _ share: FleetShare, at now: Int64) -> Int64 {
        var life = seen.position < 0 ? 0 : rule.timeToLiveMilliseconds(rule.current(seen, at: now), at: now)
        switch rule.algorithm {
        case .slidingWindow, .calendar:
            if own.count > 0 || settled > 0 || hasUnsettled(rule) {
                life = max(life, 2 * rule.periodMicroseconds / 1000)
            }
        case .tokenBucket:
            // As long as the store's ledger lives: its totals go on from these.
            if total > 0 || settled > 0 { life = max(life, 3_600_000) }
            if hasUnsettled(rule) {
                let part = Self.part(of: rule, share)
                life = max(life, part.timeToLiveMilliseconds(part.current(own, at: now), at: now))
            }
        }
        return max(life, isLeasing || isLeased ? 2000 : 0)
    }

    /// The longest time that this replica's share may need to come back whole.
    private func horizonMicroseconds(_ rule: CounterRule, _ share: FleetShare, at now: Int64) -> Int64 {
        switch rule.algorithm {
        case .slidingWindow, .calendar: 2 * rule.periodMicroseconds
        case .tokenBucket:
            Self.part(of: rule, share).delay(
                CounterState(position: now / rule.tickMicroseconds, count: 0, rest: 0),
                untilAvailable: share.of(rule.limit), at: now)
        }
    }

    /// How long tokens may be spent, counted from before they were asked for; the store holds them for at least as long.
    private static let bucketLeaseMicroseconds: Int64 = 390_000

    /// A bucket with this replica's share of the capacity that refills at its share of the rate.
    private static func part(of rule: CounterRule, _ share: FleetShare) -> CounterRule {
        CounterRule(
            algorithm: .tokenBucket, limit: share.of(rule.limit), refill: rule.refill,
            periodTicks: rule.periodTicks * Int64(share.shares), tickMicroseconds: rule.tickMicroseconds)
    }
}
