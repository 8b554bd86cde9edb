import LimiterCore
import TestSupport
import Testing

/// An id in two encodings, which `String` takes for the same text, is two tenants, as for counters and requests.
@Suite struct TenantKeyTests {
    private static let composed = "caf\u{e9}"
    private static let decomposed = "cafe\u{301}"

    private static func table() throws -> LimitTable { try DeclaredLimits(.window("global", "100/minute")).table }

    private static func override(_ tenant: String, _ rate: String) throws -> LimitOverride {
        LimitOverride(.init(tenant: tenant, limit: "global", service: nil), rate: try Rate(parsing: rate))
    }

    private static func rate(_ table: LimitTable) -> Int64? { table.tenantCounters.limits.first?.limit.rate.count }

    @Test func keysAreEqualAndOrderedByTheirBytes() {
        #expect(Self.composed == Self.decomposed)
        #expect(TenantKey(Self.composed) != TenantKey(Self.decomposed))
        #expect(Set([Self.composed, Self.decomposed, Self.composed].map { TenantKey($0) }).count == 2)
        #expect(TenantKey(Self.decomposed) < TenantKey(Self.composed))
        #expect(TenantKey("b") < TenantKey("\u{e9}") && !(TenantKey("b") < TenantKey("b")))
    }

    @Test func aPlanIsOfOneOfThem() throws {
        let table = try Self.table()
        let change = LimitChange(.plan("pro"), limit: "global", rate: try Rate(parsing: "500/minute"))
        var plans = TenantPlans()
        plans.add(TenantPlans.Plan.make("pro", [change], of: table).plan)
        plans.assign("pro", to: Self.composed)
        #expect(plans.index(of: Self.composed) == 0)
        #expect(plans.index(of: Self.decomposed) == nil)
    }

    @Test func anOverrideIsOfOneOfThem() throws {
        let list = [
            try Self.override(Self.composed, "5/minute"), try Self.override("cafz", "6/minute"),
            try Self.override(Self.decomposed, "7/minute"),
        ]
        let overrides = LimitOverrides(list, of: try Self.table())
        #expect(Set(list.map(\.subject)).count == 3)
        #expect(overrides.tenants.count == 3)
        #expect(Self.rate(overrides.table(of: Self.composed)) == 5)
        #expect(Self.rate(overrides.table(of: Self.decomposed)) == 7)
        #expect(overrides[Self.composed].count == 1 && overrides[Self.decomposed].count == 1)
        let one = LimitOverrides([list[0]], of: try Self.table())
        #expect(Self.rate(one.table(of: Self.decomposed)) == 100 && one[Self.decomposed].isEmpty)
    }

    @Test func recordsAreOfOneOfThem() async throws {
        let store = LocalOverrideStore(OverrideBoard(try Self.table()), time: MachineTime())
        #expect(try await store.set(Self.override(Self.composed, "5/minute")) == nil)
        #expect(try await store.set(Self.override(Self.decomposed, "7/minute")) == nil, "it replaces none")
        #expect(try await store.records(of: Self.composed, most: 9).map(\.after?.rate.count) == [5])
    }
}
