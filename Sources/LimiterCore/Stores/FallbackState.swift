import Synchronization

/// What all event loops of a process share about the shared store: whether it answers, what time it has, what was last seen of each
/// counter, what was spent without it, and how many replicas there are.
package final class FallbackState: Sendable {
    package let replica: ReplicaID
    let clock: AlignedClock
    let memories: CounterTable<CounterMemory>
    let onPhaseChange: @Sendable (StoreStatus.Phase) -> Void
    private let breaker: Mutex<Breaker>
    private let fleet: Mutex<Fleet>
    private let unsettled = Mutex<[CounterPlace: UnsettledCounter]>([:])
    private let unsettledCount = Atomic<Int>(0)
    private let isSuspect = Atomic<Bool>(false)
    private let mergesHeldUntil = Atomic<Int64>(0)
    private let lateReplyMicroseconds: Int64

    private struct Fleet {
        var view: FleetView?
        let minimum: Int
    }

    /// A counter that was spent from while the store was away.
    struct UnsettledCounter {
        var key: [UInt8]
        var rule: CounterRule
        var limit: Int
        var isMerging = false
    }

    /// `minimumReplicas`: `store.replicas` of the configuration. `lateReplyMicroseconds`: how long after its deadline an answer may
    /// still come. `onPhaseChange` is called on the event loop that noticed.
    package init(
        labels: [LimitTable.Label], time: any TimeSource, minimumReplicas: Int,
        lateReplyMicroseconds: Int64 = 2_000_000, replica: ReplicaID = ReplicaID(.random(in: .min ... .max)),
        seed: UInt64 = .random(in: .min ... .max),
        onPhaseChange: @escaping @Sendable (StoreStatus.Phase) -> Void = { _ in }
    ) {
        self.replica = replica
        self.lateReplyMicroseconds = lateReplyMicroseconds
        self.onPhaseChange = onPhaseChange
        clock = AlignedClock(time)
        memories = CounterTable(labels: labels, now: time.nowMicroseconds)
        breaker = Mutex(Breaker(seed: seed))
        fleet = Mutex(Fleet(view: nil, minimum: max(1, minimumReplicas)))
    }

    package var status: StoreStatus {
        let (alive, shares) = fleet.withLock { ($0.view?.alive ?? 0, max($0.view?.peak ?? 1, $0.minimum)) }
        return StoreStatus(
            phase: phase, replicasAlive: alive, shares: shares, unmerged: unsettledCount.load(ordering: .relaxed))
    }

    var phase: StoreStatus.Phase {
        switch breaker.withLock({ $0.phase }) {
        case .closed: .shared
        case .open: .fallback
        case .halfOpen: .probing
        }
    }

    var share: FleetShare {
        fleet.withLock { FleetShare(shares: max($0.view?.peak ?? 1, $0.minimum), rank: $0.view?.rank) }
    }

    func saw(_ view: FleetView) { fleet.withLock { $0.view = view } }

    /// Runs `body` on the breaker and says when the phase changed by it.
    func withBreaker<Result>(_ body: (inout Breaker) -> Result) -> Result {
        let (result, before, after) = breaker.withLock { breaker in
            let before = breaker.phase
            let result = body(&breaker)
            return (result, before, breaker.phase)
        }
        if before != after { phaseChanged(from: before, to: after) }
        return result
    }

    private func phaseChanged(from before: Breaker.Phase, to after: Breaker.Phase) {
        switch (before, after) {
        case (_, .closed): onPhaseChange(.shared)
        case (.closed, _): onPhaseChange(.fallback)
        default: break
        }
    }

    /// A call found no connection: the store should be looked at before the next heartbeat is due.
    func suspect() { isSuspect.store(true, ordering: .relaxed) }

    func takeSuspicion() -> Bool { isSuspect.exchange(false, ordering: .relaxed) }

    // MARK: What was spent and has not reached the store

    /// Whether there is something to merge, and no answer may come any more that would show it to be counted already.
    var mayMerge: Bool {
        unsettledCount.load(ordering: .relaxed) > 0 && clock.monotonic >= mergesHeldUntil.load(ordering: .relaxed)
    }

    /// A call timed out: its charge is unknown until its answer came or can no longer come.
    func holdMerges() { mergesHeldUntil.store(clock.monotonic + lateReplyMicroseconds, ordering: .relaxed) }

    func noteUnsettled(_ place: CounterPlace, _ counter: UnsettledCounter) {
        unsettled.withLock { counters in
            if counters[place] == nil { counters[place] = counter }
            unsettledCount.store(counters.count, ordering: .relaxed)
        }
    }

    func forgetUnsettled(_ place: CounterPlace) {
        unsettled.withLock { counters in
            counters[place] = nil
            unsettledCount.store(counters.count, ordering: .relaxed)
        }
    }

    func unsettledCounter(_ place: CounterPlace) -> UnsettledCounter? { unsettled.withLock { $0[place] } }

    /// Up to `limit` counters that nobody is merging yet, marked as being merged.
    func takeUnsettled(_ limit: Int) -> [(CounterPlace, UnsettledCounter)] {
        unsettled.withLock { counters in
            let chosen = Array(counters.lazy.filter { !$0.value.isMerging }.prefix(limit))
            for (place, _) in chosen { counters[place]?.isMerging = true }
            return chosen.map { ($0.key, $0.value) }
        }
    }

    func mergeEnded(_ place: CounterPlace) { unsettled.withLock { $0[place]?.isMerging = false } }
}

/// Time as the shared store has it: its last TIME plus monotonic time since, so that local windows align with everyone's.
package final class AlignedClock: Sendable {
    private let source: any TimeSource
    private let offset = Atomic<Int64>(0)
    private let heardAt = Atomic<Int64>(-hearsayMicroseconds)

    /// For so long two clocks run alike to well under a second.
    private static let hearsayMicroseconds: Int64 = 600_000_000

    package init(_ source: any TimeSource) { self.source = source }

    /// Microseconds since the epoch by the store's clock; by this machine's while the store was never heard.
    package var now: Int64 { monotonic + offset.load(ordering: .relaxed) }

    /// Microseconds that only measure durations.
    package var monotonic: Int64 { source.nowMicroseconds }

    /// The store's time; nil where it was not heard for ten minutes, and this clock may have drifted away from it.
    package var storeTime: Int64? {
        let monotonic = monotonic
        guard monotonic - heardAt.load(ordering: .relaxed) < Self.hearsayMicroseconds else { return nil }
        return monotonic + offset.load(ordering: .relaxed)
    }

    package func align(to storeTime: Int64) {
        let monotonic = monotonic
        offset.store(storeTime - monotonic, ordering: .relaxed)
        heardAt.store(monotonic, ordering: .relaxed)
    }
}
