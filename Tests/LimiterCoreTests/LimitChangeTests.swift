import LimiterCore
import TestSupport
import Testing

@Suite struct LimitChangeTests {
    /// `global` by tenant, replaced in `product`; `payment` a bucket of its service, replaced in the route `refunds`; `all` for everyone.
    private static func table() throws -> LimitTable {
        var global = LimitScope()
        try global.declare(.window("global", "100/minute"))
        try global.declare(.window("all", "1000/minute", per: []))
        try global.declare(.window("flood", "50/s", per: [.clientIP]) { $0.isGuard = true })
        var product = global.service("product")
        try product.declare(.replacing("global", "1000/minute"))
        var payment = global.service("payment")
        try payment.declare(.bucket("payment", "10/minute", burst: 5))
        var refunds = payment.route("refunds")
        try refunds.declare(.replacing("payment", "1/minute"))
        let catalog = global.service("catalog")
        return LimitTable(
            global: global,
            services: [
                .init(name: "product", scope: product, routes: [("/product", product.route("/product"))]),
                .init(
                    name: "payment", scope: payment,
                    routes: [("/payment", payment.route("/payment")), ("refunds", refunds)]),
                .init(name: "catalog", scope: catalog, routes: [("/catalog", catalog.route("/catalog"))]),
            ])
    }

    private static func plan(
        _ limit: String, _ rate: String? = nil, burst: Int64? = nil, service: String? = nil, route: String? = nil
    ) throws -> LimitChange {
        LimitChange(
            .plan("pro"), limit: limit, service: service, route: route, rate: try rate.map { try Rate(parsing: $0) },
            burst: burst)
    }

    /// Every limit of every route as `service route limit capacity/window`.
    private static func values(_ table: LimitTable) -> [String] {
        table.services.flatMap { service in
            zip(service.routes, service.routeNames).flatMap { group, route in
                group.limits.map { "\(route) \($0.name) \($0.limit.capacity)/\($0.limit.rate.periodSeconds)" }
            }
        }
    }

    @Test func withoutAPlaceAChangeHoldsWhereverALimitOfThatNameApplies() throws {
        let (table, faults) = try Self.table().changed(by: [[Self.plan("global", "500/minute")]])
        #expect(faults.isEmpty)
        #expect(
            Self.values(table) == [
                "/product global 500/60", "/product all 1000/60", "/payment global 500/60", "/payment all 1000/60",
                "/payment payment 5/60", "refunds global 500/60", "refunds all 1000/60", "refunds payment 1/60",
                "/catalog global 500/60", "/catalog all 1000/60",
            ])
        #expect(table.tenantCounters.limits.map(\.limit.capacity) == [500, 500, 5, 1])
    }

    @Test func theNarrowestChangeCounts() throws {
        let changes = [
            try Self.plan("payment", "30/minute"), try Self.plan("payment", "40/minute", service: "payment"),
            try Self.plan("payment", "50/minute", service: "payment", route: "refunds"),
            try Self.plan("global", "7/minute", service: "product"),
        ]
        for order in [changes, changes.reversed()] {
            let (table, faults) = try Self.table().changed(by: [order])
            #expect(faults.isEmpty)
            #expect(table.services[1].routes.map { $0.limits[2].limit.capacity } == [40, 50])
            #expect(table.services[1].whole.limits[2].limit.capacity == 40)
            #expect(table.services.map { $0.routes[0].limits[0].limit.capacity } == [7, 100, 100])
        }
    }

    @Test func aLaterListCountsHoweverWideItsPlaceIs() throws {
        let narrow = try Self.plan("payment", "50/minute", service: "payment", route: "refunds")
        let (table, _) = try Self.table().changed(by: [[narrow], [Self.plan("payment", "3/minute")]])
        #expect(table.services[1].routes.map { $0.limits[2].limit.capacity } == [3, 3])
        let layers = table.services[1].routes[1].limits[2].layers
        #expect(layers.map(\.limit.capacity) == [3, 50, 1, 5])
        #expect(layers[1].source == .change(narrow))
        #expect(layers[2].source == .level(.route(service: "payment", route: "refunds")))
        #expect(layers[3].source == .level(.service("payment")))
    }

    @Test func keysAndIndicesStayThoseOfTheLimitThatIsChanged() throws {
        let base = try Self.table()
        let (table, _) = base.changed(by: [
            [try Self.plan("global", "500/minute"), try Self.plan("payment", "9/s", burst: 99)]
        ])
        for (before, after) in zip(base.services, table.services) {
            for (before, after) in zip(before.routes, after.routes) {
                #expect(before.limits.map(\.index) == after.limits.map(\.index))
                #expect(keys(before) == keys(after))
            }
        }
        let (longer, _) = base.changed(by: [[try Self.plan("global", "500/hour")]])
        #expect(
            keys(longer.services[2].routes[0])[0] == "weir:{acme}:global::w3600", "another window is another counter")
    }

    private func keys(_ group: LimitGroup) -> [String] {
        let call = LimitCall()
        call.prepare(group)
        for _ in group.dimensions { call.appendValue("acme") }
        call.makeKeys()
        return group.limits.indices.map { call.withKey($0) { String(decoding: $0, as: UTF8.self) } }
    }

    @Test func whatNothingChangesStaysTheSameObject() throws {
        let base = try Self.table()
        let (table, _) = base.changed(by: [[try Self.plan("payment", "9/s")]])
        #expect(table.services[0].routes[0] === base.services[0].routes[0])
        #expect(table.services[1].routes[0] !== base.services[1].routes[0])
        #expect(table.sharedCounters === base.sharedCounters)
    }

    @Test func aBurstBelongsToTheRateBesideIt() throws {
        let base = try Self.table()
        let rateAlone = base.changed(by: [[try Self.plan("payment", "30/minute")]]).table
        #expect(rateAlone.services[1].whole.limits[2].limit.algorithm == .tokenBucket(burst: 30))
        let burstAlone = base.changed(by: [[try Self.plan("payment", burst: 8)]]).table
        #expect(burstAlone.services[1].whole.limits[2].limit.algorithm == .tokenBucket(burst: 8))
        #expect(burstAlone.services[1].whole.limits[2].limit.rate.description == "10/minute")
    }

    /// The counter is one, over all services: windows of one length can have several limits.
    @Test func aPlaceNarrowerThanTheCounterGetsARowOfItsOwn() throws {
        let (table, faults) = try Self.table().changed(by: [[Self.plan("global", "5/minute", service: "catalog")]])
        #expect(faults.isEmpty)
        let rows = table.tenantCounters.limits.map { "\($0.name) \($0.service ?? "-") \($0.limit.capacity)" }
        #expect(
            rows == [
                "global - 100", "global product 1000", "payment payment 5", "payment payment 1", "global catalog 5",
            ])
        #expect(Set(keys(table.tenantCounters)).count == 4)
    }

    @Test(
        arguments: [
            ("global", "5/hour", nil, "catalog", nil, "counted over all services"),
            ("payment", "7/minute", nil, "payment", "/payment", "counted over all routes of `payment`"),
            ("global", "5/minute", 5, nil, nil, "is a sliding window"),
            ("payment", "5/minute", 0, nil, nil, "at least 1"),
            ("global", "9000000000000/53weeks", nil, nil, nil, "cannot be counted exactly"),
            ("all", "5/minute", nil, nil, nil, "not kept per tenant"),
        ] as [(String, String, Int64?, String?, String?, String)])
    func whatALimitCannotTakeIsAFaultAndLeavesItAsItIs(
        limit: String, rate: String, burst: Int64?, service: String?, route: String?, says: String
    ) throws {
        let change = try Self.plan(limit, rate, burst: burst, service: service, route: route)
        let (table, faults) = try Self.table().changed(by: [[change]])
        #expect(faults.count == 1)
        #expect(faults.first?.error.message.contains(says) == true, "\(faults)")
        #expect(try Self.values(table) == Self.values(Self.table()))
    }

    @Test func aCostOverTheNewValueIsAFault() throws {
        let limits = try DeclaredLimits(.window("global", "100/minute") { $0.cost = .fixed(10) })
        let (_, faults) = limits.table.changed(by: [[try Self.plan("global", "9/minute")]])
        #expect(faults.first?.error.code == .invalidCost)
    }
}

