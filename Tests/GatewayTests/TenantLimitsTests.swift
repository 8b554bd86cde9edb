import LimiterCore
import Testing
import WeirConfiguration

@testable import Gateway

/// Tenants whose limits are not those of all: by plan, and by override.
@Suite struct TenantLimitsTests {
    private static func setup(_ upstream: TestUpstream) throws -> Setup {
        var setup = Setup([
            (name: "payment", path: "/payment", upstreams: [upstream.port]),
            (name: "catalog", path: "/catalog", upstreams: [upstream.port]),
        ])
        setup.identity = LimitingTests.identity([
            "key-acme": "acme", "key-globex": "globex", "key-initech": "initech",
        ])
        setup.identity.header = "x-tenant"
        setup.gateway.trustedProxies = [AddressBlock(parsing: "127.0.0.1")!]
        setup.limits = [try declared("global", "100/minute")]
        setup.serviceLimits["payment"] = [try declared("payment", "3/minute", burst: 3)]
        let rate = try Rate(parsing: "500/minute")
        setup.plans["pro"] = [
            LimitChange(.plan("pro"), limit: "global", rate: rate),
            LimitChange(.plan("pro"), limit: "payment", rate: try Rate(parsing: "5/minute")),
        ]
        setup.planOfTenant["acme"] = "pro"
        return setup
    }

    private static func override(_ tenant: String, _ limit: String, _ rate: String) throws -> LimitOverride {
        LimitOverride(.init(tenant: tenant, limit: limit, service: nil), rate: try Rate(parsing: rate))
    }

    private func policy(_ gateway: Fixture, _ path: String, _ field: String) throws -> String? {
        try gateway.get(path, field)["RateLimit-Policy"]
    }

    @Test func eachTenantGetsWhatItsPlanSays() async throws {
        let upstream = TestUpstream.greeting()
        try await withGateway(before: upstream, { $0 = try! Self.setup(upstream) }) { gateway async throws in
            let acme = try gateway.get("/payment", "X-API-Key: key-acme")
            #expect(acme["RateLimit-Policy"] == "\"payment\";q=5;w=60, \"global\";q=500;w=60")
            #expect(acme["RateLimit"]?.hasPrefix("\"payment\";r=4;t=12, \"global\";r=499") == true)
            #expect(
                try policy(gateway, "/payment", "X-API-Key: key-globex")
                    == "\"payment\";q=3;w=60, \"global\";q=100;w=60")
            #expect(try policy(gateway, "/catalog", "X-Tenant: acme") == "\"global\";q=500;w=60", "by any credential")
            #expect(try policy(gateway, "/catalog", "X-Tenant: other") == "\"global\";q=100;w=60")
            for _ in 0..<4 { #expect(try gateway.get("/payment", "X-API-Key: key-acme").status == 200) }
            #expect(try gateway.get("/payment", "X-API-Key: key-acme").status == 429)
            let budget = try gateway.get("/.well-known/rate-limit", "X-API-Key: key-acme").text
            #expect(
                budget.contains(
                    #""name":"global","service":null,"algorithm":"sliding_window","window_seconds":60,"limit":500"#))
            #expect(budget.contains(#""limit":5,"used":5,"remaining":0"#))
        }
    }

    @Test func anOverrideIsInForceFromTheNextRequestOnAndKeepsWhatWasUsed() async throws {
        let upstream = TestUpstream.greeting()
        try await withGateway(before: upstream, { $0 = try! Self.setup(upstream) }) { gateway async throws in
            for _ in 0..<10 { _ = try gateway.get("/catalog", "X-API-Key: key-acme") }
            #expect(try gateway.get("/.well-known/rate-limit", "X-API-Key: key-acme").text.contains("\"used\":10"))
            let some = LimitOverrides([try Self.override("acme", "global", "11/minute")], of: gateway.limits)
            gateway.server.use(some)
            #expect(
                try await eventually {
                    try gateway.get("/.well-known/rate-limit", "X-API-Key: key-acme").text
                        .contains("\"limit\":11,\"used\":10,\"remaining\":1")
                })
            let last = try gateway.get("/catalog", "X-API-Key: key-acme")
            #expect(last.status == 200 && last["RateLimit-Policy"] == "\"global\";q=11;w=60")
            #expect(try gateway.get("/catalog", "X-API-Key: key-acme").status == 429)
            #expect(try policy(gateway, "/catalog", "X-API-Key: key-globex") == "\"global\";q=100;w=60")
            // Another tenant's override changes nothing for this one.
            let more = LimitOverrides(
                [try Self.override("acme", "global", "11/minute"), try Self.override("globex", "global", "1/minute")],
                of: gateway.limits, after: some)
            gateway.server.use(more)
            #expect(try await eventually { try gateway.get("/catalog", "X-API-Key: key-globex").status == 429 })
            #expect(try gateway.get("/catalog", "X-API-Key: key-acme").status == 429)
            // Without them, the plan's value is in force again.
            gateway.server.use(LimitOverrides(of: gateway.limits, after: more))
            #expect(try await eventually { try gateway.get("/catalog", "X-API-Key: key-acme").status == 200 })
            #expect(try policy(gateway, "/catalog", "X-API-Key: key-acme") == "\"global\";q=500;w=60")
        }
    }

    @Test func overridesFromBeforeTheStartAreInForceFromTheFirstRequestOn() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        let overrides = [try Self.override("initech", "payment", "1/minute")]
        try await withGateway(try Self.setup(upstream), overrides: overrides) { gateway async throws in
            #expect(try gateway.get("/payment", "X-API-Key: key-initech").status == 200)
            #expect(try gateway.get("/payment", "X-API-Key: key-initech").status == 429)
        }
    }
}
