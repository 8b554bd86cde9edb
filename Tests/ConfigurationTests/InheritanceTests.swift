import LimiterCore
import Testing
import WeirConfiguration

@Suite struct InheritanceTests {
    private func limits(_ yaml: String) throws -> LimitTable {
        let identity = """
            identity:
              api_keys: {keys: [{tenant: acme, sha256: "\(String(repeating: "0a", count: 32))"}]}

            """
        return try Configuration.parse(identity + yaml, file: "weir.yaml").limits
    }

    @Test func theSameNameReplacesAndInheritsWhatItLeavesOut() throws {
        let table = try limits(
            """
            limits:
              - {name: global, per: tenant, rate: 100/minute, shadow: true, on_store_failure: deny, cost: 2}
            services:
              - name: a
                routes: [{path: /a}]
                upstreams: [http://127.0.0.1:1]
                limits: [{name: global, rate: 7/s}]
            """)
        let limit = table.services[0].routes[0].limits
        #expect(limit.count == 1)
        #expect(limit[0].limit.rate.description == "7/second")
        #expect(limit[0].limit.per == [.tenant])
        #expect(limit[0].limit.isShadow)
        #expect(limit[0].limit.onStoreFailure == .deny)
        #expect(limit[0].limit.cost == .fixed(2))
        #expect(limit[0].owner == .service("a"))
    }

    @Test func aNewNameAppliesAsWellAndARouteRefinesItsService() throws {
        let table = try limits(
            """
            limits: [{name: global, per: tenant, rate: 100/minute}]
            services:
              - name: a
                upstreams: [http://127.0.0.1:1]
                limits: [{name: own, per: everyone, rate: 10/s}]
                routes:
                  - {path: /a}
                  - {path: /a/slow, limits: [{name: own, rate: 1/s}, {name: extra, per: client_ip, rate: 2/s}]}
            """)
        let routes = table.services[0].routes
        #expect(routes[0].limits.map(\.name) == ["global", "own"])
        #expect(routes[1].limits.map(\.name) == ["global", "own", "extra"])
        #expect(routes[1].limits[1].owner == .route(service: "a", route: "/a/slow"))
        #expect(routes[0].limits[1].owner == .service("a"))
    }

    @Test func aSharedLimitUsesTheCounterOfTheOneThatItReplaces() throws {
        let table = try limits(
            """
            limits: [{name: global, per: tenant, rate: 100/minute}]
            services:
              - name: a
                routes: [{path: /a}]
                upstreams: [http://127.0.0.1:1]
                limits: [{name: global, rate: 50/minute, shared: true}]
            """)
        #expect(table.services[0].routes[0].limits[0].owner == .global)
        #expect(table.services[0].routes[0].limits[0].limit.rate.count == 50)
    }

    @Test func aReplacementMayTurnABucketIntoAWindow() throws {
        let table = try limits(
            """
            limits: [{name: global, per: tenant, rate: 100/minute, algorithm: token_bucket, burst: 20}]
            services:
              - name: a
                routes: [{path: /a}]
                upstreams: [http://127.0.0.1:1]
                limits: [{name: global, algorithm: sliding_window}]
              - name: b
                routes: [{path: /b}]
                upstreams: [http://127.0.0.1:1]
                limits: [{name: global, shadow: true}]
            """)
        #expect(table.services[0].routes[0].limits[0].limit.algorithm == .slidingWindow)
        #expect(table.services[1].routes[0].limits[0].limit.algorithm == .tokenBucket(burst: 20))
    }
}
