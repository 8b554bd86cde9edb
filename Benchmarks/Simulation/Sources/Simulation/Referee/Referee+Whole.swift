import LimiterCore
import TestSupport

/// What can be said of the fleet and the store together.
extension Referee {
    /// Once every replica has told what it spent, the store has counted all that was admitted.
    func checkTold(_ replicas: [Replica], _ primary: RedisNode) {
        guard !hasLostReplicas, disturbedAt < 0,
            replicas.allSatisfy({ $0.isAwake && $0.state?.status.unmerged == 0 })
        else { return }
        for account in accounts where account.isWindow && !account.isDisturbed {
            let position = primary.clock.nowMicroseconds / account.rule.periodMicroseconds
            let admitted = account[position].admitted
            guard admitted > 0 else { continue }
            let counter = primary.memory.counters.counters[account.key]?.state
            let counted = counter?.position == position ? counter!.count : 0
            expect(
                counted >= admitted, .conservation,
                "\(account.name) window \(position): \(admitted) were admitted, the store counts \(counted), and nobody has anything to tell"
            )
        }
    }

    /// Of tenants that were asked for once, nothing is held any more.
    func checkGivenBack(_ primary: RedisNode, prefix: String) {
        for account in accounts where account.isWindow && account.name.hasPrefix(prefix) {
            let window = primary.clock.nowMicroseconds / account.rule.periodMicroseconds
            guard let state = primary.memory.counters.counters[account.key]?.state, state.position == window else {
                continue
            }
            expect(
                state.count <= 1, .conservation,
                "\(account.name): \(state.count) are counted of a tenant that asked for one")
        }
    }

    /// A replica remembers no more keys than its limits may have.
    func checkMemory(_ replicas: [Replica], _ limits: DeclaredLimits) {
        let most = limits.table.labels.reduce(0) { $0 + $1.maximumKeys }
        for replica in replicas {
            guard let count = replica.state?.count else { continue }
            expect(
                count <= most, .boundedMemory,
                "replica \(replica.index) remembers \(count) counters, of at most \(most)")
        }
    }
}
