import Logging
import Synchronization
import Telemetry

/// One circuit breaker for all workers of the process, so that the evidence is the process's and not each worker's.
///
/// An attempt that passes while it is closed, which is nearly every one, costs two atomic reads and an addition. Passes
/// are gathered and told the breaker when a slice of its window ends, or when an attempt fails; only that takes the lock.
final class SharedBreaker: Sendable {
    private struct State {
        var breaker: CircuitBreaker
        /// Until when passes are gathered: they are counted as of just before.
        var sliceEnd: Int64 = .min
    }

    let gauge: BreakerGauge
    let rules: CircuitBreaker.Rules
    private let state: Mutex<State>
    /// The number of the phase while that is closed; below zero: it is not.
    private let closedPhase = Atomic(0)
    private let gathered = Atomic(0)
    private let sliceEnd = Atomic(Int64.min)

    init(_ rules: CircuitBreaker.Rules, gauge: BreakerGauge, seed: UInt64 = .random(in: .min ... .max)) {
        self.rules = rules
        self.gauge = gauge
        state = Mutex(State(breaker: CircuitBreaker(rules, seed: seed)))
    }

    var isClosed: Bool { closedPhase.load(ordering: .relaxed) >= 0 }

    func admit(at now: Int64) -> CircuitBreaker.Admission {
        let closed = closedPhase.load(ordering: .relaxed)
        if closed >= 0 { return .counted(phase: closed) }
        return state.withLock { state in
            let admission = state.breaker.admit(at: now)
            publish(state.breaker)
            return admission
        }
    }

    /// Returns the phase that this began; nil: none.
    @discardableResult
    func ended(
        _ admission: CircuitBreaker.Admission, _ outcome: CircuitBreaker.Outcome, at now: Int64
    ) -> CircuitBreaker.Phase? {
        if outcome == .passed, case .counted(let phase) = admission {
            guard phase == closedPhase.load(ordering: .relaxed) else { return nil }
            if now < sliceEnd.load(ordering: .relaxed) {
                gathered.wrappingAdd(1, ordering: .relaxed)
                return nil
            }
        }
        return state.withLock { state in
            let before = state.breaker.phaseNumber
            let passes = gathered.exchange(0, ordering: .relaxed)
            state.breaker.passed(passes, at: min(now, state.sliceEnd &- 1))
            state.breaker.ended(admission, outcome, at: now)
            state.sliceEnd = state.breaker.counts.endOfSlice
            sliceEnd.store(state.sliceEnd, ordering: .relaxed)
            publish(state.breaker)
            return state.breaker.phaseNumber == before ? nil : state.breaker.phase
        }
    }

    /// Says that a phase began.
    func log(_ phase: CircuitBreaker.Phase, at now: Int64, to logger: Logger) {
        let place: Logger.Metadata = [
            "service": .string(gauge.service), "route": .string(gauge.route ?? "all of its routes"),
        ]
        switch phase {
        case .open(let until):
            logger.warning(
                "a service fails and is left alone for a while",
                metadata: place.merging(["milliseconds": "\((until - now) / 1_000_000)"]) { $1 })
        case .closed: logger.notice("a service that was left alone answers again", metadata: place)
        case .halfOpen: break
        }
    }

    private func publish(_ breaker: CircuitBreaker) {
        closedPhase.store(breaker.phase == .closed ? breaker.phaseNumber : -1, ordering: .relaxed)
        gauge.state =
            switch breaker.phase {
            case .closed: .closed
            case .open: .open
            case .halfOpen: .halfOpen
            }
    }
}
