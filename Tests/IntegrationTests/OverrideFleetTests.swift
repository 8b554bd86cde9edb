import Foundation
import NIOHTTP1
import TestSupport
import Testing

/// Overrides as operators set them and tenants feel them: three gateways, and Redis in each of its forms.
@Suite(.serialized) struct OverrideFleetTests {
    private static func configuration(_ url: String, _ upstream: Upstream) -> String {
        """
        store:
          redis: \(url)
          replicas: 3
          deadline: 500ms
        identity:
          header: X-Tenant
        plans:
          - {name: pro, limits: [{name: hourly, rate: 500/hour}]}
        tenants: [{name: initech, plan: pro}]
        limits:
          - {name: hourly, per: tenant, rate: 100/hour, mode: exact}
        services:
          - name: api
            routes: [{path: /}]
            upstreams: ["http://127.0.0.1:\(upstream.port)"]
        """
    }

    /// Runs `body` with three gateways, which it may replace.
    private static func run(over url: String, _ body: (inout [WeirProcess], String) async throws -> Void) async throws {
        let upstream = try await Upstream.start()
        let configuration = configuration(url, upstream)
        var gateways: [WeirProcess] = []
        defer { for gateway in gateways { gateway.stop() } }
        gateways = try await start(configuration)
        for gateway in gateways {
            try await eventually(within: .seconds(30), "Redis decides") {
                try await gateway.metric("weir_store_degraded") == 0
            }
        }
        try await body(&gateways, configuration)
        try await upstream.stop()
    }

    private static func start(_ configuration: String) async throws -> [WeirProcess] {
        var gateways: [WeirProcess] = []
        for _ in 0..<3 { gateways.append(try await WeirProcess.serve(configuration)) }
        return gateways
    }

    @discardableResult
    private func set(_ gateway: WeirProcess, _ tenant: String, _ body: String) async throws -> HTTP.Response {
        try await HTTP.send(.PUT, gateway.control, "/v1/tenants/\(tenant)/overrides/hourly", body: body)
    }

    /// The limit that an answer of the gateway speaks of.
    private func limit(_ gateway: WeirProcess, _ tenant: String) async throws -> String? {
        let field = try await HTTP.get(gateway.gateway, "/", tenant: tenant).fields.first(name: "RateLimit-Policy")
        return field.flatMap { $0.split(separator: ";").first { $0.hasPrefix("q=") } }.map { String($0.dropFirst(2)) }
    }

    /// Every gateway answers by this limit within `time`.
    private func isInForce(
        _ limit: String, _ tenant: String, _ gateways: [WeirProcess], within time: Duration = .seconds(10)
    ) async throws {
        let clock = ContinuousClock()
        let end = clock.now + time
        for gateway in gateways {
            try await eventually(within: max(.milliseconds(1), end - clock.now), "\(limit) for \(tenant)") {
                try await self.limit(gateway, tenant) == limit
            }
        }
    }

