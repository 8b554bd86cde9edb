import LimiterCore
import Testing
import WeirConfiguration

struct AuthorizationTests {
    private static let tokens = "identity: {jwt: {issuer: a, audience: b, jwks_url: \"https://a.example\"}}\n"
    private static let keys =
        "identity: {api_keys: {keys: [{tenant: a, sha256: \"\(FaultTests.someHash)\"}]}}\n"

    private static func service(_ keys: String, routes: String = "[{path: /a}]", limits: String = "[]") -> String {
        "services:\n  - name: a\n    routes: \(routes)\n    upstreams: [http://b]\n    limits: \(limits)\n    \(keys)\n"
    }

    @Test func aRoutesKeyReplacesThatOfItsService() throws {
        let configuration = try Configuration.parse(
            Self.tokens
                + Self.service(
                    "authorize: {scopes: [read], claims: {role: admin}, methods: [GET, HEAD], clients: [10.0.0.0/8]}",
                    routes: """
                        [{path: /a}, {path: /b, authorize: {scopes: [write], methods: [POST]}},
                        {path: /c, authentication: none}]
                        """), file: "weir.yaml")
        let routes = configuration.services[0].routes
        #expect(routes.map { $0.authorization.scopes } == [["read"], ["write"], nil])
        #expect(routes.map { $0.authorization.methods } == [["GET", "HEAD"], ["POST"], ["GET", "HEAD"]])
        #expect(routes.map { $0.authorization.clients?.count } == [1, 1, 1])
        #expect(routes.map { $0.authorization.claims?.first?.values } == [["admin"], ["admin"], nil])
        #expect(routes.map(\.isPublic) == [false, false, true])
    }

    @Test func whereNobodyIsAskedLimitsByCallerDoNotApply() throws {
        let limits = """
            limits:
              - {name: tenants, per: tenant, rate: 1/s}
              - {name: users, per: "claim:sub", rate: 1/s}
              - {name: addresses, per: client_ip, rate: 1/s}

            """
        func names(_ keys: String, _ routes: String) throws -> [[String]] {
            let configuration = try Configuration.parse(
                Self.tokens + limits + Self.service(keys, routes: routes), file: "weir.yaml")
            return configuration.limits.services[0].routes.map { $0.limits.map(\.name) }
        }
        #expect(
            try names("authentication: required", "[{path: /a}, {path: /b, authentication: none}]")
                == [["tenants", "users", "addresses"], ["addresses"]])
        #expect(
            try names("authentication: none", "[{path: /a}, {path: /b, authentication: required}]")
                == [["addresses"], ["tenants", "users", "addresses"]])
    }

    @Test(arguments: [
        (tokens, "authentication: maybe", "use required, none"),
        (tokens, "authorize: {scope: [a]}", "did you mean `scopes`?"),
        (tokens, "authorize: [a]", "should be a mapping"),
        (tokens, "authorize: {scopes: read}", "should be a list"),
        (tokens, "authorize: {scopes: [\"a b\"]}", "is not a scope"),
        (tokens, "authorize: {claims: [a]}", "should be a mapping"),
        (tokens, "authorize: {claims: {a: []}}", "may have no value"),
        (tokens, "authorize: {claims: {a: [[b]]}}", "should be a text"),
        (tokens, "authorize: {methods: [get]}", "did you mean GET?"),
        (tokens, "authorize: {methods: [FETCH]}", "is not a method that Weir forwards"),
        (tokens, "authorize: {methods: [[GET]]}", "in capitals"),
        (tokens, "authorize: {methods: []}", "refuses every request"),
        (tokens, "authorize: {clients: []}", "refuses every request"),
        (tokens, "authorize: {clients: [here]}", "is not an address"),
        (keys, "authorize: {scopes: [a]}", "API keys with scopes"),
        (keys, "authorize: {claims: {a: b}}", "needs tokens"), ("", "authorize: {scopes: [a]}", "API keys with scopes"),
        ("", "authentication: required", "needs an `identity`"),
    ])
    func whatIsWrongWithAuthorization(identity: String, keys: String, fragment: String) {
        let found = faults(of: identity + Self.service(keys))
        #expect(found.count == 1 && found[0].message.contains(fragment), "\(found)")
        #expect(found.first?.line == (identity.isEmpty ? 6 : 7))
    }

    @Test(arguments: ["scopes: [a]", "claims: {a: b}"])
    func whoIsNotAskedHasNoScopes(rule: String) {
        let service = faults(
            of: Self.tokens
                + Self.service("authentication: none", routes: "[{path: /a, authorize: {\(rule)}}]"))
        let route = faults(
            of: Self.tokens + Self.service("", routes: "[{path: /a, authentication: none, authorize: {\(rule)}}]"))
        for found in [service, route] {
            #expect(found.count == 1 && found[0].message.contains("`authentication: none` asks nobody"), "\(found)")
        }
    }

    @Test func aLimitByCallerWhereNobodyIsAskedIsAFault() {
        let limit = "{name: x, per: tenant, rate: 1/s}"
        let found = faults(
            of: Self.tokens
                + Self.service("", routes: "[{path: /a, authentication: none, limits: [\(limit)]}]"))
        #expect(found.count == 1 && found[0].message.contains("count by client_ip"), "\(found)")
    }

    @Test(arguments: ["tenant", "claim:sub"])
    func aLimitThatInheritsWhoCallsIsTheSameFault(per: String) {
        let limits = "limits: [{name: x, per: \"\(per)\", rate: 1/s}]\n"
        let found = faults(
            of: Self.tokens + limits + Self.service("authentication: none", limits: "[{name: x, rate: 2/s}]"))
        #expect(found.count == 1 && found[0].message.contains("count by client_ip"), "\(found)")
        let other = faults(
            of: Self.tokens + limits
                + Self.service("authentication: none", limits: "[{name: x, per: client_ip, rate: 2/s}]"))
        #expect(other.isEmpty, "\(other)")
    }

    @Test func scopesOfAPIKeysAreEnough() throws {
        let keys = Self.keys.replacing("\"}]}}", with: "\", scopes: [read]}]}}")
        _ = try Configuration.parse(keys + Self.service("authorize: {scopes: [read]}"), file: "weir.yaml")
    }

    @Test func limitsByClaimNeedARouteThatIsKnown() {
        let found = faults(
            of: Self.tokens + "limits: [{name: x, per: \"claim:sub\", rate: 1/s, guard: true}]\n" + leastServices)
        #expect(found.count == 1 && found[0].message.contains("cannot be per `claim:sub`"), "\(found)")
    }
}
