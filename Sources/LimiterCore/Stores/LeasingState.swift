import Synchronization

/// What all event loops of a process share about the shared store: whether it answers, what time it has, what was last seen of each
/// counter, what was spent without it, and how many replicas there are.
package final class LeasingState: Sendable {
    package let replica: ReplicaID
    let clock: AlignedClock
    let memories: CounterTable<CounterMemory>
    package let usage = UsageBook()
    let onPhaseChange: @Sendable (StoreStatus.Phase) -> Void
    private let breaker: Mutex<Breaker>
    private let fleet: Mutex<Fleet>
    private let open = Mutex(OpenCounters())
    private let unsettledCount = Atomic<Int>(0)
    private let shareCount: Atomic<Int>
    private let lastSequence = Atomic<Int64>(0)
    private let wakers = Mutex<[(owner: ObjectIdentifier, wake: @Sendable () -> Void)]>([])
    /// Stores with calls that wait for a lease.
    private let waitingStores = Atomic<Int>(0)
    private let isSuspect = Atomic<Bool>(false)
    private let tellingHeldUntil = Atomic<Int64>(0)
    private let lateReplyMicroseconds: Int64
    /// A call that has waited for leases for so long is decided here.
    let deadlineMicroseconds: Int64

    private struct Fleet {
        var view: FleetView?
        let minimum: Int
    }

    /// `minimumReplicas`: `store.replicas` of the configuration. `lateReplyMicroseconds`: how long after its deadline an answer may
    /// still come; `deadlineMicroseconds`: how long a call of the store may take. `secret` is as in `LocalStore`. `onPhaseChange` is
    /// called on the event loop that noticed.
    package init(
        labels: [LimitTable.Label], time: any TimeSource, minimumReplicas: Int,
        lateReplyMicroseconds: Int64 = 2_000_000, deadlineMicroseconds: Int64 = .max,
        replica: ReplicaID = ReplicaID(.random(in: .min ... .max)),
        seed: UInt64 = .random(in: .min ... .max), secret: (UInt64, UInt64)? = nil,
        onPhaseChange: @escaping @Sendable (StoreStatus.Phase) -> Void = { _ in }
    ) {
        self.replica = replica
        self.lateReplyMicroseconds = lateReplyMicroseconds
        self.deadlineMicroseconds = deadlineMicroseconds
        self.onPhaseChange = onPhaseChange
        clock = AlignedClock(time)
        memories = CounterTable(
            labels: labels, now: time.nowMicroseconds, placesByKey: true, secret: secret)
        breaker = Mutex(Breaker(seed: seed))
        fleet = Mutex(Fleet(view: nil, minimum: max(1, minimumReplicas)))
        shareCount = Atomic(max(1, minimumReplicas))
    }

    package var status: StoreStatus {
        let (alive, shares) = fleet.withLock { ($0.view?.alive ?? 0, max($0.view?.peak ?? 1, $0.minimum)) }
        return StoreStatus(
            phase: phase, replicasAlive: alive, shares: shares, unmerged: unsettledCount.load(ordering: .relaxed))
    }

    /// Microseconds since the epoch by the store's clock; by this machine's while the store was never heard.
    package var storeNow: Int64 { clock.now }

    /// The limits of a table that was made after the one before.
    package func use(_ labels: [LimitTable.Label]) { memories.add(labels) }

    /// Counters that are remembered just now, those that overflowing keys share left out.
    package var count: Int { memories.count }

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

    func saw(_ view: FleetView) {
        usage.saw(birth: view.birth)
        fleet.withLock { fleet in
            fleet.view = view
            shareCount.store(max(view.peak, fleet.minimum), ordering: .relaxed)
        }
    }

    /// Whether the shared store ever answered.
    var wasHeard: Bool { fleet.withLock { $0.view != nil } }

    /// How many replicas share a limit.
    var shares: Int { shareCount.load(ordering: .relaxed) }

    /// For the next lease call.
    func nextSequence() -> Int64 { lastSequence.wrappingAdd(1, ordering: .relaxed).newValue }

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
    var mayTell: Bool { unsettledCount.load(ordering: .relaxed) > 0 && mayTellNow }

    /// Whether no answer may come any more that would show what was spent to be counted already.
    var mayTellNow: Bool { clock.monotonic >= tellingHeldUntil.load(ordering: .relaxed) }

    /// A call timed out: its charge is unknown until its answer came or can no longer come.
    func holdTelling() { tellingHeldUntil.store(clock.monotonic + lateReplyMicroseconds, ordering: .relaxed) }

    /// `isUnsettled`: more was spent from it than the store knows.
    func noteOpen(_ place: CounterPlace, _ limit: EffectiveLimit, isUnsettled: Bool, _ counter: () -> OpenCounter) {
        open.withLock { open in
            open.add(place, limit, isUnsettled: isUnsettled, counter)
            unsettledCount.store(open.unsettled, ordering: .relaxed)
        }
    }

    func close(_ place: CounterPlace) {
        open.withLock { open in
            open.close(place)
            unsettledCount.store(open.unsettled, ordering: .relaxed)
        }
    }

    func openCounter(_ place: CounterPlace) -> OpenCounter? { open.withLock { $0[place] } }

    /// The next counters that were not looked at for longest, `limit` at most.
    func nextOpen(_ limit: Int) -> [(CounterPlace, OpenCounter)] { open.withLock { $0.next(limit) } }

    // MARK: Stores of other event loops

    func add(_ owner: AnyObject, _ wake: @escaping @Sendable () -> Void) {
        wakers.withLock { $0.append((ObjectIdentifier(owner), wake)) }
    }

    func remove(_ owner: AnyObject) { wakers.withLock { $0.removeAll { $0.owner == ObjectIdentifier(owner) } } }

    func beginsToWait() { waitingStores.add(1, ordering: .relaxed) }

    func endsToWait() { waitingStores.subtract(1, ordering: .relaxed) }

    /// A lease came or failed: calls elsewhere may have waited for it.
    func wakeOthers(than store: AnyObject) {
        guard waitingStores.load(ordering: .relaxed) > 0 else { return }
        for (owner, wake) in wakers.withLock({ $0 }) where owner != ObjectIdentifier(store) { wake() }
    }
}

