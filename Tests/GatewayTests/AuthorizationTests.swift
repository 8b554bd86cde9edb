import TestSupport
import Testing

@testable import Gateway

struct AuthorizationTests {
    private static let keys = """
          api_keys:
            keys:
              - {tenant: acme, sha256: "0ee3d7e3ae154954f584999ee8a2898c17694d98ad7cf282281363b71fcec8ae", scopes: [orders:read]}
        """

    private func run(
        _ authorize: String, rest: String = "", _ body: (Fixture, TestUpstream, TokenIssuer) async throws -> Void
    ) async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        let issuer = try TokenIssuer()
        let setup = issuer.setup(upstream, identity: Self.keys, rest: rest, service: "    authorize: \(authorize)")
        try await withGateway(setup) { try await body($0, upstream, issuer) }
    }

    @Test func allScopesAreNeeded() async throws {
        try await run("{scopes: [orders:read, orders:write]}") { gateway, upstream, issuer async throws in
            for scopes in [
                #","scope":"orders:write orders:read""#, #","scp":["x","orders:read","orders:write"]"#,
                #","scope":["orders:read","orders:write"]"#,
            ] {
                #expect(try gateway.get("/", try issuer.bearer("acme", scopes)).status == 200)
            }
            for scopes in [
                "", #","scope":"orders:read""#, #","scope":"orders:read orders:writer""#,
                #","scope":"orders:read,orders:write""#,
                #","scope":7"#,
            ] {
                let refused = try gateway.get("/", try issuer.bearer("acme", scopes))
                #expect(refused.status == 403)
                #expect(refused["Content-Type"] == "application/problem+json")
                #expect(refused.text.contains("The caller lacks a scope that this route needs."))
                #expect(
                    refused["WWW-Authenticate"]
                        == #"Bearer realm="weir", error="insufficient_scope", scope="orders:read orders:write""#)
            }
            #expect(try gateway.get("/", "X-API-Key: demo-acme").status == 403)
            let both = try gateway.get(
                "/", "X-API-Key: demo-acme", try issuer.bearer("acme", #","scope":"orders:write""#))
            #expect(both.status == 200, "what one credential lacks, the other may have")
            #expect(try gateway.get("/").status == 401, "who calls comes before what they may")
            #expect(upstream.requests.count == 4)
        }
    }

    @Test func aClaimHasOneOfTheValues() async throws {
        try await run("{claims: {role: [admin, ops], level: 7}}") { gateway, upstream, issuer async throws in
            #expect(try gateway.get("/", try issuer.bearer("acme", #","role":"ops","level":7"#)).status == 200)
            #expect(
                try gateway.get("/", try issuer.bearer("acme", #","role":["x","admin"],"level":"7""#)).status == 200)
            for claims in [
                "", #","role":"ops""#, #","role":"op","level":7"#, #","role":{"ops":true},"level":7"#,
                #","role":"ops","level":7.0"#,
            ] {
                let refused = try gateway.get("/", try issuer.bearer("acme", claims))
                #expect(refused.status == 403)
                #expect(refused.text.contains("lacks a claim"))
                #expect(!refused.text.contains("ops"))
                #expect(refused["WWW-Authenticate"] == nil)
            }
            #expect(try gateway.get("/", "X-API-Key: demo-acme").status == 403)
            #expect(upstream.requests.count == 2)
        }
    }

    @Test func methodsAndClientsAreListed() async throws {
        try await run(
            "{methods: [GET], clients: [10.0.0.0/8, 127.0.0.1]}", rest: "gateway: {trusted_proxies: [127.0.0.1]}"
        ) {
            gateway, upstream, issuer async throws in
            let field = try issuer.bearer()
            #expect(try gateway.get("/", field).status == 200)
            #expect(try gateway.get("/", field, "X-Forwarded-For: 10.1.2.3").status == 200)
            let elsewhere = try gateway.get("/", field, "X-Forwarded-For: 192.0.2.1")
            #expect(elsewhere.status == 403)
            #expect(elsewhere.text.contains("Requests from this address are not allowed on this route."))
            let posted = try gateway.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\(field)\r\n\r\n")
            #expect(posted.status == 403)
            #expect(posted.text.contains("This method is not allowed on this route."))
            #expect(try gateway.get("/public").status == 200)
            #expect(
                try gateway.get("/public", "X-Forwarded-For: 192.0.2.1").status == 403,
                "addresses are known all the same")
            #expect(upstream.requests.count == 3)
        }
    }

    @Test func whatIsRefusedIsChargedToNoLimit() async throws {
        try await run("{scopes: [a]}", rest: "limits: [{name: global, per: tenant, rate: 2/minute}]") {
            gateway, _, issuer async throws in
            for _ in 0..<5 { #expect(try gateway.get("/", try issuer.bearer()).status == 403) }
            let answer = try gateway.get("/", try issuer.bearer("acme", #","scope":"a""#))
            #expect(answer.status == 200)
            #expect(answer["RateLimit"]?.contains("r=1") == true)
        }
    }

    @Test func onAPublicRouteNoCredentialIsLookedAt() async throws {
        try await run("{scopes: [a]}", rest: "limits: [{name: global, per: tenant, rate: 2/minute}]") {
            gateway, upstream, issuer async throws in
            for fields in [
                [], ["Authorization: Bearer nonsense"], ["X-API-Key: wrong"], [try issuer.bearer()],
                ["X-API-Key: a", "X-API-Key: b"], ["X-Weir-Tenant: acme"],
            ] {
                let lines = fields.map { $0 + "\r\n" }.joined()
                let answer = try gateway.ask("GET /public HTTP/1.1\r\nHost: a\r\n\(lines)\r\n")
                #expect(answer.status == 200)
                #expect(answer["RateLimit"] == nil)
            }
            #expect(upstream.requests.count == 6)
            #expect(upstream.requests.allSatisfy { $0["X-Weir-Tenant"] == nil && $0["X-API-Key"] == nil })
        }
    }
}
