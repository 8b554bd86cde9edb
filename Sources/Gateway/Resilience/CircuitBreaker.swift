/// Decides when a service is asked and when it is left alone. A value: events in, answers out, time an argument
/// (nanoseconds, monotonic).
///
/// Closed, it counts attempts over a sliding window, and opens when the share of failed ones, or of slow ones, or a run of
/// failures is too much. Open, it refuses everything for a while. Half open, it lets a few probes through, which close it
/// if all pass; one that fails opens it again, for twice as long.
struct CircuitBreaker: Sendable {
    struct Rules: Hashable, Sendable {
        var windowNanoseconds: Int64
        var minimumRequests: Int
        var errorPercent: Int
        var consecutiveFailures: Int?
        /// nil: slowness does not matter.
        var slowPercent: Int?
        var openNanoseconds: Int64
        var longestOpenNanoseconds: Int64
        /// That many passed probes close it, and no more than that are sent at a time; as many again where they do not end.
        var probes: Int
    }

    enum Phase: Hashable, Sendable {
        case closed
        case open(until: Int64)
        case halfOpen
    }

    /// Each phase has a number of its own: how an attempt ended says nothing of a later phase.
    enum Admission: Hashable, Sendable {
        case counted(phase: Int)
        /// After a while others are sent without waiting for its end any longer: those are of another round.
        case probe(phase: Int, round: Int)
        /// Until when at least; half open, as long as the probes take.
        case refused(until: Int64)
    }

    enum Outcome: Hashable, Sendable {
        case passed, slow, failed
        /// It says nothing of the service, such as when the client left.
        case abandoned
    }

    let rules: Rules
    private(set) var phase = Phase.closed
    private(set) var phaseNumber = 0
    /// Lanes: attempts, failed ones, slow ones.
    private(set) var counts: SlidingCounts
    private var failuresInRow = 0
    private var openings: Int64 = 0
    /// Probes of this round that are under way.
    private(set) var probing = 0
    private var round = 0
    private var probesPassed = 0
    private var lastProbeAt: Int64 = 0
    private var random: UInt64

    init(_ rules: Rules, seed: UInt64) {
        self.rules = rules
        counts = SlidingCounts(windowNanoseconds: rules.windowNanoseconds)
        random = seed
    }

    mutating func admit(at now: Int64) -> Admission {
        switch phase {
        case .closed: return .counted(phase: phaseNumber)
        case .open(let until):
            guard now >= until else { return .refused(until: until) }
            enter(.halfOpen)
            (probing, probesPassed) = (0, 0)
        case .halfOpen:
            guard probing + probesPassed >= rules.probes else { break }
            // Requests that take for ever to arrive must not keep all others waiting; what they say in the end counts.
            guard now - lastProbeAt >= rules.openNanoseconds else { return .refused(until: now) }
            probing = 0
            round += 1
        }
        lastProbeAt = now
        probing += 1
        return .probe(phase: phaseNumber, round: round)
    }

    /// So many attempts passed while it was closed.
    mutating func passed(_ count: Int, at now: Int64) {
        guard phase == .closed, count > 0 else { return }
        counts.add([count, 0, 0, 0], at: now)
        failuresInRow = 0
    }

    mutating func ended(_ admission: Admission, _ outcome: Outcome, at now: Int64) {
        switch (admission, phase) {
        case (.counted(phaseNumber), .closed): count(outcome, at: now)
        case (.counted(phaseNumber), .halfOpen):
            // A probe that had passed, and then broke off.
            if outcome == .failed { open(at: now) }
        case (.probe(phaseNumber, let round), .halfOpen):
            if round == self.round { probing -= 1 }
            probeEnded(outcome, at: now)
        default: break
        }
    }

    private mutating func count(_ outcome: Outcome, at now: Int64) {
        switch outcome {
        case .passed: passed(1, at: now)
        case .slow:
            counts.add([1, 0, 1, 0], at: now)
            failuresInRow = 0
        case .failed:
            counts.add([1, 1, 0, 0], at: now)
            failuresInRow += 1
        case .abandoned: return
        }
        if outcome != .passed, isTooMuch { open(at: now) }
    }

    private var isTooMuch: Bool {
        if let most = rules.consecutiveFailures, failuresInRow >= most { return true }
        let total = counts.total
        guard total[0] >= rules.minimumRequests else { return false }
        if total[1] > 0, total[1] * 100 >= rules.errorPercent * total[0] { return true }
        return rules.slowPercent.map { total[2] > 0 && total[2] * 100 >= $0 * total[0] } ?? false
    }

    private mutating func probeEnded(_ outcome: Outcome, at now: Int64) {
        switch outcome {
        case .abandoned: break
        case .slow where rules.slowPercent != nil, .failed: open(at: now)
        case .passed, .slow:
            probesPassed += 1
            guard probesPassed >= rules.probes else { return }
            enter(.closed)
            openings = 0
        }
    }

    private mutating func enter(_ phase: Phase) {
        self.phase = phase
        phaseNumber += 1
        counts.clear()
        failuresInRow = 0
    }

    /// Up to a tenth longer or shorter, so that replicas do not probe in step.
    private mutating func open(at now: Int64) {
        var time = rules.openNanoseconds
        for _ in 0..<min(openings, 32) where time < rules.longestOpenNanoseconds { time *= 2 }
        time = min(time, rules.longestOpenNanoseconds)
        openings += 1
        // Knuth's linear congruential generator is enough to keep replicas apart.
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let tenth = max(1, time / 10)
        enter(.open(until: now + time - tenth + Int64(random >> 33) % (2 * tenth + 1)))
    }
}
