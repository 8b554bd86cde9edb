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

    let settings: GatewaySettings
    let identity: IdentityPlan
    let routes: RouteTable
    let services: [PlannedService]
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
        identity = IdentityPlan(configuration.identity)
        routes = RouteTable(configuration.services)
        let limits = configuration.limits
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

    init(_ settings: IdentitySettings) {
        header = settings.header.flatMap { FieldName($0) }
        keyHeader = settings.apiKeys.flatMap { FieldName($0.header) }
        tenants = settings.apiKeys?.tenants.mapValues { Tenant(Array($0.utf8)) } ?? [:]
    }

    var isAnonymous: Bool { header == nil && keyHeader == nil }
}
