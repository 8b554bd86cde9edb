import TestSupport
import Testing
import Tokens
import WeirConfiguration

struct TokenSettingsTests {
    private static let secret = String(repeating: "s", count: 32)

    private func issuer(_ keys: String, _ more: String = "") -> String {
        "identity:\n  jwt: {issuer: a, audience: b, \(keys)\(more)}\n" + leastServices
    }

    private func settings(_ yaml: String, file: String = "weir.yaml") throws -> [TokenSettings] {
        try Configuration.parse(yaml, file: file).identity.tokens
    }

    @Test func whatIsLeftOutHasItsDefault() throws {
        let token = try #require(try settings(issuer("jwks_url: \"https://a.example/k\"")).first)
        #expect(token.policy.leewayMilliseconds == 30_000)
        #expect(token.policy.types == nil)
        #expect(token.policy.tenantClaim == Array("tenant".utf8))
        #expect(token.policy.algorithms == Set(SignatureAlgorithm.allCases.filter { !$0.isSymmetric }))
        #expect(token.header == "authorization")
        #expect(token.isForwarded)
        #expect(token.planClaim == nil)
        #expect(token.fields.isEmpty)
        guard case .url("https://a.example/k") = token.keys else {
            Issue.record("the keys are at an address")
            return
        }
    }

    @Test func everyKeyIsRead() throws {
        let scratch = try Scratch()
        _ = try scratch.write("jwks.json", Signer.es256().set())
        let file = try scratch.write(
            "weir.yaml",
            """
            identity:
              jwt:
                - issuer: https://issuer.example
                  audience: [weir, other]
                  jwks_file: jwks.json
                  algorithms: [ES256]
                  leeway: 5s
                  types: [at+jwt]
                  tenant_claim: org
                  plan_claim: plan
                  header: X-Token
                  forward: false
                  headers: {X-User-Id: sub, X-Scopes: scope}
                - {issuer: two, audience: weir, secret: \(Self.secret)}
            limits: [{name: users, per: [tenant, "claim:sub"], rate: 1/s}]

            """ + leastServices)
        let tokens = try Configuration.load(path: file).identity.tokens
        #expect(tokens.count == 2)
        #expect(tokens[0].policy.issuer == Array("https://issuer.example".utf8))
        #expect(tokens[0].policy.audiences == ["weir", "other"].map { Array($0.utf8) })
        #expect(tokens[0].policy.algorithms == [.es256])
        #expect(tokens[0].policy.leewayMilliseconds == 5000)
        #expect(tokens[0].policy.types == [Array("at+jwt".utf8)])
        #expect(tokens[0].policy.tenantClaim == Array("org".utf8))
        #expect(tokens[0].planClaim == "plan")
        #expect(tokens[0].header == "x-token")
        #expect(!tokens[0].isForwarded)
        #expect(tokens[0].fields.map(\.name) == ["X-User-Id", "X-Scopes"])
        #expect(tokens[0].fields.map(\.claim) == ["sub", "scope"])
        #expect(tokens[1].policy.algorithms == [.hs256])
    }

