package import LimiterCore

extension Configuration {
    /// Why these limits cannot be kept in this Redis; nil: they can.
    ///
    /// A cluster decides together what lies in one slot: the limits of a request that are per tenant, or a single one that is not.
    package static func refusal(of limits: LimitTable, in redis: RedisAddress) -> String? {
        guard case .cluster = redis.form else { return nil }
        for service in limits.services {
            for group in [service.whole] + service.routes where group.limits.count > 1 {
                let apart = group.limits.filter { !$0.limit.needsTenant }.map { "`\($0.name)`" }
                guard !apart.isEmpty else { continue }
                let place =
                    apart.count == 1
                    ? "is not per tenant, in a slot of its own" : "are not per tenant, in slots of their own"
                return
                    "a Redis Cluster keeps \(apart.joined(separator: ", ")), which \(place), so it cannot decide a request to the service `\(service.name)` by all its limits at once; add tenant to `per`, make it a `guard: true`, or use redis:// or redis+sentinel://"
            }
        }
        return nil
    }
}
