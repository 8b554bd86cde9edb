import Synchronization

/// All overrides that are in force at one time, and the limits of the tenants that have some.
///
/// Tables of limits are made when they are first asked for. Tenants with equal changes share one, also with the overrides before.
package final class LimitOverrides: Sendable {
    private struct Key: Hashable {
        var plan: Int?
        var changes: [LimitChange]
    }

    private struct Made {
        let table: LimitTable
        let faults: [LimitTable.Fault]
    }

    package let limits: LimitTable
    /// By tenant, limit and service.
    package let list: [LimitOverride]
    private let places: [TenantKey: Range<Int>]
    private let made: Mutex<[Key: Made]>

    package init(_ list: [LimitOverride] = [], of limits: LimitTable, after previous: LimitOverrides? = nil) {
        self.limits = limits
        let list = list.sorted { $0.subject < $1.subject }
        self.list = list
        var places: [TenantKey: Range<Int>] = [:]
        for index in list.indices {
            let tenant = TenantKey(list[index].subject.tenant)
            let start = places[tenant]?.lowerBound ?? index
            places[tenant] = start..<(index + 1)
        }
        self.places = places
        let keys = Set(places.map { tenant, range in Self.key(tenant.id, list[range], limits) })
        let kept = previous?.made.withLock { $0.filter { keys.contains($0.key) } }
        made = Mutex(kept ?? [:])
    }

    package var isEmpty: Bool { list.isEmpty }

    /// Tenants that have overrides.
    package var tenants: [String] { places.keys.map(\.id) }

    package subscript(tenant: String) -> ArraySlice<LimitOverride> { places[TenantKey(tenant)].map { list[$0] } ?? [] }

    /// What applies to a tenant just now.
    package func table(of tenant: String) -> LimitTable {
        places[TenantKey(tenant)] == nil ? limits.table(of: tenant) : make(tenant).table
    }

    /// Overrides of a tenant that its limits cannot take, or not everywhere, and why: the configuration has changed since they were set.
    package func faults(of tenant: String) -> [LimitTable.Fault] {
        places[TenantKey(tenant)] == nil ? [] : make(tenant).faults
    }

    private func make(_ tenant: String) -> Made {
        let key = Self.key(tenant, self[tenant], limits)
        return made.withLock { made in
            if let known = made[key] { return known }
            let plan = limits.plan(of: tenant)?.changes ?? []
            let (table, faults) = limits.changed(by: [plan, key.changes])
            made[key] = Made(table: table, faults: faults)
            return Made(table: table, faults: faults)
        }
    }

    private static func key(_ tenant: String, _ overrides: ArraySlice<LimitOverride>, _ limits: LimitTable) -> Key {
        Key(plan: limits.plans.index(of: tenant), changes: overrides.map(\.change))
    }
}
