import HTTPWire
import LimiterCore
import Telemetry
import WeirConfiguration

/// The configuration as the workers use it: everything that a request needs is found by an index.
final class Plan: Sendable {
    struct PlannedRoute: Sendable {
        let name: String
        let limits: LimitPlan
    }

    struct PlannedService: Sendable {
        let name: String
        /// Where it is counted.
        let metricsIndex: Int
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

    init(_ configuration: Configuration, _ metrics: Metrics) {
        settings = configuration.gateway
        let limits = configuration.limits
        self.limits = limits
        identity = IdentityPlan(configuration.identity, limits.plans)
        routes = RouteTable(configuration.services)
        configured = configuration.services
        services = configuration.services.map { service in
            guard let groups = limits.service(named: service.name), groups.routes.count == service.routes.count else {
                preconditionFailure("the limit table is made of the same services")
            }
            return PlannedService(
                name: service.name, metricsIndex: metrics.index(ofService: service.name),
                routes: zip(service.routes, groups.routes).map { PlannedRoute(name: $0.name, limits: LimitPlan($1)) })
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
