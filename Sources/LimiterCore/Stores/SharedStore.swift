/// A store that all replicas share and that can fail: what LeasingStore builds on. It belongs to one event loop.
package protocol SharedStore: AnyObject {
    /// Is told how each call ended. Set before the first call; who shuts the store down sets it to nil, for the two hold each other.
    var observer: (any SharedStoreObserver)? { get set }

    /// Whether it leaves a part of itself alone after failures, so that whoever asks need not judge them.
    var guardsItself: Bool { get }

    /// Ends in exactly one `answered` or `failed`, possibly before it returns. `call.carried` holds what was last seen of each counter.
    func decide(_ call: LimitCall)

    /// Tells what this replica took from counters, and asks for more of them. Sending the same twice changes nothing. The counters
    /// are a tenant's, or one that has no tenant. The answer has one entry a request.
    func lease(
        _ requests: [LeaseRequest], of replica: ReplicaID,
        _ completion: @escaping (Result<LeaseAnswer, StoreError>) -> Void)

    /// What was used in the periods of calendar quotas of one tenant, or of one that has no tenant: at most `PeriodRequest.most`.
    /// What is remembered is given back first, by maximum. Sending the same twice changes nothing.
    func periods(
        _ requests: [PeriodRequest], _ completion: @escaping (Result<PeriodAnswer, StoreError>) -> Void)

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
    /// When the store's memory began, in milliseconds since the epoch: another one means that it lost what it had. 0: unknown.
    package var birth: Int64

    package init(now: Int64, alive: Int, rank: Int, peak: Int, birth: Int64 = 0) {
        self.birth = birth
        self.now = now
        self.alive = alive
        self.rank = rank
        self.peak = peak
    }
}

/// What one replica tells of one counter, and what it asks for. Amounts are in cost units, and running totals, so that repeating
/// them changes nothing.
package struct LeaseRequest: Sendable {
    package var key: [UInt8]
    package var rule: CounterRule
    /// What this replica last saw of the counter; a position below zero: nothing.
    package var carried: CounterState
    /// A window: its number. A bucket: which totals these are; others begin anew.
    package var position: Int64
    /// Units that this replica took in that window, or from that bucket since these totals began: granted or spent,
    /// whichever is more. And of these, what the store is known to have.
    package var total: Int64
    package var settled: Int64
    /// The same of the window before.
    package var previousTotal: Int64
    package var previousSettled: Int64
    /// Units asked for beside those that it holds; 0: none.
    package var wanted: Int64
    /// What callers ask of this replica, in thousandths of a unit a second.
    package var demand: Int64
    /// Greater in each call of this replica than in those before, from 1.
    package var sequence: Int64
    /// Nobody holds leases of the counter, so its count never falls in a window. Otherwise `carried` only counts where the ledger
    /// does not know this replica: units may have been given back since.
    package var isExact: Bool
    /// Granted units that are not spent. Below zero: what is above `total` is given back.
    package var holds: Int64

    package static let gives: Int64 = -1

    package init(
        key: [UInt8], rule: CounterRule, carried: CounterState = CounterState(position: -1, count: 0, rest: 0),
        position: Int64, total: Int64, settled: Int64 = 0, previousTotal: Int64 = 0, previousSettled: Int64 = 0,
        wanted: Int64 = 0, demand: Int64 = 0, sequence: Int64,
        isExact: Bool = true, holds: Int64 = 0
    ) {
        self.key = key
        self.rule = rule
        self.carried = carried
        self.position = position
        self.total = total
        self.settled = settled
        self.previousTotal = previousTotal
        self.previousSettled = previousSettled
        self.wanted = wanted
        self.demand = demand
        self.sequence = sequence
        self.isExact = isExact
        self.holds = holds
    }
}

/// The store's word on a call of lease requests.
package struct LeaseAnswer: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        /// The counter afterwards.
        package var state: CounterState
        /// Units that this replica took in the window of `state`, or from the bucket: what it spent and what it may spend.
        package var taken: Int64
        /// Fewer than wanted were granted: asking again is worth while after so long. 0: all were.
        package var retryMicroseconds: Int64

        package init(state: CounterState, taken: Int64, retryMicroseconds: Int64) {
            self.state = state
            self.taken = taken
            self.retryMicroseconds = retryMicroseconds
        }
    }

    /// The store's time in microseconds.
    package var now: Int64
    /// One a request; none where the store's time is outside the calendar period of one of them, and nothing was done.
    package var entries: [Entry]
    package var isOutsidePeriods: Bool { entries.isEmpty }

    package init(now: Int64, entries: [Entry]) {
        self.now = now
        self.entries = entries
    }
}

/// A decision that came after its deadline. The arrays have one entry a limit.
package struct LateAnswer: Sendable {
    package var group: LimitGroup
    package var rules: [CounterRule]
    package var keys: [[UInt8]]
    package var now: Int64
    package var states: [CounterState]
    /// What the store charged; empty where it refused.
    package var charged: [Int64]
    /// What was spent locally instead, as `failed` returned it.
    package var spentLocally: [Int64]

    package init(
        group: LimitGroup, rules: [CounterRule], keys: [[UInt8]], now: Int64, states: [CounterState],
        charged: [Int64], spentLocally: [Int64]
    ) {
        self.group = group
        self.rules = rules
        self.keys = keys
        self.now = now
        self.states = states
        self.charged = charged
        self.spentLocally = spentLocally
    }
}
