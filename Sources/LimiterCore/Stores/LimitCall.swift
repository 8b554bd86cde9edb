/// One request's question to a store and then its answer: the limits that apply, the keys of their counters, what the request costs.
///
/// Its owner reuses it from request to request, so that a decision allocates nothing. Between `decide` and the answer it belongs to
/// the store; who loses interest meanwhile drops it and takes a new one. It stays on the event loop of its owner.
package final class LimitCall {
    package enum Operation: Sendable {
        /// Charge every limit if all of them allow it.
        case decide
        /// Answer as `decide` would, and change nothing.
        case peek
        /// Give the budget back: every counter becomes neutral, in a new generation.
        case reset
    }

    package private(set) var group: LimitGroup
    package private(set) var operation: Operation
    /// What a decision needs of each limit of the group; of calendar quotas, in the period for which `settle(at:)` was called last.
    private(set) var traits: [LimitTraits]
    /// In cost units, one a limit of the group; `prepare` fills in fixed costs, the owner the variable ones.
    package var costs: [Int64]
    /// Who is told of the answer.
    package var receiver: (any DecisionReceiver)?

    /// The keys, one behind the other; key i ends at `keyEnds[i]`.
    package private(set) var keyBytes: [UInt8]
    package private(set) var keyEnds: [Int]
    private var values: [UInt8]
    private var valueEnds: [Int]

    /// What was last seen of each counter, for a store that carries it along; a position below zero: nothing.
    package var carried: [CounterState]
    /// While deciding: each counter before the decision; afterwards: after it.
    package var states: [CounterState]
    package var decision: Decision

    /// Whether verdicts say when nothing is used any more, which costs a little; only the owner's to set, after `prepare`.
    package var reportsReset: Bool

    /// How often it waited for a lease, and of which counter; scratch space of the store that the call is in, as is what follows.
    var attempts = 0
    var waitsFor: CounterPlace?
    /// Since when it waits for leases, by the monotonic clock; 0: it never did.
    var waitsSince: Int64 = 0
    /// From which counters units were taken for it here, and when by the store's time; 0: not yet.
    var taken = LimitGroup.Selection()
    var spentAt: Int64 = 0
    /// The request that this is a part of, and which of its limits are not in this part.
    var whole: LimitCall?
    var decidedElsewhere = LimitGroup.Selection()

    /// Where a table keeps each counter; scratch space of the table that the call is in.
    var places: [CounterPlace]
    /// What each limit has available; scratch space of `resolve`.
    private var available: [Int64]

    package init() {
        group = LimitGroup([])
        operation = .decide
        traits = []
        costs = []
        keyBytes = []
        keyEnds = []
        values = []
        valueEnds = []
        carried = []
        states = []
        decision = Decision()
        reportsReset = false
        places = []
        available = []
    }

    /// Starts a new question. The owner then appends a value for each of the group's dimensions, sets the variable costs,
    /// and hands it to a store.
    package func prepare(_ group: LimitGroup, _ operation: Operation = .decide) {
        self.group = group
        self.operation = operation
        traits = group.traits
        reportsReset = operation != .decide
        attempts = 0
        waitsSince = 0
        spentAt = 0
        if !taken.isEmpty { taken = LimitGroup.Selection() }
        let count = group.limits.count
        if costs.count == count {
            for index in 0..<count { costs[index] = group.fixedCosts[index] }
        } else {
            costs = Array(group.fixedCosts)
        }
        if carried.count == count {
            for index in 0..<count { carried[index].position = -1 }
        } else {
            carried = Array(repeating: CounterState(position: -1, count: 0, rest: 0), count: count)
        }
        if !keyEnds.isEmpty { keyEnds.removeAll(keepingCapacity: true) }
        if !places.isEmpty { places.removeAll(keepingCapacity: true) }
        values.removeAll(keepingCapacity: true)
        valueEnds.removeAll(keepingCapacity: true)
    }

    /// Becomes the question that is left of `call` without these of its limits.
    func begin(as group: LimitGroup, of call: LimitCall, _ decidedElsewhere: LimitGroup.Selection) {
        prepare(group, call.operation)
        reportsReset = call.reportsReset
        whole = call
        self.decidedElsewhere = decidedElsewhere
        keyBytes.removeAll(keepingCapacity: true)
        var next = 0
        for index in call.group.limits.indices where !decidedElsewhere.contains(index) {
            call.withKey(index) { keyBytes.append(contentsOf: $0) }
            keyEnds.append(keyBytes.count)
            costs[next] = call.costs[index]
            carried[next] = call.carried[index]
            if group.hasCalendar { traits[next].rule = call.traits[index].rule }
            next += 1
        }
    }

    /// What each limit counts by.
    package var rules: [CounterRule] { group.hasCalendar ? traits.map(\.rule) : group.rules }

    /// Takes the calendar periods that hold at `now`. Whoever decides calls it first; others need not.
    package func settle(at now: Int64) {
        if group.hasCalendar { traits = group.traits(at: now) }
    }

    package func appendValue(_ bytes: UnsafeRawBufferPointer) {
        KeyEncoding.append(bytes, to: &values)
        valueEnds.append(values.count)
    }

    package func appendValue(_ text: String) {
        var text = text
        text.withUTF8 { appendValue(UnsafeRawBufferPointer($0)) }
    }

    package func appendValue(_ address: ClientAddress) {
        address.appendLimitValue(to: &values)
        valueEnds.append(values.count)
    }

    /// Puts the keys together once the values are there; stores call it first.
    package func makeKeys() {
        guard keyEnds.isEmpty else { return }
        precondition(valueEnds.count == group.dimensions.count, "a value for each dimension of the group")
        keyBytes.removeAll(keepingCapacity: true)
        for index in group.limits.indices { appendKey(group.limits[index].template.pieces) }
    }

    /// Replaces the keys of the limits that have as many keys as they may by the one that all further callers share.
    func useOverflowKeys(where isOverflowing: (Int) -> Bool) {
        if whole != nil { return useOverflowKeysOfPart(where: isOverflowing) }
        keyEnds.removeAll(keepingCapacity: true)
        keyBytes.removeAll(keepingCapacity: true)
        for index in group.limits.indices {
            let template = group.limits[index].template
            appendKey(isOverflowing(index) ? template.overflowPieces : template.pieces)
        }
    }

    /// A part of a request has no values; the whole has.
    private func useOverflowKeysOfPart(where isOverflowing: (Int) -> Bool) {
        let keys = keyEnds.indices.map { index in
            isOverflowing(index) ? withOverflowKey(index) { [UInt8]($0) } : withKey(index) { [UInt8]($0) }
        }
        keyEnds.removeAll(keepingCapacity: true)
        keyBytes.removeAll(keepingCapacity: true)
        for key in keys {
            keyBytes.append(contentsOf: key)
            keyEnds.append(keyBytes.count)
        }
    }

    func withOverflowKey<Result>(_ index: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        if let whole { return whole.withOverflowKey(decidedElsewhere.indexWithout(index), body) }
        let end = keyBytes.count
        appendKey(group.limits[index].template.overflowPieces)
        keyEnds.removeLast()
        defer { keyBytes.removeLast(keyBytes.count - end) }
        return keyBytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[end...])) }
    }

    private func appendKey(_ pieces: [KeyTemplate.Piece]) {
        for piece in pieces {
            switch piece {
            case .bytes(let bytes): keyBytes.append(contentsOf: bytes)
            case .value(let index):
                keyBytes.append(contentsOf: values[(index == 0 ? 0 : valueEnds[index - 1])..<valueEnds[index]])
            }
        }
        keyEnds.append(keyBytes.count)
    }

    package func withKey<Result>(_ index: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let start = index == 0 ? 0 : keyEnds[index - 1]
        return keyBytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start..<keyEnds[index]])) }
    }

    /// The encoded value of one of the group's dimensions.
    func withValue<Result>(_ dimension: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let start = dimension == 0 ? 0 : valueEnds[dimension - 1]
        return values.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start..<valueEnds[dimension]])) }
    }

    /// Decides on `states`, which the store has made current at `now`, and fills in the decision.
    /// Returns whether states were changed and must be kept.
    package func resolve(at now: Int64) -> Bool {
        let traits = traits
        decision.begin(limits: traits.count)
        if operation == .reset {
            for index in traits.indices {
                costs[index] = 0
                states[index] = traits[index].rule.reset(states[index], at: now)
            }
        }
        if available.count != traits.count { available = Array(repeating: 0, count: traits.count) }
        var passes = true
        for index in traits.indices {
            let units = traits[index].rule.available(states[index], at: now)
            available[index] = units
            if costs[index] > max(0, units) && !traits[index].isShadow { passes = false }
        }
        let charges = passes && operation == .decide
        var changes = operation == .reset
        for index in traits.indices {
            let (rule, cost) = (traits[index].rule, costs[index])
            let isAllowed = cost <= max(0, available[index])
            if charges && isAllowed && cost > 0 {
                rule.charge(&states[index], cost: cost)
                available[index] -= cost
                changes = true
            }
            decision.append(
                rule.verdict(
                    states[index], available: available[index], cost: cost, isAllowed: isAllowed, at: now,
                    reportsReset: reportsReset),
                isEnforced: !traits[index].isShadow)
        }
        return changes
    }

    /// Hands the answer to the receiver. Stores call it exactly once a question.
    package func answer() {
        let receiver = self.receiver
        self.receiver = nil
        receiver?.decided(self)
    }

    /// Fills in that nobody could decide: an outage with `on_store_failure: deny`.
    package func decideUnavailable() {
        decision.begin(limits: 0)
        decision.outcome = .unavailable
        decision.isDegraded = true
    }
}