    @Test func aKeySetThatCannotBeUsedIsAFaultOfTheLineThatNamesIt() throws {
        let scratch = try Scratch()
        for (content, fragment) in [
            ("{}", "no list of `keys`"), (#"{"keys":[]}"#, "is empty"),
            (#"{"keys":[{"kty":"oct","k":"AA"}]}"#, "is a secret"),
            ("not JSON", "not a JSON object"), (#"{"keys":[{"kty":"RSA","n":"AQ","e":"AQAB"}]}"#, "2048"),
        ] {
            _ = try scratch.write("jwks.json", content)
            let found = faults(of: issuer("jwks_file: jwks.json"), file: "\(scratch.path)/weir.yaml")
            #expect(found.count == 1 && found[0].line == 2 && found[0].message.contains(fragment), "\(found)")
        }
        let found = faults(of: issuer("jwks_file: nowhere.json"), file: "\(scratch.path)/weir.yaml")
        #expect(found.first?.message.contains("there is no such file") == true)
    }

    @Test(arguments: [
        ("", "name one of `jwks_file`, `jwks_url`"),
        ("jwks_url: \"https://a\", secret: \(secret)", "several sources of keys"),
        ("jwks_url: \"http://a.example\"", "is not an https URL"), ("jwks_url: \"file:///etc/passwd\"", "is not a URL"),
        ("jwks_url: \"https://u:p@a.example/\"", "a user or a password"), ("jwks_url: somewhere", "is not a URL"),
        ("secret: short", "has 5 bytes"), ("secret: \(secret), algorithms: [HS512]", "at least 64 bytes"),
        ("secret: \(secret), algorithms: [RS256]", "none of the keys can be used with RS256"),
        ("jwks_url: \"https://a\", algorithms: [HS256]", "never with a key that everybody may know"),
        ("jwks_url: \"https://a\", algorithms: [none]", "`none` is no algorithm"),
        ("jwks_url: \"https://a\", algorithms: []", "is an empty list"),
        ("jwks_url: \"https://a\", leeway: 2m", "and 1m"),
        ("jwks_url: \"https://a\", types: []", "is an empty list"),
        ("jwks_url: \"https://a\", header: X-Key", "must differ"),
        ("jwks_url: \"https://a\", header: X-Forwarded-Token", "only proxies are believed"),
        ("jwks_url: \"https://a\", header: TE", "choose another header"),
        ("jwks_url: \"https://a\", headers: {X_User: sub}", "letters, digits and hyphens"),
        ("jwks_url: \"https://a\", headers: {Host: sub}", "a meaning of its own"),
        ("jwks_url: \"https://a\", headers: {X-Weir-Tenant: sub}", "a meaning of its own"),
        ("jwks_url: \"https://a\", headers: {X-Forwarded-User: sub}", "a meaning of its own"),
        ("jwks_url: \"https://a\", headers: {Authorization: sub}", "a meaning of its own"),
        ("jwks_url: \"https://a\", headers: {X-A: sub, x-a: aud}", "listed twice"),
        ("jwks_url: \"https://a\", headers: [X-A]", "should be a mapping"),
        ("jwks_url: \"https://a\", headers: {X-A: [sub]}", "should be a claim's name"),
        ("jwks_url: \"https://a\", forward: maybe", "true or false"),
        ("jwks_url: \"https://a\", key: 1", "is not a key of"),
    ])
    func whatIsWrongWithAnIssuer(keys: String, fragment: String) {
        let separator = keys.isEmpty ? "" : ", "
        let yaml =
            "identity:\n  api_keys: {header: X-Key, keys: [{tenant: a, sha256: \"\(FaultTests.someHash)\"}]}\n  jwt: {issuer: a, audience: b\(separator)\(keys)}\n"
            + leastServices
        let found = faults(of: yaml)
        #expect(found.count == 1 && found[0].line == 3 && found[0].message.contains(fragment), "\(found)")
    }

    @Test(arguments: [
        ("jwt: []", "is an empty list"), ("jwt: {audience: a, secret: \(secret)}", "has no `issuer`"),
        ("jwt: {issuer: a, secret: \(secret)}", "has no `audience`"),
        (
            "jwt: [{issuer: a, audience: b, secret: \(secret)}, {issuer: a, audience: c, secret: \(secret)}]",
            "there already"
        ),
        (
            "jwt: [{issuer: a, audience: b, secret: \(secret), header: X-A}, {issuer: c, audience: b, secret: \(secret), headers: {X-A: sub}}]",
            "a meaning of its own"
        ),
        ("jwt: [{issuer: a, audience: b, secret: \(secret), secret_file: x}]", "several sources of keys"),
    ])
    func whatIsWrongWithAListOfIssuers(identity: String, fragment: String) {
        let found = faults(of: "identity:\n  \(identity)\n" + leastServices)
        #expect(found.count == 1 && found[0].line == 2 && found[0].message.contains(fragment), "\(found)")
    }

    @Test(arguments: [
        "Proxy-Authorization", "TE", "Content-Length", "Host", "x_api_key", "X_Forwarded_For", "Forwarded",
        "X-Weir-Tenant", "X-Real-IP",
    ])
    func keysAreLookedForWhereTheyAreFound(header: String) {
        let found = faults(
            of: "identity:\n  api_keys: {header: \(header), keys: [{tenant: a, sha256: \"\(FaultTests.someHash)\"}]}\n"
                + leastServices)
        #expect(found.count == 1 && found[0].line == 2, "\(found)")
        #expect(found.first?.message.contains("choose another header") == true, "\(found)")
    }

    @Test(arguments: [
        "set: {x-user_id: a}", "add: {X-User-Id: a}", "remove: [X-USER-ID]", "rename: {A: X-User-Id}",
        "rename: {X-User-Id: A}",
    ])
    func whatATokenClaimsIsWrittenOfTokensAlone(change: String) {
        let found = faults(
            of: issuer("secret: \(Self.secret)", ", headers: {X-User-Id: sub}")
                + "    request: {headers: {\(change)}}\n")
        #expect(found.count == 1 && found[0].message.contains("says what a token claims"), "\(found)")
    }

    @Test func loopbackNeedsNoTLS() throws {
        for url in ["http://127.0.0.1:8000/k", "http://localhost/k", "http://[::1]:1/k"] {
            #expect(try settings(issuer("jwks_url: \"\(url)\"")).count == 1)
        }
    }

    @Test func aKeyMayHaveAnEndANameAndScopes() throws {
        let yaml =
            "identity: {api_keys: {keys: [{tenant: a, sha256: \"\(FaultTests.someHash)\", name: ci, expires_at: 2027-01-31T12:00:00+01:00, scopes: [orders:read]}]}}\n"
            + leastServices
        let key = try #require(try Configuration.parse(yaml, file: "weir.yaml").identity.apiKeys?.keys.values.first)
        #expect(key.name == "ci")
        #expect(key.expiresAt == 1_801_393_200)
        #expect(key.scopes == ["orders:read"])
    }

    @Test(arguments: [
        ("expires_at: tomorrow", "is not a time"), ("name: \"\"", "1 to 64 printable"),
        ("scopes: read", "should be a list"),
        ("scopes: [\"a b\"]", "is not a scope"), ("scopes: [[a]]", "is not a scope"),
    ])
    func whatIsWrongWithAKey(more: String, fragment: String) {
        let found = faults(
            of: "identity:\n  api_keys:\n    keys:\n      - {tenant: a, sha256: \"\(FaultTests.someHash)\", \(more)}\n"
                + leastServices)
        #expect(found.count == 1 && found[0].line == 4 && found[0].message.contains(fragment), "\(found)")
    }
}
