import LimiterCore
import TestSupport
import Testing

@Suite struct LimitScopeTests {
    private func declared(_ name: String, _ change: (inout LimitDeclaration) -> Void) -> LimitDeclaration {
        var declaration = LimitDeclaration(name: name)
        change(&declaration)
        return declaration
    }

    @Test func aNewNameAppliesAsWellAndTheSameNameReplaces() throws {
        var global = LimitScope()
        try global.declare(.window("global", "100/minute"))
        var product = global.service("product")
        try product.declare(declared("global") { $0.rate = try? Rate(parsing: "1000/minute") })
        var payment = global.service("payment")
        try payment.declare(.bucket("payment", "10/minute"))

        #expect(product.limits.map(\.limit.capacity) == [1000])
        #expect(product.limits[0].owner == .service("product"))
        #expect(product.limits[0].limit.per == [.tenant])
        #expect(payment.limits.map(\.limit.name) == ["global", "payment"])
        #expect(payment.limits.map(\.owner) == [.global, .service("payment")])
    }

    @Test func theSameRuleHoldsForARouteInAService() throws {
        var global = LimitScope()
        try global.declare(.window("global", "100/minute"))
        var route = global.service("a").route("/x")
        try route.declare(declared("global") { $0.rate = try? Rate(parsing: "5/minute") })
        #expect(route.limits[0].owner == .route(service: "a", route: "/x"))
        #expect(route.limits[0].limit.capacity == 5)
    }

    @Test func aSharedLimitKeepsTheCounterOfTheOneItReplaces() throws {
        var global = LimitScope()
        try global.declare(.window("global", "100/minute"))
        var service = global.service("a")
        try service.declare(
            declared("global") {
                $0.rate = try? Rate(parsing: "1000/minute")
                $0.isShared = true
            })
        #expect(service.limits[0].owner == .global)
        #expect(service.limits[0].limit.capacity == 1000)
    }

    @Test func sharingNeedsEqualWindows() throws {
        var global = LimitScope()
        try global.declare(.window("global", "100/minute"))
        var service = global.service("a")
        let error = #expect(throws: LimitError.self) {
            try service.declare(
                declared("global") {
                    $0.rate = try? Rate(parsing: "1000/hour")
                    $0.isShared = true
                })
        }
        #expect(error?.key == "shared")
    }

    @Test func aLimitThatNamesNoDimensionIsRefused() {
        var global = LimitScope()
        let error = #expect(throws: LimitError.self) {
            try global.declare(declared("x") { $0.rate = try? Rate(parsing: "1/s") })
        }
        #expect(error?.message.contains("per: tenant") == true)
    }

    @Test func guardsCannotDependOnWhatIsNotKnownYet() {
        var global = LimitScope()
        #expect(throws: LimitError.self) {
            try global.declare(.window("g", "1/s", per: [.tenant]) { $0.isGuard = true })
        }
        #expect(throws: Never.self) { try global.declare(.window("h", "1/s", per: [.clientIP]) { $0.isGuard = true }) }
    }

    @Test func aBurstNeedsATokenBucket() {
        var global = LimitScope()
        let error = #expect(throws: LimitError.self) { try global.declare(.window("g", "1/s") { $0.burst = 3 }) }
        #expect(error?.key == "burst")
    }

    @Test func aRateThatNoTickCountsExactlyIsRefused() throws {
        var global = LimitScope()
        let error = #expect(throws: LimitError.self) { try global.declare(.window("g", "9000000000000/53weeks")) }
        #expect(error?.code == .inexactRate)
    }

    @Test(
        arguments: [("100/minute", 1), ("1000000000/hour", 1000), ("1000000000000/hour", 1_000_000)]
            as [(String, Int64)])
    func theFinestExactTickIsChosen(rate: String, tick: Int64) throws {
        var global = LimitScope()
        try global.declare(.window("g", rate))
        #expect(global.limits[0].rule.tickMicroseconds == tick)
    }

    @Test func keysSayTenantLimitScopeAndWindow() throws {
        var global = LimitScope()
        try global.declare(.window("a", "10/minute"))
        try global.declare(.bucket("b", "10/minute", per: [.tenant, .method]))
        try global.declare(.window("c", "10/minute", per: [.clientIP]))
        try global.declare(.window("d", "10/hour", per: []))
        var service = global.service("pay")
        try service.declare(declared("a") { _ in })
        let table = LimitTable(
            global: global, services: [.init(name: "pay", scope: service, routes: [("/pay", service.route("/pay"))])])
        let call = LimitCall()
        call.prepare(table.services[0].routes[0])
        #expect(call.group.dimensions == [.tenant, .method, .clientIP])
        for value in ["a{}:b", "GET", "1.2.3.4"] { call.appendValue(value) }
        call.makeKeys()
        let keys = call.group.limits.indices.map { call.withKey($0) { String(decoding: $0, as: UTF8.self) } }
        #expect(
            keys == [
                "weir:{a%7B%7D%3Ab}:a@pay::w60", "weir:{a%7B%7D%3Ab}:b:GET:b", "weir:{~c}:c:1.2.3.4:w60",
                "weir:{~d}:d::w3600",
            ])
    }

    @Test func aBudgetListsEachCounterOnce() throws {
        var global = LimitScope()
        try global.declare(.window("global", "100/minute"))
        try global.declare(.window("each", "10/minute", per: [.tenant, .service]))
        try global.declare(.window("all", "10000/minute", per: []))
        let a = global.service("a")
        var b = global.service("b")
        try b.declare(declared("global") { $0.rate = try? Rate(parsing: "5/minute") })
        let table = LimitTable(
            global: global,
            services: [
                .init(name: "a", scope: a, routes: [("/a", a.route("/a"))]),
                .init(name: "b", scope: b, routes: [("/b", b.route("/b"))]),
            ])
        let rows = table.tenantCounters.limits.map { "\($0.name) \($0.service ?? "-")" }
        #expect(rows == ["global -", "each a", "global b", "each b"])
        #expect(table.sharedCounters.limits.map(\.name) == ["all"])
    }
}
