/// One limit as it applies to the requests of one route: its numbers, and how to name its counter.
package struct EffectiveLimit: Sendable {
    package let limit: Limit
    package let rule: CounterRule
    package let owner: LimitLevel
    /// Identifies the counter's owner and name among all limits of the table: an index for metrics and key counts.
    package let index: Int
    /// The service and route that its counter belongs to; nil: to all of them.
    package let service: String?
    package let route: String?
    let template: KeyTemplate

    package var name: String { limit.name }
}

/// The limits that are decided together for a request of one route, prepared so that a request costs no look-up.
package final class LimitGroup: Sendable {
    package let limits: [EffectiveLimit]
    /// The values that a call must supply, in this order: tenant, method, client IP or headers.
    package let dimensions: [Dimension]
    /// Indices of the limits whose cost depends on the request.
    package let variableCosts: [Int]
    /// What happens to all of them when the shared store is away: deny before local before allow.
    package let failurePolicy: Limit.FailurePolicy

    /// A limit beside the place of the requests that it is for.
    struct Member {
        let scoped: ScopedLimit
        let service: String?
        let route: String?
        let index: Int
    }

    init(_ members: [Member]) {
        var dimensions: [Dimension] = []
        for dimension in members.flatMap(\.scoped.limit.per)
        where !dimension.isFixedByRoute && !dimensions.contains(dimension) {
            dimensions.append(dimension)
        }
        self.dimensions = dimensions
        limits = members.map { member in
            let limit = member.scoped.limit
            return EffectiveLimit(
                limit: limit, rule: member.scoped.rule, owner: member.scoped.owner, index: member.index,
                service: member.scoped.owner.service
                    ?? (limit.per.contains(where: \.isFixedByRoute) ? member.service : nil),
                route: member.scoped.owner.route ?? (limit.per.contains(.route) ? member.route : nil),
                template: KeyTemplate(
                    member.scoped, service: member.service, route: member.route, dimensions: dimensions))
        }
        let all = members.map(\.scoped.limit)
        variableCosts = all.indices.filter { if case .fixed = all[$0].cost { false } else { true } }
        let policies = all.map(\.onStoreFailure)
        failurePolicy =
            policies.contains(.deny) ? .deny : policies.contains(.local) || policies.isEmpty ? .local : .allow
    }

    /// These of its limits alone, with the same counters, in the order of `indices`.
    package func selecting(_ indices: [Int]) -> LimitGroup {
        LimitGroup(
            indices.map { index in
                let limit = limits[index]
                return Member(
                    scoped: ScopedLimit(limit: limit.limit, rule: limit.rule, owner: limit.owner),
                    service: limit.service, route: limit.route, index: limit.index)
            })
    }
}
