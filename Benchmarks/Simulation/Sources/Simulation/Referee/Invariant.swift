/// What must hold at every step of a run, whatever goes wrong. The numbers are fixed: reports and mutations name them.
package enum Invariant: Int, CaseIterable, Sendable {
    case exactLimit = 1
    case bucketPromise
    case leasesWithinLimit
    case outageWithinShares
    case allOrNothing
    case conservation
    case idempotence
    case noResurrection
    case honestDenial
    case honestRetry
    case boundedRemaining
    case isolation
    case clock
    case precedence
    case timeToLive
    case boundedMemory
    case liveness
    case boundedLatency
    case fairness
    case sameArithmetic

    package var sentence: String {
        switch self {
        case .exactLimit:
            "what the store charges stays within the limit in each clock window, and within L(1+x/W) in every interval x"
        case .bucketPromise: "a bucket admits at most B + r·x in every interval x"
        case .leasesWithinLimit:
            "a replica spends no more than it was granted in a window, and grants and charges together stay within the limit and what was lost"
        case .outageWithinShares:
            "cut off, a replica admits at most what it holds and its share of what it last saw left; shares add up to no more than one"
        case .allOrNothing: "a refused request, a peek and cost 0 change no counter"
        case .conservation:
            "a counter holds exactly what was charged, granted and told less what was given back; nothing that was spent is forgotten"
        case .idempotence: "executing a lease call again changes nothing"
        case .noResurrection:
            "units are spent only before their window or lease ends, and only by the process that was granted them"
        case .honestDenial: "a request is only refused where a limit has no room for it, but for what replicas hold"
        case .honestRetry: "the same request alone passes at Retry-After, and not a microsecond sooner"
        case .boundedRemaining:
            "remaining lies between 0 and the limit, and a counter is never less full than the replica that asks saw it in that window"
        case .isolation: "what one tenant asks changes no decision for another"
        case .clock: "a clock that jumps back admits nothing extra, one that jumps ahead at most one limit more"
        case .precedence: "the limit that applies is the most specific one, charged once"
        case .timeToLive:
            "a key lives until its state is neutral and no longer, and there are no more keys than tenants and limits make"
        case .boundedMemory:
            "a replica remembers no more counters than it may, and being full lets nothing pass uncounted"
        case .liveness:
            "once nothing is wrong any more, every replica is back at the store, seen by all, and has told what it spent"
        case .boundedLatency:
            "no decision takes longer than three deadlines, and one lease call a counter and replica is under way"
        case .fairness: "replicas with equal demand admit shares that differ by at most a quarter in ten seconds"
        case .sameArithmetic: "Swift and Lua count alike, integer for integer"
        }
    }

    /// Where it is checked, if not at every step of a run.
    package var place: String {
        switch self {
        case .isolation: "at every step of a run without faults, made twice: with one tenant's traffic and without it"
        case .precedence:
            "not here: LimitScopeTests and LimitTable's tests; here, that each limit of a request is charged once"
        case .liveness: "after the last fault"
        case .fairness: "in runs of ten seconds of equal demand over the limit"
        case .sameArithmetic:
            "ScriptModelTests, LeaseModelTests and HeartbeatTests, against a real Redis; here, decisions against arithmetic of its own"
        default: "at every step"
        }
    }
}

/// An invariant that did not hold.
package struct Violation: Sendable, CustomStringConvertible {
    package let invariant: Invariant
    /// Microseconds since the run began.
    package let time: Int64
    package let text: String

    package var description: String {
        "invariant \(invariant.rawValue) (\(invariant)) at \(Double(time) / 1e6) s: \(text)"
    }
}
