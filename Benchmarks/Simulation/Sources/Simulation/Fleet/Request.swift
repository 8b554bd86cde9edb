import LimiterCore

/// One request of a client: asks a replica, and hands the answer to the referee.
final class Request: DecisionReceiver {
    let replica: Replica
    /// Which process of the replica was asked.
    let start: Int
    let tenant: Int
    let askedAt: Int64
    let number: Int64
    private let referee: Referee

    init(_ replica: Replica, tenant: Int, number: Int64, _ referee: Referee) {
        self.replica = replica
        self.tenant = tenant
        self.number = number
        self.referee = referee
        start = replica.starts
        askedAt = replica.world.now
    }

    /// Asks on one of the replica's event loops, with `cost` for each limit.
    func ask(_ group: LimitGroup, _ operation: LimitCall.Operation = .decide, cost: Int64, loop: Int) {
        let call = LimitCall()
        call.prepare(group, operation)
        for _ in group.dimensions { call.appendValue("t\(tenant)") }
        for index in call.costs.indices { call.costs[index] = cost }
        call.receiver = self
        replica.stores[loop % replica.stores.count].decide(call)
    }

    func decided(_ call: LimitCall) {
        let decision = call.decision
        replica.world.note(
            .decision, number << 2 | (decision.isAllowed ? 1 : 0) | (decision.isDegraded ? 2 : 0),
            "replica \(replica.index) t\(tenant) #\(number) \(call.operation) \(call.costs): \(decision.outcome)"
                + "\(decision.isDegraded ? ", degraded" : "") \(decision.verdicts.map(\.remaining))")
        referee.answered(call, self)
    }
}
