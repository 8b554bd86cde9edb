/// All limits of a configuration, compiled: which group applies to which route.
package final class LimitTable: Sendable {
    package struct ServiceLimits: Sendable {
        package let name: String
        package let scope: LimitScope
        package let routes: [(name: String, scope: LimitScope)]

        package init(name: String, scope: LimitScope, routes: [(name: String, scope: LimitScope)]) {
            self.name = name
            self.scope = scope
            self.routes = routes
        }
    }

    /// A counter as metrics and budgets name it.
    package struct Label: Hashable, Sendable {
        package let limit: String
        package let owner: LimitLevel
        package let maximumKeys: Int
    }

    /// A service's groups: of a request that names no route, and of each route in the order of declaration.
    package struct ServiceGroups: Sendable {
        package let name: String
        package let whole: LimitGroup
        package let routes: [LimitGroup]
        package let routeNames: [String]
    }

    /// One entry a limit index. Those of limits that there were before come first, and stay, so that an index means the same for as
    /// long as a process lives.
    package let labels: [Label]
    /// In the order of declaration.
    package let services: [ServiceGroups]
    /// Decided before routing, by this replica alone.
    package let guards: LimitGroup
    /// Charged by failed authentications, by this replica alone.
    package let failedAuthentications: LimitGroup
    /// Every counter that exists, once; `tenant` ones apart, because a cluster keeps them in another slot than the rest.
    package let tenantCounters: LimitGroup
    package let sharedCounters: LimitGroup
    /// Who has which plan, and what that changes.
    package let plans: TenantPlans

    /// `previous`: those whose counters go on.
    package init(global: LimitScope, services: [ServiceLimits], after previous: LimitTable? = nil) {
        var labels = previous?.labels ?? []
        var indices = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($1, $0) })
        func index(_ scoped: ScopedLimit) -> Int {
            let label = Label(limit: scoped.limit.name, owner: scoped.owner, maximumKeys: scoped.limit.maximumKeys)
            if let known = indices[label] { return known }
            labels.append(label)
            indices[label] = labels.count - 1
            return labels.count - 1
        }
        func group(_ limits: [ScopedLimit], service: String? = nil, route: String? = nil) -> LimitGroup {
            LimitGroup(limits.map { LimitGroup.Member(scoped: $0, service: service, route: route, index: index($0)) })
        }
        func enforced(_ scope: LimitScope) -> [ScopedLimit] {
            scope.limits.filter { !$0.limit.isGuard && $0.limit.counts == .requests }
        }
        guards = group(global.limits.filter { $0.limit.isGuard && $0.limit.counts == .requests })
        failedAuthentications = group(global.limits.filter { $0.limit.counts == .failedAuthentications })
        self.services = services.map { service in
            ServiceGroups(
                name: service.name,
                whole: group(enforced(service.scope), service: service.name),
                routes: service.routes.map { group(enforced($0.scope), service: service.name, route: $0.name) },
                routeNames: service.routes.map(\.name))
        }

        var counters: [LimitGroup.Member] = []
        var listed: Set<[String?]> = []
        func list(_ scope: LimitScope) {
            for scoped in enforced(scope) {
                let per = scoped.limit.per
                // A counter belongs to the level that owns it; one that is kept per service or route, to each of these.
                let service = per.contains(where: \.isFixedByRoute) ? scope.level.service : nil
                let route = per.contains(.route) ? scope.level.route : nil
                let isHere = scoped.owner == scope.level || service != nil
                guard isHere, service != nil || !per.contains(.service), route != nil || !per.contains(.route),
                    listed.insert([scoped.limit.name, scoped.owner.service, scoped.owner.route, service, route])
                        .inserted
                else { continue }
                counters.append(LimitGroup.Member(scoped: scoped, service: service, route: route, index: index(scoped)))
            }
        }
        list(global)
        for service in services {
            list(service.scope)
            for route in service.routes { list(route.scope) }
        }
        tenantCounters = LimitGroup(counters.filter { $0.scoped.limit.needsTenant })
        sharedCounters = LimitGroup(counters.filter { !$0.scoped.limit.needsTenant })
        self.labels = labels
        plans = TenantPlans()
    }

    /// The same counters with other values, or with other plans.
    init(_ table: LimitTable, services: [ServiceGroups], tenantCounters: LimitGroup, plans: TenantPlans) {
        labels = table.labels
        guards = table.guards
        failedAuthentications = table.failedAuthentications
        sharedCounters = table.sharedCounters
        self.services = services
        self.tenantCounters = tenantCounters
        self.plans = plans
    }

    package var hasCalendarQuotas: Bool { tenantCounters.hasCalendar || sharedCounters.hasCalendar }

    /// The calendar quota whose counter has this key, as everyone has it or as a plan does.
    func calendarQuota(ofKey key: [UInt8]) -> EffectiveLimit? {
        for table in [self] + plans.plans.map(\.table) {
            for group in [table.tenantCounters, table.sharedCounters] where group.hasCalendar {
                if let limit = group.limits.first(where: { $0.limit.keepsPast && $0.template.isOf(key) }) {
                    return limit
                }
            }
        }
        return nil
    }

    package func service(named name: String) -> ServiceGroups? { services.first { $0.name == name } }
}
