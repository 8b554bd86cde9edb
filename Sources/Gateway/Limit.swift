import HTTPWire
import LimiterCore
import Telemetry

/// Asks the store for all limits of the request at once. The answer may come before this returns or later on this loop.
enum Limiting {
    static func step(_ exchange: Exchange) -> Step {
        if exchange.asksForBudget { return Budget.step(exchange) }
        guard let place = exchange.place else { return .next }
        let limits = exchange.edition.tenantLimits.limits(at: place, of: exchange.tenant)
        guard !limits.isEmpty else { return .next }
        exchange.asked = limits
        let call = exchange.call
        limits.fill(
            call, .decide, from: exchange.client.reader.head, tenant: exchange.tenant, claims: exchange.claims,
            client: exchange.clientAddress)
        call.reportsReset = exchange.edition.plan.isLegacy
        call.receiver = exchange
        exchange.askedAt = exchange.worker.now
        exchange.isUndecided = true
        exchange.isAsking = true
        exchange.worker.store.decide(call)
        exchange.isAsking = false
        guard !exchange.isUndecided else { return .waiting }
        exchange.worker.metrics.recordDecision(nanoseconds: 0)
        return conclude(exchange)
    }

    static func conclude(_ exchange: Exchange) -> Step {
        let call = exchange.call
        exchange.decided = exchange.asked.take()
        count(call, exchange.worker)
        return call.decision.isAllowed ? .next : .respond(problem(call.decision))
    }

    static func problem(_ decision: borrowing Decision) -> Problem {
        switch decision.outcome {
        case .unavailable: .storeUnavailable
        case .allowed, .denied: decision.retryAfterMicroseconds == nil ? .costOverLimit : .quotaExceeded
        }
    }

    static func count(_ call: LimitCall, _ worker: Worker) {
        let group = call.group
        for index in group.limits.indices {
            let outcome: WorkerMetrics.DecisionOutcome =
                if call.decision.outcome == .unavailable || index >= call.decision.verdicts.count {
                    .unavailable
                } else if call.decision.verdicts[index].isAllowed {
                    .allowed
                } else {
                    group.limits[index].limit.isShadow ? .shadowDenied : .denied
                }
            worker.metrics.countDecision(
                limit: group.limits[index].index, outcome: outcome, isDegraded: call.decision.isDegraded)
        }
    }
}

extension Exchange: DecisionReceiver {
    func decided(_ call: LimitCall) {
        // A call that was dropped when its client left.
        guard call === self.call, isUndecided else { return }
        isUndecided = false
        // The step that asks has not returned yet and concludes by itself.
        guard !isAsking else { return }
        worker.readClock()
        worker.metrics.recordDecision(nanoseconds: worker.now - askedAt)
        switch Limiting.conclude(self) {
        case .next:
            goOn()
            advance()
        case .respond(let problem): Respond.refuse(self, problem)
        case .waiting: break
        }
        client.link.flush()
    }
}
