/// What one event loop does about tokens whose keys it does not know: they wait for a fetch, or they are refused at once.
///
/// Ids that a fetch has not brought are remembered, a bounded number of them, so that asking for them again fetches nothing.
package struct KeyDemand: Sendable {
    package enum Verdict: Hashable, Sendable {
        /// Nothing would come of waiting.
        case refuse
        case wait
        /// The first to wait: ask for a fetch.
        case ask
    }

    /// How long an id that was not found is not asked for again. It may be a key's that is published a little later.
    package static let missedNanoseconds: Int64 = 300_000_000_000
    package static let mostMissed = 1024

    private var isAwaited = true
    private var nextAllowedAt: Int64 = 0
    /// By id, until when. The order of their coming is that of their times.
    private var missed: [[UInt8]: Int64] = [:]
    private var order: [[UInt8]] = []
    private var oldest = 0

    /// At first, a fetch is under way.
    package init() {}

    /// A token needs a key that is not there; `id` is nil where there are no keys at all.
    package mutating func miss(_ id: [UInt8]?, at now: Int64) -> Verdict {
        if let id, let until = missed[id], now < until { return .refuse }
        if isAwaited { return .wait }
        guard now >= nextAllowedAt else { return .refuse }
        isAwaited = true
        return .ask
    }

    /// The token waited, and its key has not come.
    package mutating func missedAgain(_ id: [UInt8], at now: Int64) {
        if missed.updateValue(now + Self.missedNanoseconds, forKey: id) == nil { order.append(id) }
        if missed.count > Self.mostMissed {
            missed[order[oldest]] = nil
            oldest += 1
            if oldest == Self.mostMissed {
                order.removeFirst(oldest)
                oldest = 0
            }
        }
    }

    /// A fetch has ended, one way or the other, or must not start before `nextAllowedAt`.
    package mutating func answered(hasChanged: Bool, nextAllowedAt: Int64) {
        isAwaited = false
        self.nextAllowedAt = nextAllowedAt
        guard hasChanged else { return }
        missed = [:]
        order = []
        oldest = 0
    }

    package var missedCount: Int { missed.count }
}
