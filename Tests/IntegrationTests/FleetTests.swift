import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct FleetTests {
    @Test func threeGatewaysAdmitExactlyTheLimit() async throws {
        try await Fleet.run(gateways: 3, limit: 500, mode: .exact, deadline: "5s") { fleet, _ async throws in
            #expect(try await fleet.load(400, tenant: "acme") == [200: 500, 429: 700])
            for gateway in fleet.gateways { #expect(try await gateway.degradedDecisions() == 0) }
            for gateway in fleet.gateways {
                let budget = try await HTTP.get(gateway.control, "/v1/tenants/acme/budget").body
                #expect(budget.contains("\"used\":500,\"remaining\":0"))
            }
        }
    }

    @Test func threeGatewaysWithLeasesAdmitTheWholeLimitAndNotOneMore() async throws {
        try await Fleet.run(gateways: 3, limit: 500, mode: .leased, deadline: "5s") { fleet, _ async throws in
            let tenant = "acme"
            var admitted = try await fleet.load(400, tenant: tenant)[200] ?? 0
            #expect(admitted <= 500)
            // What one holds when its callers are through goes back to the others.
            try await eventually(within: .seconds(20), "all of the limit") {
                admitted += try await fleet.load(2, tenant: tenant)[200] ?? 0
                return admitted >= 500
            }
            #expect(try await fleet.load(50, tenant: tenant) == [429: 150])
            #expect(admitted == 500)
            for gateway in fleet.gateways { #expect(try await gateway.degradedDecisions() == 0) }
        }
    }

    @Test func threeGatewaysWithLocalLimitsAdmitTheWholeLimitEachWithRedisOrWithout() async throws {
        try await Fleet.run(gateways: 3, limit: 50, mode: .local) { fleet, redis async throws in
            let tenant = "acme"
            #expect(try await fleet.load(40, tenant: tenant) == [200: 120])
            #expect(try redis.cli(["KEYS", "*\(tenant)*"]).isEmpty)
            redis.kill()
            for gateway in fleet.gateways {
                try await eventually(within: .seconds(20), "the gateway knows that Redis is away") {
                    try await gateway.metric("weir_store_degraded") == 1
                }
            }
            #expect(try await fleet.load(40, tenant: tenant) == [200: 30, 429: 90])
            #expect(try await fleet.degradedDecisions() == 0)
            for gateway in fleet.gateways {
                let budget = try await HTTP.get(gateway.control, "/v1/tenants/\(tenant)/budget").body
                #expect(budget.contains("\"degraded\":false"))
                #expect(budget.contains("\"used\":50,\"remaining\":0"))
            }
            try await redis.restart()
            try await fleet.becomesShared()
        }
    }

    enum Fault: String, CaseIterable, Sendable {
        case killed
        case paused
        case flushed
        case readOnly
        case wrongPassword

        func strike(_ redis: RedisServer) throws {
            switch self {
            case .killed: redis.kill()
            case .paused: redis.pause()
            case .flushed: try redis.cli(["FLUSHALL"])
            case .readOnly: try redis.cli(["REPLICAOF", "127.0.0.1", "1"])
            case .wrongPassword:
                try redis.cli(["CONFIG", "SET", "requirepass", "secret"])
                try redis.cli(["-a", "secret", "CLIENT", "KILL", "TYPE", "normal"])
            }
        }

        func end(_ redis: RedisServer) async throws {
            switch self {
            case .killed: try await redis.restart()
            case .paused: redis.resume()
            case .flushed: break
            case .readOnly: try redis.cli(["REPLICAOF", "NO", "ONE"])
            case .wrongPassword: try redis.cli(["-a", "secret", "CONFIG", "SET", "requirepass", ""])
            }
        }
    }

    /// 600 a window, 450 of them spent and known to all: whatever then happens to Redis, at most 150 remain in it and the shares of
    /// 150 with the gateways.
    @Test(arguments: Fault.allCases, Fleet.Mode.allCases)
    func aFaultUnderLoadNeitherHangsNorRefillsABudget(fault: Fault, mode: Fleet.Mode) async throws {
        let (limit, spent, left) = (600, 450, 150)
        try await Fleet.run(gateways: 3, limit: limit, mode: mode) { fleet, redis async throws in
            let tenant = "acme"
            let before = try await fleet.load(spent / 3, tenant: tenant)
            #expect(before == [200: spent])
            for gateway in fleet.gateways {
                #expect(
                    try await HTTP.get(gateway.gateway, "/.well-known/rate-limit", tenant: tenant).status == 200)
                try await eventually(within: .seconds(10), "what is left is known") {
                    let known = try await HTTP.get(gateway.control, "/v1/tenants/\(tenant)/budget").body
                    return known.contains("\"remaining\":\(left)")
                }
            }

            try fault.strike(redis)
            let during = try await fleet.load(120, tenant: tenant)
            #expect(Set(during.keys).isSubset(of: [200, 429]), "\(during)")
            #expect(during.values.reduce(0, +) == 360)
            try await fault.end(redis)

            try await fleet.becomesShared()
            let after = try await fleet.load(120, tenant: tenant)
            #expect(Set(after.keys).isSubset(of: [200, 429]), "\(after)")
            let admitted = spent + (during[200] ?? 0) + (after[200] ?? 0)
            #expect(admitted <= limit + left)
            #expect(after[429] ?? 0 > 0, "the budget ends")

            // Redis decides again, and it knows what was spent without it.
            try await eventually(within: .seconds(20), "Redis says that the budget has ended") {
                let degraded = try await fleet.degradedDecisions()
                let isOver = try await fleet.load(1, tenant: tenant) == [429: 3]
                return try await fleet.degradedDecisions() == degraded && isOver
            }
        }
    }

    @Test func gatewaysStartAndServeWithRedisDownAndUseItOnceItIsThere() async throws {
        let redis = try await RedisServer.start()
        redis.kill()
        let upstream = try await Upstream.start()
        let gateway = try await WeirProcess.serve(
            """
            store:
              redis: redis://127.0.0.1:\(redis.port)
              replicas: 2
              deadline: 500ms
            identity:
              header: X-Tenant
            limits:
              - {name: long, per: tenant, rate: 10/\(LongWindow.period)}
            services:
              - name: api
                routes: [{path: /}]
                upstreams: ["http://127.0.0.1:\(upstream.port)"]
            """)
        defer { gateway.stop() }
        var statuses: [Int] = []
        for _ in 0..<8 { statuses.append(try await HTTP.get(gateway.gateway, "/", tenant: "acme").status) }
        // Half of the limit: there are two replicas at least, and nobody knows what the other one does.
        #expect(statuses.count { $0 == 200 } == 5)
        #expect(try await HTTP.get(gateway.control, "/readyz").body.contains("\"degraded\":true"))
        #expect(gateway.log.contains("Redis"))

        try await redis.restart()
        try await eventually(within: .seconds(30), "Redis decides") {
            let degraded = try await gateway.metric("weir_store_degraded")
            let unmerged = try await gateway.metric("weir_store_unmerged")
            return degraded == 0 && unmerged == 0
        }
        let budget = try await HTTP.get(gateway.control, "/v1/tenants/acme/budget").body
        #expect(budget.contains("\"used\":5,\"remaining\":5"))
        #expect(gateway.terminate() == 0)
        redis.stop()
        try await upstream.stop()
    }
}
