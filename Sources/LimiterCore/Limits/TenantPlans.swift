/// Plans, and who has which.
package struct TenantPlans: Sendable {
    package struct Plan: Sendable {
        package let name: String
        package let changes: [LimitChange]
        /// What applies to its tenants.
        package let table: LimitTable
    }

    package private(set) var plans: [Plan] = []
    /// Indices of `plans`.
    private var ofTenant: [TenantKey: Int] = [:]
    private var ofOthers: Int?

    package init() {}

    package mutating func add(_ plan: Plan) { plans.append(plan) }

    /// The plan must have been added.
    package mutating func assign(_ plan: String, to tenant: String) {
        ofTenant[TenantKey(tenant)] = plans.firstIndex { $0.name == plan }
    }

    /// Tenants that were assigned none.
    package mutating func assignToOthers(_ plan: String) { ofOthers = plans.firstIndex { $0.name == plan } }

    /// Whether tenants have plans of the same names.
    package func assigns(as other: TenantPlans) -> Bool {
        ofTenant.mapValues { plans[$0].name } == other.ofTenant.mapValues { other.plans[$0].name }
            && ofOthers.map { plans[$0].name } == other.ofOthers.map { other.plans[$0].name }
    }
    /// The index of the plan of that name; of no such plan, that of the tenants that were assigned none.
    package func index(ofPlan name: String) -> Int? { plans.firstIndex { $0.name == name } ?? ofOthers }

    /// An index of `plans`; nil: none.
    package func index(of tenant: String) -> Int? { ofTenant[TenantKey(tenant)] ?? ofOthers }
}

extension LimitTable {
    /// The same limits, for tenants of these plans, whose tables were made of this one.
    package func serving(_ plans: TenantPlans) -> LimitTable {
        LimitTable(self, services: services, tenantCounters: tenantCounters, plans: plans)
    }

    package func plan(of tenant: String) -> TenantPlans.Plan? { plans.index(of: tenant).map { plans.plans[$0] } }

    /// What applies to a tenant by the configuration.
    package func table(of tenant: String) -> LimitTable { plan(of: tenant)?.table ?? self }
}

extension TenantPlans.Plan {
    /// Its table is made of `limits`; the faults are the changes that these cannot take.
    package static func make(
        _ name: String, _ changes: [LimitChange], of limits: LimitTable
    ) -> (plan: TenantPlans.Plan, faults: [LimitTable.Fault]) {
        let (table, faults) = limits.changed(by: [changes])
        return (TenantPlans.Plan(name: name, changes: changes, table: table), faults)
    }
}
