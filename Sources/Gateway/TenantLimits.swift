import LimiterCore

/// Overrides as the workers look them up: made once, for all of them.
final class OverridePlan: Sendable {
    private let overrides: LimitOverrides
    /// That they are of.
    var limits: LimitTable { overrides.limits }
    private let names: [String]
    private let places: ByteTable

    init(_ overrides: LimitOverrides) {
        self.overrides = overrides
        names = overrides.tenants
        places = ByteTable(names.enumerated().map { (Array($1.utf8), $0) })
    }

    /// Tenants that have overrides.
    var count: Int { names.count }

    func find(_ tenant: Tenant) -> Int? { tenant.name.withUnsafeBytes { places.find($0, hash: tenant.hash) } }

    func table(_ index: Int) -> LimitTable { overrides.table(of: names[index]) }
}

/// Which limits apply to a tenant's requests: those of its overrides, of its plan, or what all others have. One a worker.
struct TenantLimits {
    /// What one table of limits has for requests, prepared when the first one comes.
    private final class Prepared {
        private let table: LimitTable
        private var routes: [[LimitPlan?]]
        private(set) lazy var budget = BudgetPlan(table.tenantCounters)

        init(_ table: LimitTable) {
            self.table = table
            routes = table.services.map { Array(repeating: nil, count: $0.routes.count) }
        }

        func limits(at place: RouteTable.Place) -> LimitPlan {
            if let known = routes[place.service][place.route] { return known }
            let limits = LimitPlan(table.services[place.service].routes[place.route])
            routes[place.service][place.route] = limits
            return limits
        }
    }

    private let plan: Plan
    private var overrides: OverridePlan?
    /// By the tenant's index in `overrides`.
    private var ofTenant: [Prepared?] = []
    private var ofTable: [ObjectIdentifier: Prepared] = [:]
    /// Those of the overrides before: most of their tables are used again.
    private var ofTableBefore: [ObjectIdentifier: Prepared] = [:]

    init(_ plan: Plan) { self.plan = plan }

    /// From now on.
    mutating func use(_ overrides: OverridePlan) {
        self.overrides = overrides.count > 0 ? overrides : nil
        ofTenant = Array(repeating: nil, count: overrides.count)
        ofTableBefore = ofTable
        ofTable = [:]
    }

    mutating func limits(at place: RouteTable.Place, of tenant: Tenant) -> LimitPlan {
        if let overrides, let own = find(tenant, in: overrides) { return own.limits(at: place) }
        if tenant.plan >= 0 { return plan.tenantPlans[tenant.plan].routes[place.service][place.route] }
        return plan.services[place.service].routes[place.route].limits
    }

    mutating func budget(of tenant: Tenant) -> BudgetPlan {
        if let overrides, let own = find(tenant, in: overrides) { return own.budget }
        return tenant.plan >= 0 ? plan.tenantPlans[tenant.plan].budget : plan.budget
    }

    private mutating func find(_ tenant: Tenant, in overrides: OverridePlan) -> Prepared? {
        guard let index = overrides.find(tenant) else { return nil }
        if let known = ofTenant[index] { return known }
        let table = overrides.table(index)
        let key = ObjectIdentifier(table)
        let prepared = ofTable[key] ?? ofTableBefore[key] ?? Prepared(table)
        ofTable[key] = prepared
        ofTenant[index] = prepared
        return prepared
    }
}
