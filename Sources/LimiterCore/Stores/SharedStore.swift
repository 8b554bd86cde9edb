/// A store that all replicas share and that can fail: what FallbackStore builds on. It belongs to one event loop.
package protocol SharedStore: AnyObject {
    /// Is told how each call ended. Set before the first call; who shuts the store down sets it to nil, for the two hold each other.
    var observer: (any SharedStoreObserver)? { get set }

    /// Whether it leaves a part of itself alone after failures, so that whoever asks need not judge them.
    var guardsItself: Bool { get }

    /// Ends in exactly one `answered` or `failed`, possibly before it returns. `call.carried` holds what was last seen of each counter.
    func decide(_ call: LimitCall)

    /// Adds what was spent locally to a counter. Sending the same spending twice changes nothing.
    func merge(_ spending: Spending, _ completion: @escaping (Result<SharedSnapshot, StoreError>) -> Void)

    /// Writes that this replica is alive, which also proves that the store takes writes.
    func heartbeat(of replica: ReplicaID, _ completion: @escaping (Result<FleetView, StoreError>) -> Void)

    /// Takes this replica off the list at a graceful end.
    func leave(_ replica: ReplicaID, _ completion: @escaping () -> Void)
}

extension SharedStore {
    package var guardsItself: Bool { false }
}

package protocol SharedStoreObserver: AnyObject {
    /// What the store's clock should show now, going by what it showed last; nil: it was not heard lately. Where it shows
    /// over a second less, it was set back, and the store decides at this time instead.
    var storeTime: Int64? { get }

    /// Decided by the store at its time `now`: `call.decision` and `call.states` are filled in. The observer answers the call.
    func answered(_ call: LimitCall, at now: Int64)

    /// Not decided. The observer answers the call, and returns what it spent locally instead, one amount a limit; empty: nothing.
    func failed(_ call: LimitCall, _ error: StoreError) -> [Int64]

    /// The answer to a call that had failed by its deadline: the store did decide it.
    func answeredLate(_ answer: LateAnswer)
}

/// One process of the fleet: fresh at each start.
package struct ReplicaID: Hashable, Sendable {
    /// 16 lowercase hex digits.
    package let text: String

    package init(_ number: UInt64) {
        let digits = String(number, radix: 16)
        text = String(repeating: "0", count: 16 - digits.count) + digits
    }
}

package struct FleetView: Hashable, Sendable {
    /// The store's time in microseconds.
    package var now: Int64
    /// Replicas that are alive, this one included.
    package var alive: Int
    /// This replica's place among them, from 0.
    package var rank: Int
    /// Most replicas that were alive at one time in the last ten minutes.
    package var peak: Int

    package init(now: Int64, alive: Int, rank: Int, peak: Int) {
        self.now = now
        self.alive = alive
        self.rank = rank
        self.peak = peak
    }
}

/// What one replica spent of one counter while the store was away, as running totals, so that repeating it changes nothing.
package struct Spending: Sendable {
    package var replica: ReplicaID
    package var key: [UInt8]
    package var rule: CounterRule
    /// What this replica last saw of the counter.
    package var carried: CounterState
    /// A window: its number. A bucket: 0.
    package var position: Int64
    /// Units spent locally in that window, or from that bucket since the process started; and of these, what the store is known to have.
    package var total: Int64
    package var settled: Int64
    /// The same of the window before.
    package var previousTotal: Int64
    package var previousSettled: Int64

    package init(
        replica: ReplicaID, key: [UInt8], rule: CounterRule, carried: CounterState, position: Int64, total: Int64,
        settled: Int64,
        previousTotal: Int64, previousSettled: Int64
    ) {
        self.replica = replica
        self.key = key
        self.rule = rule
        self.carried = carried
        self.position = position
        self.total = total
        self.settled = settled
        self.previousTotal = previousTotal
        self.previousSettled = previousSettled
    }
}

package struct SharedSnapshot: Hashable, Sendable {
    package var now: Int64
    package var state: CounterState

    package init(now: Int64, state: CounterState) {
        self.now = now
        self.state = state
    }
}

/// A decision that came after its deadline. The arrays have one entry a limit.
package struct LateAnswer: Sendable {
    package var group: LimitGroup
    package var keys: [[UInt8]]
    package var now: Int64
    package var states: [CounterState]
    /// What the store charged; empty where it refused.
    package var charged: [Int64]
    /// What was spent locally instead, as `failed` returned it.
    package var spentLocally: [Int64]

    package init(
        group: LimitGroup, keys: [[UInt8]], now: Int64, states: [CounterState], charged: [Int64], spentLocally: [Int64]
    ) {
        self.group = group
        self.keys = keys
        self.now = now
        self.states = states
        self.charged = charged
        self.spentLocally = spentLocally
    }
}
