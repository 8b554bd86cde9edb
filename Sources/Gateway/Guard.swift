import HTTPWire
import LimiterCore

/// The first step: limits that need neither route nor identity, decided by this process alone and at once, so that a flood
/// costs little.
enum Guard {
    static func step(_ exchange: Exchange) -> Step {
        guard !exchange.edition.plan.guards.isEmpty else { return .next }
        return ask(exchange.edition.plan.guards, .decide, exchange)
            ? .next : .respond(Limiting.problem(exchange.call.decision))
    }

    /// Whether failed authentications have used up what this client may fail.
    static func mayAuthenticate(_ exchange: Exchange) -> Bool {
        let limits = exchange.edition.plan.failedAuthentications
        return limits.isEmpty || ask(limits, .peek, exchange)
    }

    static func countFailedAuthentication(_ exchange: Exchange) {
        let limits = exchange.edition.plan.failedAuthentications
        guard !limits.isEmpty else { return }
        limits.fill(
            exchange.call, .decide, from: exchange.client.reader.head, tenant: .anonymous,
            client: exchange.clientAddress)
        exchange.worker.guards.decide(exchange.call)
        Limiting.count(exchange.call, exchange.worker)
    }

    /// False: the limits refuse, and the answer names them.
    private static func ask(_ limits: LimitPlan, _ operation: LimitCall.Operation, _ exchange: Exchange) -> Bool {
        let call = exchange.call
        limits.fill(
            call, operation, from: exchange.client.reader.head, tenant: .anonymous, client: exchange.clientAddress)
        call.reportsReset = exchange.edition.plan.isLegacy
        exchange.worker.guards.decide(call)
        if operation == .decide { Limiting.count(call, exchange.worker) }
        if call.decision.isAllowed { return true }
        exchange.decided = limits
        return false
    }
}
