import HTTPWire
import LimiterCore
import TestSupport
import Testing
import WeirConfiguration

@testable import Gateway

struct AuthenticationTests {
    private func setup(_ upstream: TestUpstream) -> Setup {
        var setup = Setup(upstream)
        setup.identity = LimitingTests.identity()
        return setup
    }

    @Test func theUpstreamLearnsTheTenantAndNotTheKey() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        try await withGateway(setup(upstream)) { gateway async throws in
            for _ in 0..<2 { #expect(try gateway.get("/", "x-API-key: demo-acme", "X_API_Key: y").status == 200) }
        }
        for request in upstream.requests {
            #expect(request.all("X-Weir-Tenant") == ["acme"])
            #expect(request["X-API-Key"] == nil)
            #expect(request["X_API_Key"] == nil)
        }
        #expect(upstream.requests.count == 2)
    }

    @Test(arguments: [
        [], ["X-API-Key: wrong"], ["X-API-Key: "], ["X-API-Key: demo-acme", "X-API-Key: demo-acme"],
        ["X_API_Key: demo-acme"], ["X-Tenant: acme"], ["X-API-Key: DEMO-ACME"],
    ])
    func withoutAValidCredentialTheAnswerIs401(fields: [String]) async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        var setup = setup(upstream)
        setup.identity.header = "x-tenant"
        try await withGateway(setup) { gateway async throws in
            let lines = fields.map { $0 + "\r\n" }.joined()
            let client = try gateway.connect()
            try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n")
            let answer = try #require(try client.next())
            #expect(answer.status == 401)
            #expect(answer["WWW-Authenticate"] == "ApiKey realm=\"weir\"")
            #expect(answer["Content-Type"] == "application/problem+json")
            let id = try #require(answer["X-Request-Id"])
            #expect(answer.text.contains("\"request_id\":\"\(id)\""))
        }
        #expect(upstream.requests.isEmpty)
    }

    @Test func aTrustedProxyMayNameTheTenant() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        var setup = setup(upstream)
        setup.identity.header = "x-tenant"
        setup.gateway.trustedProxies = [AddressBlock(parsing: "127.0.0.1")!]
        try await withGateway(setup) { gateway async throws in
            #expect(try gateway.get("/", "X-Tenant: initech").status == 200)
            #expect(try gateway.get("/", "X-Tenant: initech").status == 200)
            #expect(try gateway.get("/", "X-Tenant: acme", "X-API-Key: demo-acme").status == 200)
            #expect(try gateway.get("/", "X-Tenant: globex", "X-API-Key: demo-acme").status == 401)
            #expect(try gateway.get("/", "X-Tenant: acme", "X-API-Key: wrong").status == 401)
            #expect(try gateway.get("/", "X-Tenant: a", "X-Tenant: b").status == 401)
            #expect(try gateway.get("/", "X-Tenant: a, b").status == 401)
            #expect(try gateway.get("/", "X-Tenant: \(String(repeating: "t", count: 300))").status == 401)
        }
        #expect(upstream.requests.map { $0["X-Weir-Tenant"] } == ["initech", "initech", "acme"])
    }

    @Test func failedAuthenticationsAreLimited() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        var setup = setup(upstream)
        setup.limits = [try declared("failures", per: [.clientIP], "3/minute", counts: .failedAuthentications)]
        try await withGateway(setup) { gateway async throws in
            for _ in 0..<5 { #expect(try gateway.get("/", "X-API-Key: demo-acme").status == 200) }
            for _ in 0..<3 { #expect(try gateway.get("/", "X-API-Key: guess").status == 401) }
            let refused = try gateway.get("/", "X-API-Key: guess")
            #expect(refused.status == 429)
            #expect(refused.text.contains(#""violated-policies":["failures"]"#))
            #expect(refused["Retry-After"] != nil)
            #expect(try gateway.get("/", "X-API-Key: demo-acme").status == 429)
            gateway.time.advance(by: .seconds(200))
            #expect(try gateway.get("/", "X-API-Key: demo-acme").status == 200)
        }
    }

    @Test func aCacheFindsOnlyWhatIsEqualToTheLastByte() {
        var cache = CredentialCache<Tenant>(capacity: 2)
        let tenant = Tenant(Array("acme".utf8))
        func find(_ text: String) -> Tenant? { Array(text.utf8).withUnsafeBytes { cache.find($0) } }
        Array("key-1".utf8).withUnsafeBytes { cache.insert($0, tenant) }
        #expect(find("key-1") === tenant)
        #expect(find("key-2") == nil)
        #expect(find("key-11") == nil)
        #expect(find("") == nil)
        for number in 0..<100 { Array("other-\(number)".utf8).withUnsafeBytes { cache.insert($0, tenant) } }
        #expect(find("key-1") == nil)
    }

    /// The parser takes aliases of the fields that it knows out of every request.
    @Test func noCredentialIsLookedForWhereItIsNeverFound() throws {
        func parse(_ header: String) throws {
            let hash = String(repeating: "0a", count: 32)
            _ = try Configuration.parse(
                """
                identity: {api_keys: {header: \(header), keys: [{tenant: t, sha256: "\(hash)"}]}}
                services: [{name: a, routes: [{path: /}], upstreams: ["http://127.0.0.1:1"]}]
                """, file: "weir.yaml")
        }
        for known in KnownField.allCases where "\(known.name)".contains("-") {
            #expect(throws: (any Error).self, "\(known.name)") {
                try parse("\(known.name)".replacing("-", with: "_"))
            }
        }
        try parse("x_key")
        try parse("X-API-Key")
    }
}