/// Is told of an answer, on the event loop where the question was asked, possibly before `decide` returns.
package protocol DecisionReceiver: AnyObject {
    func decided(_ call: LimitCall)
}

/// What the limits of a request say together.
package struct Decision: Sendable {
    package enum Outcome: Sendable {
        case allowed
        case denied
        /// No store could decide, and a limit says to refuse then.
        case unavailable
    }

    package var outcome: Outcome
    /// The limits are configured for a shared store and it did not decide.
    package var isDegraded: Bool
    /// One a limit of the group, in its order; empty where the outcome is `unavailable`.
    package private(set) var verdicts: [Verdict]
    /// Denied: until the same request alone would pass, by the limit that takes longest; nil: never.
    package private(set) var retryAfterMicroseconds: Int64?

    package init() {
        outcome = .allowed
        isDegraded = false
        verdicts = []
        retryAfterMicroseconds = nil
    }

    package var isAllowed: Bool { outcome == .allowed }

    package mutating func begin(limits: Int) {
        outcome = .allowed
        isDegraded = false
        verdicts.removeAll(keepingCapacity: true)
        retryAfterMicroseconds = 0
    }

    /// Adds one limit's answer; one that is not enforced refuses nobody.
    package mutating func append(_ verdict: Verdict, isEnforced: Bool) {
        verdicts.append(verdict)
        guard !verdict.isAllowed, isEnforced else { return }
        outcome = .denied
        if verdict.retryMicroseconds == Verdict.never {
            retryAfterMicroseconds = nil
        } else if let longest = retryAfterMicroseconds {
            retryAfterMicroseconds = max(longest, verdict.retryMicroseconds)
        }
    }
}
