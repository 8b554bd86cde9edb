import HTTPWire
import LimiterCore
import WeirConfiguration

/// The configuration as the workers use it: everything that a request needs is found by an index.
final class Plan: Sendable {
    struct PlannedRoute: Sendable {
        let name: String
        let limits: LimitPlan
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
    let resilience: ResilienceTable

    /// What `configuration` declares as `previous` did keeps its state.
    init(_ configuration: Configuration, following previous: Plan? = nil) {
        resilience = ResilienceTable(configuration.services, following: previous?.resilience)
        settings = configuration.gateway
        let limits = configuration.limits
        identity = IdentityPlan(configuration.identity, limits.plans)
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
                routes: zip(service.routes, groups.routes).map { PlannedRoute(name: $0.name, limits: LimitPlan($1)) },
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

/// How requests say who they are.
struct IdentityPlan: Sendable {
    /// Lowercase name of the field that trusted proxies set to the tenant.
    let header: FieldName?
    let keyHeader: FieldName?
    /// By SHA-256 of the key.
    let tenants: [[UInt8]: Tenant]
    private let plans: TenantPlans

    init(_ settings: IdentitySettings, _ plans: TenantPlans) {
        header = settings.header.flatMap { FieldName($0) }
        keyHeader = settings.apiKeys.flatMap { FieldName($0.header) }
        self.plans = plans
        tenants =
            settings.apiKeys?.tenants.mapValues { Tenant(Array($0.utf8), plan: plans.index(of: $0) ?? -1) } ?? [:]
    }

    /// The tenant that a trusted proxy names.
    func tenant(named name: [UInt8]) -> Tenant {
        Tenant(name, plan: plans.index(of: String(decoding: name, as: UTF8.self)) ?? -1)
    }

    var isAnonymous: Bool { header == nil && keyHeader == nil }
}