@Suite struct LimitOverridesTests {
    private static func override(_ tenant: String, _ rate: String, service: String? = nil) throws -> LimitOverride {
        LimitOverride(.init(tenant: tenant, limit: "global", service: service), rate: try Rate(parsing: rate))
    }

    private static func limits() throws -> LimitTable {
        let base = try DeclaredLimits(.window("global", "100/minute")).table
        var plans = TenantPlans()
        let change = LimitChange(.plan("pro"), limit: "global", rate: try Rate(parsing: "500/minute"))
        plans.add(TenantPlans.Plan.make("pro", [change], of: base).plan)
        plans.assign("pro", to: "acme")
        return base.serving(plans)
    }

    private func capacity(_ table: LimitTable) -> Int64 { table.services[0].routes[0].limits[0].limit.capacity }

    @Test func anOverrideComesBeforeThePlanAndThePlanBeforeTheConfiguration() throws {
        let limits = try Self.limits()
        let none = LimitOverrides(of: limits)
        #expect(capacity(none.table(of: "acme")) == 500)
        #expect(none.table(of: "globex") === limits)
        let some = LimitOverrides([try Self.override("acme", "7/minute")], of: limits)
        #expect(capacity(some.table(of: "acme")) == 7)
        #expect(capacity(some.table(of: "globex")) == 100)
        #expect(some.table(of: "acme").services[0].routes[0].limits[0].layers.map(\.limit.capacity) == [7, 500, 100])
    }

    @Test func tenantsWithEqualOverridesShareOneTable() throws {
        let limits = try Self.limits()
        let first = LimitOverrides(
            [
                try Self.override("a", "7/minute"), try Self.override("b", "7/minute"),
                try Self.override("c", "8/minute"),
            ],
            of: limits)
        #expect(first.table(of: "a") === first.table(of: "b"))
        #expect(first.table(of: "a") !== first.table(of: "c"))
        let second = LimitOverrides([try Self.override("b", "7/minute")], of: limits, after: first)
        #expect(second.table(of: "b") === first.table(of: "a"), "also with those before")
    }

    @Test func anOverrideThatIsNotPossibleAnyMoreChangesNothingAndIsNamed() throws {
        let overrides = LimitOverrides([try Self.override("a", "7/hour", service: "api")], of: try Self.limits())
        #expect(overrides.faults(of: "a").count == 1)
        #expect(overrides.faults(of: "b").isEmpty)
    }
}
