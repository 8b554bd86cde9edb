import Foundation
import TestSupport
import Testing

@Suite struct SecureRedisTests {
    private func withGateway(
        _ store: String, _ body: (WeirProcess) async throws -> Void
    ) async throws {
        let upstream = try await Upstream.start()
        let gateway = try await WeirProcess.serve(
            """
            store:
            \(store)
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
        try await body(gateway)
        try await upstream.stop()
    }

    @Test func aGatewaySaysOnceThatCountersMayGetLost() async throws {
        let settings = [["maxmemory", "64mb"], ["maxmemory-policy", "allkeys-random"]]
        let redis = try await RedisServer.start(RedisServer.Options(settings: settings))
        defer { redis.stop() }
        try await withGateway("  redis: redis://127.0.0.1:\(redis.port)") { gateway in
            try await eventually("Redis decides") { try await gateway.metric("weir_store_degraded") == 0 }
            #expect(gateway.log.components(separatedBy: "maxmemory-policy allkeys-random").count == 2)
        }
    }

    @Test func aGatewayCountsInRedisOverTLSAndWithoutTrustByItself() async throws {
        let certificates = try Certificates()
        let options = RedisServer.Options(
            tls: RedisServer.TLS(certificates, certificates.server, asksForCertificate: true))
        let redis = try await RedisServer.start(options)
        defer { redis.stop() }
        func store(_ authority: String) -> String {
            """
              redis: rediss://localhost:\(redis.port)
              tls:
                ca_file: \(authority)
                certificate_file: \(certificates.client.certificate)
                key_file: \(certificates.client.key)
            """
        }
        try await withGateway(store(certificates.authority)) { gateway in
            try await eventually("Redis decides") { try await gateway.metric("weir_store_degraded") == 0 }
            #expect(try await HTTP.get(gateway.gateway, "/", tenant: "acme").status == 200)
            #expect(try await gateway.degradedDecisions() == 0)
        }
        try await withGateway(store(certificates.otherAuthority)) { gateway in
            var statuses: [Int] = []
            for _ in 0..<10 { statuses.append(try await HTTP.get(gateway.gateway, "/", tenant: "acme").status) }
            // Its share of what it knows nothing about.
            #expect(statuses.count { $0 == 200 } == 5)
            #expect(gateway.log.contains("not signed by \(certificates.otherAuthority)"))
        }
    }
}
