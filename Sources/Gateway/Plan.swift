import HTTPWire
import LimiterCore
import Telemetry
import WeirConfiguration

/// The configuration as the workers use it: everything that a request needs is found by an index.
final class Plan: Sendable {
    struct PlannedRoute: Sendable {
        let name: String
        let limits: LimitPlan
        /// nil: it forwards requests and answers as they are.
        let extra: RoutePlan?
        /// nil: whoever may call at all may call this.
        let authorization: AuthorizationPlan?
        /// Whether nobody is asked who calls.
        let isPublic: Bool
    }

    struct PlannedService: Sendable {
        let name: String
        /// Where it is counted.
        let metricsIndex: Int
        /// nil: it stays where it is.
        let migration: MigrationPlan?
        let routes: [PlannedRoute]
    }

    /// What a tenant plan changes.
    struct TenantPlan: Sendable {
        /// By service and route.
        let routes: [[LimitPlan]]
        let budget: BudgetPlan
    }

    let settings: GatewaySettings
    let limits: LimitTable
    let identity: IdentityPlan
    let routes: RouteTable
    let services: [PlannedService]
    /// In the same order.
    let configured: [Service]
    /// By `Tenant.plan`.
    let tenantPlans: [TenantPlan]
    let guards: LimitPlan
    let failedAuthentications: LimitPlan
    /// What a caller may know of its own budget.
    let budget: BudgetPlan
    let isLegacy: Bool
    let writesLimitFields: Bool
    let headLimits: HeadLimits
    let accessLine: AccessLine
    /// nil: traces are passed through.
    let tracing: TracingPlan?
    let resilience: ResilienceTable

    /// What `configuration` declares as `previous` did keeps its state.
    init(_ configuration: Configuration, _ metrics: Metrics, following previous: Plan? = nil) {
        resilience = ResilienceTable(configuration.services, following: previous?.resilience)
        settings = configuration.gateway
        let limits = configuration.limits
        self.limits = limits
        identity = IdentityPlan(configuration.identity, limits.plans)
        let hasTokens = !identity.issuers.isEmpty
        routes = RouteTable(configuration.services)
        configured = configuration.services
        let places = Dictionary(configuration.services.enumerated().map { ($1.name, $0) }) { first, _ in first }
        let migrations = Dictionary(
            (previous?.services ?? []).compactMap { service in service.migration.map { (service.name, $0) } }
        ) { first, _ in first }
        services = configuration.services.map { service in
            guard let groups = limits.service(named: service.name), groups.routes.count == service.routes.count else {
                preconditionFailure("the limit table is made of the same services")
            }
            return PlannedService(
                name: service.name, metricsIndex: metrics.index(ofService: service.name),
                migration: MigrationPlan(service, places, following: migrations[service.name]),
                routes: zip(service.routes, groups.routes).map { route, limits in
                    PlannedRoute(
                        name: route.name, limits: LimitPlan(limits), extra: RoutePlan(route, of: service),
                        authorization: AuthorizationPlan(route.authorization, hasTokens: hasTokens),
                        isPublic: route.isPublic)
                })
        }
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
        headLimits = HeadLimits(
            maxHeadBytes: settings.maximumHeaderBytes, maxFields: settings.maximumHeaderFields)
        accessLine = AccessLine(settings.accessLog)
        tracing = configuration.tracing.map { TracingPlan($0) }
    }

    /// Whether the peer may say for whom it asks.
    func trusts(_ peer: ClientAddress) -> Bool { settings.trustedProxies.contains { $0.contains(peer) } }
}
