import Foundation
import TestSupport
import Testing

/// Budgets of a year, so that none begins while a test runs, and records of them on disk.
@Suite(.serialized) struct CalendarQuotaTests {
    private static let limit = 600

    /// Gateways over this Redis that record what was used in these files.
    private func start(_ redis: RedisServer, _ upstream: Upstream, _ files: [URL]) async throws -> [WeirProcess] {
        var gateways: [WeirProcess] = []
        for file in files {
            gateways.append(
                try await WeirProcess.serve(
                    """
                    store: {redis: "redis://127.0.0.1:\(redis.port)", replicas: \(files.count), deadline: 500ms}
                    usage: {file: \(file.path), interval: 100ms}
                    identity: {header: X-Tenant}
                    limits:
                      - {name: yearly, per: tenant, rate: \(Self.limit)/year, algorithm: calendar, mode: exact}
                    services:
                      - {name: api, routes: [{path: /}], upstreams: ["http://127.0.0.1:\(upstream.port)"]}
                    """))
        }
        for gateway in gateways {
            try await eventually(within: .seconds(30), "the gateway uses Redis") {
                try await gateway.metric("weir_store_degraded") == 0
            }
        }
        return gateways
    }

    private func admitted(_ gateway: WeirProcess, of requests: Int, _ tenant: String) async throws -> Int {
        var admitted = 0
        for _ in 0..<requests
        where try await HTTP.get(gateway.gateway, "/", tenant: tenant).status == 200 { admitted += 1 }
        return admitted
    }

    private func used(_ gateway: WeirProcess, _ tenant: String) async throws -> Int? {
        let answer = try await HTTP.get(gateway.control, "/v1/tenants/\(tenant)/usage").body
        guard let start = answer.firstRange(of: "\"used\":")?.upperBound else { return nil }
        return Int(answer[start...].prefix { $0.isNumber })
    }

    private func run(_ body: (RedisServer, Upstream, [URL]) async throws -> Void) async throws {
        let redis = try await RedisServer.start()
        defer { redis.stop() }
        let upstream = try await Upstream.start()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("weir-usage-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(redis, upstream, (1...3).map { folder.appendingPathComponent("\($0).log") })
        try await upstream.stop()
    }

    @Test func aBudgetSurvivesARedisThatLosesEverythingInItsMiddle() async throws {
        try await run { redis, upstream, files in
            let gateways = try await start(redis, upstream, files)
            defer { for gateway in gateways { gateway.stop() } }
            // One gateway alone knows the first tenant, the others know the second.
            #expect(try await admitted(gateways[0], of: 400, "first") == 400)
            #expect(try await admitted(gateways[1], of: 250, "second") == 250)
            #expect(try await admitted(gateways[2], of: 100, "second") == 100)
            redis.kill()
            try await redis.restart()
            for (tenant, spent) in [("first", 400), ("second", 350)] {
                try await eventually(within: .seconds(30), "Redis has been told what it lost") {
                    try await used(gateways[1], tenant) == spent
                }
            }
            #expect(try await admitted(gateways[1], of: 250, "first") == Self.limit - 400)
            #expect(try await admitted(gateways[0], of: 300, "second") == Self.limit - 350)
        }
    }

    @Test func aBudgetSurvivesRedisAndAllGatewaysTogether() async throws {
        try await run { redis, upstream, files in
            var gateways = try await start(redis, upstream, files)
            #expect(try await admitted(gateways[0], of: 400, "acme") == 400)
            for gateway in gateways { #expect(gateway.terminate() == 0) }
            redis.kill()
            try await redis.restart()
            gateways = try await start(redis, upstream, files)
            defer { for gateway in gateways { gateway.stop() } }
            try await eventually(within: .seconds(30), "Redis has been told what it lost") {
                try await used(gateways[2], "acme") == 400
            }
            #expect(try await admitted(gateways[1], of: 300, "acme") == 200)
            let csv = try await HTTP.get(gateways[1].control, "/v1/tenants/acme/usage?format=csv").body
            #expect(csv.contains(",600,600,true\r\n"))
        }
    }

    @Test func aGatewayWithCountersInMemoryGoesOnAfterARestart() async throws {
        try await run { _, upstream, files in
            let configuration = """
                usage: {file: \(files[0].path)}
                identity: {header: X-Tenant}
                limits:
                  - {name: yearly, per: tenant, rate: 10/year, algorithm: calendar, time_zone: Asia/Tokyo}
                services:
                  - {name: api, routes: [{path: /}], upstreams: ["http://127.0.0.1:\(upstream.port)"]}
                """
            let first = try await WeirProcess.serve(configuration)
            #expect(try await admitted(first, of: 7, "acme") == 7)
            #expect(first.terminate() == 0)
            let second = try await WeirProcess.serve(configuration)
            defer { second.stop() }
            #expect(try await admitted(second, of: 7, "acme") == 3)
            #expect(second.log.contains("calendar quotas go on from the usage file"))
        }
    }
}
