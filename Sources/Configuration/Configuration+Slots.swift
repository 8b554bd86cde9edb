package import LimiterCore

extension Configuration {
    /// Why these limits cannot be kept in this Redis; nil: they can.
    ///
    /// A cluster decides together what lies in one slot: the limits of a request that are per tenant, or a single one that is not. What is
    /// always leased is not asked for together with others, and what is local not at all.
    package static func refusal(of limits: LimitTable, in redis: RedisAddress) -> String? {
        guard case .cluster = redis.form else { return nil }
        for service in limits.services {
            for group in [service.whole] + service.routes {
                let asked = group.limits.filter { !$0.limit.isAlwaysLeased && $0.limit.mode != .local }
                let apart = asked.filter { !$0.limit.needsTenant }
                guard asked.count > 1, let first = apart.first else { continue }
                return
                    "a Redis Cluster keeps `\(first.name)`, which is not per tenant, in a slot of its own, so it cannot decide it exactly together with the other limits of a request to the service `\(service.name)`; add `mode: leased` to `\(first.name)`, or tenant to its `per`, or make it a `guard: true`"
            }
        }
        return nil
    }
}