/// Time as the shared store has it: its last TIME plus monotonic time since, so that local windows align with everyone's.
package final class AlignedClock: Sendable {
    private let source: any TimeSource
    private let offset = Atomic<Int64>(0)
    private let heardAt = Atomic<Int64>(-hearsayMicroseconds)
    /// Of the last answer whose question's time is known: the store's time less that of the question.
    private let latestOffset = Atomic<Int64>(.max)
    private let latestHeardAt = Atomic<Int64>(0)

    /// For so long two clocks run alike to well under a second.
    private static let hearsayMicroseconds: Int64 = 600_000_000

    package init(_ source: any TimeSource) { self.source = source }

    /// All three by one look at this machine's clock.
    func read() -> (now: Int64, monotonic: Int64, latest: Int64) {
        let monotonic = monotonic
        return (monotonic + offset.load(ordering: .relaxed), monotonic, latest(at: monotonic))
    }

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

    /// The latest that the store's time may be: an answer's time plus what has passed since its question was asked, and
    /// what two clocks drift apart meanwhile. `.max`: unknown.
    package var latest: Int64 { latest(at: monotonic) }

    private func latest(at monotonic: Int64) -> Int64 {
        let offset = latestOffset.load(ordering: .relaxed)
        guard offset != .max else { return .max }
        let drift = (monotonic - latestHeardAt.load(ordering: .relaxed)) / Self.driftDivisor
        return monotonic + offset + drift + Self.slackMicroseconds
    }

    /// Microseconds.
    private static let longestAnswer: Int64 = 1_000_000
    /// Clocks differ by less than 500 parts in a million.
    private static let driftDivisor: Int64 = 2000
    /// The parts of the last answer are read one by one.
    private static let slackMicroseconds: Int64 = 1000

    /// `storeTime` is from the answer to what was asked at `sent`, by the monotonic clock.
    package func align(to storeTime: Int64, askedAt sent: Int64) {
        latestOffset.store(storeTime - sent, ordering: .relaxed)
        let monotonic = monotonic
        latestHeardAt.store(monotonic, ordering: .relaxed)
        let known = offset.load(ordering: .relaxed)
        let possible = (storeTime - monotonic)...(storeTime - sent)
        // An answer that was long on its way, or found this process asleep, says less than was known.
        if self.storeTime == nil || monotonic - sent < Self.longestAnswer || !possible.contains(known) {
            offset.store(possible.lowerBound, ordering: .relaxed)
        }
        heardAt.store(monotonic, ordering: .relaxed)
    }

    /// `storeTime` is from an answer to what was asked at an unknown time, so the store's time is that at least.
    package func align(to storeTime: Int64) {
        let monotonic = monotonic
        let least = storeTime - monotonic
        if self.storeTime == nil || least > offset.load(ordering: .relaxed) {
            offset.store(least, ordering: .relaxed)
        }
        heardAt.store(monotonic, ordering: .relaxed)
    }
}