    @Test func anOverrideIsInForceOnEveryGatewayAndSurvivesTheirRestart() async throws {
        let redis = try await RedisServer.start()
        defer { redis.stop() }
        try await Self.run(over: "redis://127.0.0.1:\(redis.port)") { gateways, configuration in
            try await isInForce("100", "acme", gateways)
            try await isInForce("500", "initech", gateways)
            let answer = try await set(gateways[0], "acme", #"{"rate":"7/hour","reason":"abuse"}"#)
            #expect(answer.status == 200 && answer.body.contains("\"kept_in\":\"redis\""))
            try await isInForce("7", "acme", gateways)
            try await set(gateways[1], "initech", #"{"rate":"900/hour"}"#)
            try await isInForce("900", "initech", gateways)
            #expect(try await limit(gateways[2], "globex") == "100")
            var statuses: [Int: Int] = [:]
            for turn in 0..<12 {
                statuses[try await HTTP.get(gateways[turn % 3].gateway, "/", tenant: "acme").status, default: 0] += 1
            }
            #expect(statuses[429] ?? 0 >= 5, "the count that there was stays: \(statuses)")

            for gateway in gateways { #expect(gateway.terminate() == 0) }
            gateways = try await Self.start(configuration)
            for gateway in gateways where !gateway.log.contains("are not known yet") {
                #expect(try await limit(gateway, "acme") == "7", "from the first request on")
                #expect(try await limit(gateway, "initech") == "900")
            }
            let audit = try await HTTP.get(gateways[2].control, "/v1/audit?tenant=acme").body
            #expect(audit.contains("\"action\":\"set\"") && audit.contains("\"reason\":\"abuse\""))
            let removed = try await HTTP.send(.DELETE, gateways[2].control, "/v1/tenants/acme/overrides/hourly")
            #expect(removed.status == 200)
            try await isInForce("100", "acme", gateways)
        }
    }

    @Test func withRedisKilledTheLastKnownOnesStayAndChangesAreRefused() async throws {
        let redis = try await RedisServer.start()
        defer { redis.stop() }
        try await Self.run(over: "redis://127.0.0.1:\(redis.port)") { gateways, configuration in
            try await set(gateways[0], "acme", #"{"rate":"30/hour"}"#)
            try await isInForce("30", "acme", gateways)
            redis.kill()
            try await eventually(within: .seconds(20), "nobody asks Redis") {
                try await gateways[1].metric("weir_store_degraded") == 1
            }
            for gateway in gateways { #expect(try await limit(gateway, "acme") == "30") }
            let refused = try await set(gateways[1], "acme", #"{"rate":"40/hour"}"#)
            #expect(refused.status == 503 && refused.body.contains("overrides are kept there"), "\(refused.body)")
            #expect(
                try await HTTP.send(.DELETE, gateways[1].control, "/v1/tenants/acme/overrides/hourly").status == 503)
            #expect(try await HTTP.get(gateways[1].control, "/v1/tenants/acme/overrides").body.contains("30/hour"))

            // One that starts now knows the configuration alone, and says so.
            let late = try await WeirProcess.serve(configuration)
            defer { late.stop() }
            #expect(try await limit(late, "acme") == "100")
            #expect(late.log.contains("overrides in Redis are not known yet"))

            try await redis.restart()
            try await isInForce("30", "acme", gateways + [late], within: .seconds(30))
            try await eventually(within: .seconds(20), "changes are possible again") {
                try await set(late, "acme", #"{"rate":"40/hour"}"#).status == 200
            }
            try await isInForce("40", "acme", gateways + [late], within: .seconds(20))
        }
    }

    @Test func anOverrideEndsByItselfOnEveryGateway() async throws {
        let redis = try await RedisServer.start()
        defer { redis.stop() }
        try await Self.run(over: "redis://127.0.0.1:\(redis.port)") { gateways, _ in
            let end = Int(Date().timeIntervalSince1970) + 3
            #expect(try await set(gateways[0], "acme", #"{"rate":"30/hour","expires_at":\#(end)}"#).status == 200)
            try await isInForce("30", "acme", gateways)
            try await isInForce("100", "acme", gateways)
            #expect(Date().timeIntervalSince1970 >= Double(end))
            try await eventually("its end is noted, once") {
                let audit = try await HTTP.get(gateways[0].control, "/v1/audit").body
                return audit.components(separatedBy: "\"action\":\"expired\"").count == 2
            }
        }
    }

    @Test func overridesSurviveAFailover() async throws {
        let trio = try await SentinelTrio.start()
        defer { trio.stop() }
        try await Self.run(over: trio.url) { gateways, _ in
            try await set(gateways[0], "acme", #"{"rate":"30/hour"}"#)
            try await isInForce("30", "acme", gateways)
            let old = trio.servers[0]
            old.kill()
            _ = try await trio.becomesPrimary(otherThan: old)
            #expect(try await limit(gateways[1], "acme") == "30")
            try await eventually(within: .seconds(30), "the new primary takes changes") {
                try await set(gateways[2], "acme", #"{"rate":"40/hour"}"#).status == 200
            }
            try await isInForce("40", "acme", gateways, within: .seconds(20))
        }
    }

    @Test func overridesSurviveTheLossOfTheirClusterNode() async throws {
        let cluster = try await RedisCluster.start()
        defer { cluster.stop() }
        try await Self.run(over: cluster.url) { gateways, _ in
            try await eventually(within: .seconds(20), "the cluster takes changes") {
                try await set(gateways[0], "acme", #"{"rate":"30/hour"}"#).status == 200
            }
            try await isInForce("30", "acme", gateways)
            let slot = try #require(Int(cluster.servers[0].cli(["CLUSTER", "KEYSLOT", "weir:{~overrides}:version"])))
            cluster.servers[slot < 5461 ? 0 : slot < 10_923 ? 1 : 2].kill()
            #expect(try await limit(gateways[1], "acme") == "30")
            try await eventually(within: .seconds(60), "its replica takes changes") {
                try await set(gateways[2], "acme", #"{"rate":"40/hour"}"#).status == 200
            }
            try await isInForce("40", "acme", gateways, within: .seconds(20))
        }
    }
}
