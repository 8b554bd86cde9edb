import HTTPWire
import LimiterCore
import WeirConfiguration

/// The configuration as the workers use it: everything that a request needs is found by an index.
final class Plan: Sendable {
    struct PlannedRoute: Sendable {
        let name: String
        let limits: LimitPlan
        /// nil: whoever may call at all may call this.
        let authorization: AuthorizationPlan?
        /// Whether nobody is asked who calls.
        let isPublic: Bool
    }

    struct PlannedService: Sendable {
        let name: String
        let routes: [PlannedRoute]
        /// Indices of `upstreams`.
        let upstreams: [Int]
    }

    /// What a tenant plan changes.
    struct TenantPlan: Sendable {
        /// By service and route.
        let routes: [[LimitPlan]]
        let budget: BudgetPlan
    }

    let settings: GatewaySettings
    let identity: IdentityPlan
    let routes: RouteTable
    let services: [PlannedService]
    /// By `Tenant.plan`.
    let tenantPlans: [TenantPlan]
    /// Each address once, however many services use it.
    let upstreams: [Upstream]
    let guards: LimitPlan
    let failedAuthentications: LimitPlan
    /// What a caller may know of its own budget.
    let budget: BudgetPlan
    let isLegacy: Bool
    let writesLimitFields: Bool

    init(_ configuration: Configuration) {
        settings = configuration.gateway
        let limits = configuration.limits
        identity = IdentityPlan(configuration.identity, limits.plans)
        let hasTokens = !identity.issuers.isEmpty
        routes = RouteTable(configuration.services)
        var upstreams: [Upstream] = []
        func index(of upstream: Upstream) -> Int {
            if let known = upstreams.firstIndex(of: upstream) { return known }
            upstreams.append(upstream)
            return upstreams.count - 1
        }
        services = configuration.services.map { service in
            guard let groups = limits.service(named: service.name), groups.routes.count == service.routes.count else {
                preconditionFailure("the limit table is made of the same services")
            }
            return PlannedService(
                name: service.name,
                routes: zip(service.routes, groups.routes).map { route, limits in
                    PlannedRoute(
                        name: route.name, limits: LimitPlan(limits),
                        authorization: AuthorizationPlan(route.authorization, hasTokens: hasTokens),
                        isPublic: route.isPublic)
                },
                upstreams: service.upstreams.map { index(of: $0) })
        }
        self.upstreams = upstreams
        tenantPlans = limits.plans.plans.map { plan in
            TenantPlan(
                routes: plan.table.services.map { $0.routes.map { LimitPlan($0) } },
                budget: BudgetPlan(plan.table.tenantCounters))
        }
        guards = LimitPlan(limits.guards)
        failedAuthentications = LimitPlan(limits.failedAuthentications)
        budget = BudgetPlan(limits.tenantCounters)
        isLegacy = settings.headers == .legacy
        writesLimitFields = settings.headers != .none
    }
}
