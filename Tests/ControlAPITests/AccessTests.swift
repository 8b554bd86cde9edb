import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import ControlAPI

@Suite struct AccessTests {
    @Test func theTokenOpensEverythingAndProbesNeedNone() async throws {
        let fixture = try ControlFixture(token: "s3cret")
        fixture.readiness.phase = .ready
        try await fixture.run { client in
            for uri in ["/healthz", "/readyz"] { #expect(try await client.ask(.get, uri).status == 200) }
            for uri in ["/", "/metrics", "/openapi.json", "/v1/tenants/acme/budget", "/nothing"] {
                let refused = try await client.ask(.get, uri)
                #expect(refused.status == 401 && refused["code"] == "unauthorized")
                #expect(refused.headers[.wwwAuthenticate] == "Bearer realm=\"weir\"")
                let answer = try await client.ask(.get, uri, headers: [.authorization: "Bearer s3cret"])
                #expect(answer.status == (uri == "/nothing" ? 404 : 200))
            }
            #expect(try await client.check(#"{"tenant":"a","service":"payment"}"#).status == 401)
        }
    }

    @Test(arguments: ["Bearer s3cre", "Bearer s3cretx", "Bearer", "Bearer ", "Basic s3cret", "s3cret", "Bearer S3cret"])
    func aWrongTokenIsRefused(field: String) async throws {
        try await ControlFixture(token: "s3cret").run { client in
            let answer = try await client.ask(.get, "/metrics", headers: [.authorization: field])
            #expect(answer.status == 401)
        }
    }

    @Test func aPageOfAnotherOriginIsRefused() async throws {
        try await ControlFixture().run { client in
            let uri = "/v1/tenants/acme/reset"
            let refused = try await client.ask(.post, uri, headers: [.origin: "https://evil.example"])
            #expect(refused.status == 403)
            #expect(try await client.ask(.post, uri).status == 200)
        }
    }

    @Test(arguments: [
        ("localhost:8081", true), ("127.0.0.1:8081", true), ("[::1]:8081", true), ("localhost", true), ("::1", true),
        ("rebound.example:8081", false), ("rebound.example", false), ("localhost.example:80", false), ("", false),
    ])
    func withoutATokenOnlyLocalNamesAreAnswered(authority: String, isLocal: Bool) {
        #expect(Access<BasicRequestContext>.isLocal(authority) == isLocal)
    }

    @Test func tokensAreComparedInFull() {
        #expect(Access<BasicRequestContext>.areEqual(Array("abc".utf8), Array("abc".utf8)))
        #expect(!Access<BasicRequestContext>.areEqual(Array("abcabc".utf8), Array("abc".utf8)))
        #expect(!Access<BasicRequestContext>.areEqual([], Array("abc".utf8)))
    }
}
