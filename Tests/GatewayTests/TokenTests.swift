import Synchronization
import TestSupport
import Testing

@testable import Gateway

struct TokenTests {
    private func run(
        _ setup: (TestUpstream) throws -> Setup, _ body: (Fixture, TestUpstream) async throws -> Void
    ) async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        try await withGateway(try setup(upstream)) { try await body($0, upstream) }
    }

    @Test func theUpstreamLearnsWhatTheTokenClaims() async throws {
        let issuer = try TokenIssuer()
        try await run({ issuer.setup($0, ", headers: {X-User-Id: sub, X-Roles: roles, X-Note: note}") }) {
            gateway, upstream async throws in
            let field = try issuer.bearer("acme", #","sub":"u1","roles":["a","b"],"note":"a\r\nX-Admin: 1""#)
            for _ in 0..<2 {
                let answer = try gateway.get(
                    "/", field, "X-Weir-Tenant: globex", "X_User_Id: forged", "x-user-id: forged", "X-Note: forged")
                #expect(answer.status == 200)
            }
            #expect(upstream.requests.count == 2)
            for request in upstream.requests {
                #expect(request.all("X-Weir-Tenant") == ["acme"])
                #expect(request.all("X-User-Id") == ["u1"])
                #expect(request.all("X_User_Id").isEmpty)
                #expect(request.all("X-Roles") == ["a, b"])
                #expect(request["X-Note"] == nil, "a value with a line end is no field's")
                #expect(request["X-Admin"] == nil)
                #expect(request["Authorization"] == String(field.dropFirst("Authorization: ".count)))
            }
        }
    }

    @Test func aTokenIsNotPassedOnWhereThatIsNotWanted() async throws {
        let issuer = try TokenIssuer()
        try await run({ issuer.setup($0, ", forward: false, headers: {X-User-Id: sub}") }) {
            gateway, upstream async throws in
            #expect(try gateway.get("/", try issuer.bearer(), "X-User-Id: forged").status == 200)
            #expect(try gateway.get("/public", "Authorization: Bearer x", "X-User-Id: forged").status == 200)
            for request in upstream.requests {
                #expect(request["Authorization"] == nil)
                #expect(request["X-User-Id"] == nil)
            }
            #expect(upstream.requests.map { $0["X-Weir-Tenant"] } == ["acme", nil])
        }
    }

    @Test func aFieldOfItsOwnHasTheTokenAlone() async throws {
        let issuer = try TokenIssuer()
        try await run({ issuer.setup($0, ", header: X-Token") }) { gateway, upstream async throws in
            #expect(try gateway.get("/", "X-Token: \(try issuer.token())", "Authorization: Basic eDp5").status == 200)
            #expect(try gateway.get("/", "Authorization: Bearer \(try issuer.token())").status == 401)
            #expect(upstream.requests.map { $0["Authorization"] } == ["Basic eDp5"])
        }
    }

    @Test func aRefusalSaysWhatIsWrongWithTheTokenAndNothingOfIt() async throws {
        let issuer = try TokenIssuer()
        let stranger = Signer.es256()
        let forged = try stranger.token(
            #"{"iss":"https://issuer.example","aud":"weir","exp":\#(TokenIssuer.now + 100),"tenant":"acme"}"#)
        try await run({ issuer.setup($0) }) { gateway, upstream async throws in
            let refused = try gateway.get("/", "Authorization: Bearer \(forged)")
            #expect(refused.status == 401)
            #expect(refused["Content-Type"] == "application/problem+json")
            #expect(
                refused.all("WWW-Authenticate") == [
                    #"Bearer realm="weir", error="invalid_token", error_description="The token's signature is wrong.""#
                ])
            #expect(refused.text.contains(#""detail":"The token's signature is wrong.""#))
            let without = try gateway.get("/")
            #expect(without.status == 401)
            #expect(without.all("WWW-Authenticate") == [#"Bearer realm="weir""#])
            #expect(
                try gateway.get("/", "Authorization: Basic eDp5").all("WWW-Authenticate") == [#"Bearer realm="weir""#])
            #expect(try gateway.get("/", "Authorization: Bearer").text.contains("The token is malformed."))
            #expect(try gateway.get("/", "Authorization: Bearer  \(try issuer.token())").status == 200)
            #expect(try gateway.get("/", "authorization: bEARER \(try issuer.token())").status == 200)
            #expect(try gateway.get("/", "Authorization: Bearer\t\(try issuer.token())").status == 401)
            #expect(try gateway.get("/", try issuer.bearer(), try issuer.bearer()).status == 401)
            #expect(try gateway.get("/?access_token=\(try issuer.token())").status == 401)
            #expect(upstream.requests.count == 2)
        }
    }

    @Test func aTokenThatWasValidIsRefusedOnceItHasExpired() async throws {
        let issuer = try TokenIssuer()
        let clock = Atomic<Int64>(TokenIssuer.now * 1_000_000)
        func setup(_ upstream: TestUpstream) -> Setup {
            var setup = issuer.setup(upstream)
            setup.epoch = { clock.load(ordering: .relaxed) }
            return setup
        }
        try await run(setup) { gateway, _ async throws in
            let field = try issuer.bearer("acme", ",\"nbf\":\(TokenIssuer.now)")
            #expect(try gateway.get("/", field).status == 200)
            clock.store((TokenIssuer.now + 129) * 1_000_000, ordering: .relaxed)
            #expect(try gateway.get("/", field).status == 200)
            clock.store((TokenIssuer.now + 130) * 1_000_000, ordering: .relaxed)
            #expect(try gateway.get("/", field).text.contains("The token has expired."))
            clock.store((TokenIssuer.now - 31) * 1_000_000, ordering: .relaxed)
            #expect(try gateway.get("/", field).text.contains("The token is not valid yet."))
        }
    }

    @Test func credentialsThatDisagreeAreRefused() async throws {
        let issuer = try TokenIssuer()
        let keys = """
              api_keys: {keys: [{tenant: acme, sha256: "0ee3d7e3ae154954f584999ee8a2898c17694d98ad7cf282281363b71fcec8ae"}]}
              header: X-Tenant
            gateway: {trusted_proxies: [127.0.0.1]}
            """
        try await run({ issuer.setup($0, identity: keys) }) { gateway, upstream async throws in
            #expect(try gateway.get("/", "X-API-Key: demo-acme", try issuer.bearer("acme")).status == 200)
            #expect(try gateway.get("/", "X-API-Key: demo-acme").status == 200)
            #expect(try gateway.get("/", "X-Tenant: acme", try issuer.bearer("acme")).status == 200)
            let refused = try gateway.get("/", "X-API-Key: demo-acme", try issuer.bearer("globex"))
            #expect(refused.status == 401)
            #expect(refused.all("WWW-Authenticate") == [#"Bearer realm="weir""#, #"ApiKey realm="weir""#])
            #expect(try gateway.get("/", "X-Tenant: globex", try issuer.bearer("acme")).status == 401)
            #expect(try gateway.get("/", "X-API-Key: wrong", try issuer.bearer("acme")).status == 401)
            #expect(try gateway.get("/", "X-API-Key: demo-acme", "Authorization: Bearer x").status == 401)
            #expect(upstream.requests.count == 3)
        }
    }

    @Test func aTokenMayNameThePlan() async throws {
        let issuer = try TokenIssuer()
        let rest = """
              default_plan: free
            plans:
              - {name: free, limits: [{name: global, rate: 2/minute}]}
              - {name: pro, limits: [{name: global, rate: 7/minute}]}
            limits: [{name: global, per: tenant, rate: 5/minute}]
            """
        try await run({ issuer.setup($0, ", plan_claim: plan", identity: rest) }) { gateway, _ async throws in
            func policy(_ tenant: String, _ more: String) throws -> String? {
                try gateway.get("/", try issuer.bearer(tenant, more))["RateLimit-Policy"]
            }
            #expect(try policy("a", #","plan":"pro""#) == #""global";q=7;w=60"#)
            #expect(try policy("b", #","plan":"gold""#) == #""global";q=2;w=60"#)
            #expect(try policy("c", "") == #""global";q=2;w=60"#)
            #expect(try policy("d", #","plan":["pro"]"#) == #""global";q=2;w=60"#)
        }
    }

    @Test func aLimitMayCountByAClaim() async throws {
        let issuer = try TokenIssuer()
        let limits = "limits: [{name: users, per: [tenant, \"claim:sub\"], rate: 2/minute}]"
        try await run({ issuer.setup($0, rest: limits) }) { gateway, _ async throws in
            func status(_ tenant: String, _ more: String) throws -> Int {
                try gateway.get("/", try issuer.bearer(tenant, more)).status
            }
            for (tenant, claim) in [
                ("acme", #","sub":"u1""#), ("acme", #","sub":"u2""#), ("acme", #","sub":7"#),
                ("globex", #","sub":"u1""#),
                ("acme", ""),
            ] {
                #expect(try [1, 2, 3].map { _ in try status(tenant, claim) } == [200, 200, 429], "\(tenant) \(claim)")
            }
            #expect(try status("acme", #","sub":null"#) == 429, "no value is one value")
            #expect(try gateway.get("/public").status == 200)
        }
    }

    /// Guesses cost no signature once there were too many of them, and no tenant's budget.
    @Test func failedTokensAreLimited() async throws {
        let issuer = try TokenIssuer()
        let limits = """
            limits:
              - {name: failures, per: client_ip, rate: 3/minute, count: failed_authentication}
              - {name: global, per: tenant, rate: 10/minute}
            """
        try await run({ issuer.setup($0, rest: limits) }) { gateway, upstream async throws in
            let forged = try Signer.es256().token(#"{"iss":"https://issuer.example","tenant":"acme"}"#)
            for _ in 0..<3 { #expect(try gateway.get("/", "Authorization: Bearer \(forged)").status == 401) }
            #expect(try gateway.get("/", "Authorization: Bearer \(forged)").status == 429)
            #expect(try gateway.get("/", try issuer.bearer()).status == 429)
            gateway.time.advance(by: .seconds(200))
            let answer = try gateway.get("/", try issuer.bearer())
            #expect(answer.status == 200)
            #expect(answer["RateLimit"]?.contains("r=9") == true)
            #expect(upstream.requests.count == 1)
        }
    }

    @Test func anAPIKeyEndsWhenItIsSaidTo() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        let clock = Atomic<Int64>(TokenIssuer.now * 1_000_000)
        var setup = Setup(
            yaml: """
                identity:
                  api_keys:
                    keys:
                      - {tenant: acme, name: old, expires_at: 2023-11-14T22:15:00Z, sha256: "0ee3d7e3ae154954f584999ee8a2898c17694d98ad7cf282281363b71fcec8ae"}
                      - {tenant: acme, name: new, sha256: "32ea828153d52fb0c4ab4e40da54f12be7ac880148da8ed08de2cb7d936c63a5"}
                services: [{name: a, routes: [{path: /}], upstreams: ["http://127.0.0.1:\(upstream.port)"]}]
                """)
        setup.epoch = { clock.load(ordering: .relaxed) }
        try await withGateway(setup) { gateway async throws in
            #expect(try gateway.get("/", "X-API-Key: demo-acme").status == 200)
            clock.store(1_700_000_100 * 1_000_000 - 1, ordering: .relaxed)
            #expect(try gateway.get("/", "X-API-Key: demo-acme").status == 200)
            clock.store(1_700_000_100 * 1_000_000, ordering: .relaxed)
            #expect(try gateway.get("/", "X-API-Key: demo-acme").status == 401)
            #expect(try gateway.get("/", "X-API-Key: demo-globex").status == 200)
        }
    }

    @Test func noClaimOfTheClientsOwnIsCountedBy() async throws {
        let issuer = try TokenIssuer()
        let limits = #"limits: [{name: users, per: "header:X-User-Id", rate: 1/day}]"#
        try await run({ issuer.setup($0, ", headers: {X-User-Id: sub}", rest: limits) }) { gateway, _ async throws in
            #expect(try gateway.get("/public", "X-User-Id: one").status == 200)
            #expect(try gateway.get("/public", "X-User-Id: two").status == 429)
        }
    }

    @Test func onlyABearerTokenIsKeptFromTheUpstream() async throws {
        let issuer = try TokenIssuer()
        try await run({ issuer.setup($0, ", forward: false") }) { gateway, upstream async throws in
            for value in ["Basic eDp5", "Bearer x", "bearer\tx", "Bearer", "Bearers x"] {
                #expect(try gateway.get("/public", "Authorization: \(value)").status == 200)
            }
            #expect(
                upstream.requests.map { $0["Authorization"] } == ["Basic eDp5", nil, nil, nil, "Bearers x"])
        }
    }

    @Test func aTabMakesNoOtherSchemeOfABearerToken() async throws {
        let issuer = try TokenIssuer()
        try await run({ issuer.setup($0) }) { gateway, upstream async throws in
            let answer = try gateway.get("/", "Authorization: Bearer\t\(try issuer.token())")
            #expect(answer.status == 401)
            #expect(answer["WWW-Authenticate"]?.contains("invalid_token") == true)
            #expect(upstream.requests.isEmpty)
        }
    }

    @Test(arguments: [true, false])
    func eachOfTwoTokensGoesWhereItsIssuerSays(first: Bool) async throws {
        let issuer = try TokenIssuer()
        let other = try issuer.signer.token(
            #"{"iss":"https://other.example","aud":"weir","exp":\#(TokenIssuer.now + 100),"tenant":"acme"}"#)
        let own = try issuer.bearer()
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        var setup = Setup(
            yaml: """
                identity:
                  jwt:
                    - {issuer: "https://issuer.example", audience: weir, jwks_file: jwks.json, forward: \(first)}
                    - {issuer: "https://other.example", audience: weir, jwks_file: jwks.json, header: X-Token, forward: \(!first)}
                services: [{name: a, routes: [{path: /}], upstreams: ["http://127.0.0.1:\(upstream.port)"]}]
                """)
        setup.folder = issuer.folder
        setup.epoch = { TokenIssuer.now * 1_000_000 }
        try await withGateway(setup) { gateway async throws in
            #expect(try gateway.get("/", own, "X-Token: \(other)").status == 200)
        }
        let request = try #require(upstream.requests.first)
        #expect((request["Authorization"] != nil) == first)
        #expect((request["X-Token"] != nil) == !first)
    }
}
