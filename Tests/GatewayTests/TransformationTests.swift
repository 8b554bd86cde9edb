import Testing
import TestSupport
import WeirConfiguration

@testable import Gateway

@Suite struct TransformationTests {
    private static let requestChanges = """
        - path: /
          request:
            headers:
              remove: [X-Internal, X-New]
              rename: {X-Old: X-New, X-Swap: X-Swapped, X-Swapped: X-Swap}
              set: {X-Tenant-Id: "t=${tenant}", User-Agent: weir}
              add: {X-Trace: "${request_id}", X-Path: "${path}?${query}"}
        """

    @Test func fieldsAreRemovedRenamedSetAndAddedInThisOrder() async throws {
        try await withRoutes(Self.requestChanges) { gateway, upstream async throws in
            let answer = try gateway.get(
                "/a/../b?c=d", "X-Internal: 1", "x_internal: 2", "X-New: forged", "X-Old: one", "x-old: two",
                "X-Swap: a",
                "X-Swapped: b", "X-Tenant-Id: forged", "X_Tenant_Id: forged", "User-Agent: curl", "X-Trace: mine",
                "X-Kept: k")
            #expect(answer.status == 200)
            let request = upstream.requests[0]
            #expect(request.all("X-Internal") == [] && request.all("x_internal") == [])
            #expect(request.all("X-Old") == [] && request.all("X-New") == ["one", "two"])
            #expect(request.all("X-Swap") == ["b"] && request.all("X-Swapped") == ["a"])
            #expect(request.all("X-Tenant-Id") == ["t="] && request.all("X_Tenant_Id") == [])
            #expect(request.all("User-Agent") == ["weir"])
            #expect(request.all("X-Trace") == ["mine", answer["X-Request-Id"]])
            #expect(request.all("X-Path") == ["/b?c=d"])
            #expect(request.all("X-Kept") == ["k"])
            #expect(request.all("Host") == ["weir.test"])
        }
    }

    @Test func theServicesChangesComeBeforeTheRoutes() async throws {
        try await withRoutes(
            """
            - path: /
              request:
                headers: {remove: [A], rename: {B: C, X-In: X-Out}, set: {D: route}, add: {E: route}}
                query: {rename: {s: t}}
              response: {headers: {remove: [F]}}
            """,
            service: """
                request:
                  headers: {set: {A: s, B: s, D: s}, add: {E: s}, rename: {X-First: X-In}}
                  query: {set: {s: "1"}}
                response: {headers: {set: {F: s, G: s}}}
                """
        ) { gateway, upstream async throws in
            let answer = try gateway.get("/?t=0", "A: c", "B: c", "C: c", "D: c", "E: c", "X-First: f")
            let request = upstream.requests[0]
            #expect(request.startLine == "GET /?t=0&t=1 HTTP/1.1")
            #expect(request.all("A") == [] && request.all("B") == [])
            #expect(request.all("C") == ["c", "s"] && request.all("D") == ["route"])
            #expect(request.all("E") == ["c", "s", "route"])
            #expect(request.all("X-Out") == ["f"] && request.all("X-In") == [] && request.all("X-First") == [])
            #expect(answer["F"] == nil && answer["G"] == "s")
        }
    }

    @Test(arguments: [
        ("/x?debug=1&q=2&z", "/x?query=2&z&tenant=a%20%26%3D%2B%C3%A9"),
        ("/x?d%65bug&q&%71=3", "/x?query&query=3&tenant=a%20%26%3D%2B%C3%A9"),
        ("/x?tenant=forged&tenant=forged&%74enant=forged", "/x?tenant=a%20%26%3D%2B%C3%A9"),
        ("/x", "/x?tenant=a%20%26%3D%2B%C3%A9"), ("/x?", "/x?tenant=a%20%26%3D%2B%C3%A9"),
        ("/x?&&a=1&&", "/x?a=1&tenant=a%20%26%3D%2B%C3%A9"),
        ("/x?debug=%zz&a=%zz", "/x?a=%zz&tenant=a%20%26%3D%2B%C3%A9"),
    ])
    func parametersOfTheQueryAreChangedByTheirDecodedNames(target: String, forwarded: String) async throws {
        try await withRoutes(
            """
            - path: /
              request:
                query: {remove: [debug], rename: {q: query}, set: {tenant: "a &=+é"}}
            """
        ) { gateway, upstream async throws in
            #expect(try gateway.get(target).status == 200)
            #expect(upstream.requests.map(\.startLine) == ["GET \(forwarded) HTTP/1.1"])
        }
    }

    @Test func aQueryOfWhichNothingIsLeftLosesItsMark() async throws {
        try await withRoutes("- {path: /, request: {query: {remove: [a]}}}") { gateway, upstream async throws in
            #expect(try gateway.get("/x?a=1&a").status == 200)
            #expect(upstream.requests.map(\.startLine) == ["GET /x HTTP/1.1"])
        }
    }

    @Test func valuesCannotBecomeOtherParametersOrEscapeTwice() async throws {
        try await withRoutes(
            """
            - pattern: "/u/{id}"
              request: {query: {set: {id: "${param:id}", h: "${header:X-Name}"}}}
            """
        ) { gateway, upstream async throws in
            #expect(try gateway.get("/u/a%20&admin=1%25", "X-Name: &x=1#%20").status == 200)
            #expect(
                upstream.requests.map(\.startLine) == [
                    "GET /u/a%20&admin=1%25?id=a%20%26admin%3D1%25&h=%26x%3D1%23%2520 HTTP/1.1"
                ])
        }
    }

    @Test(arguments: [("preserve", "weir.test"), ("api.internal:81", "api.internal:81"), ("upstream", nil)])
    func theUpstreamSeesTheHostThatIsConfigured(host: String, seen: String?) async throws {
        try await withRoutes("- path: /", service: "request: {host: \"\(host)\"}") { gateway, upstream async throws in
            #expect(try gateway.get("/").status == 200)
            #expect(try gateway.ask("GET / HTTP/1.0\r\n\r\n").status == 200)
            let expected = seen ?? "127.0.0.1:\(upstream.port)"
            #expect(upstream.requests[0].all("Host") == [expected])
            #expect(upstream.requests[0].all("X-Forwarded-Host") == ["weir.test"])
            let own = host == "preserve" ? "127.0.0.1:\(upstream.port)" : expected
            #expect(upstream.requests[1].all("Host") == [own], "HTTP/1.0 may leave it out")
        }
    }

    @Test func aRoutesHostReplacesTheServices() async throws {
        try await withRoutes(
            "- {path: /, request: {host: preserve}}", service: "request: {host: other}"
        ) { gateway, upstream async throws in
            #expect(try gateway.get("/").status == 200)
            #expect(upstream.requests[0].all("Host") == ["weir.test"])
        }
    }

    @Test func answersOfUpstreamsAreChangedAndWeirsOwnAreNot() async throws {
        let upstream = TestUpstream.answering { request in
            let fields = "Server: secret\r\nX-Old: 1\r\nX-Old: 2\r\nRateLimit: \"u\";r=1\r\nX-Request-Id: theirs\r\n"
            return "HTTP/1.1 200 OK\r\n\(fields)Content-Length: 2\r\n\r\nok"
        }
        try await withRoutes(
            """
            - path: /
              response:
                headers:
                  remove: [Server]
                  rename: {X-Old: X-New, RateLimit: X-Upstream-RateLimit}
                  set: {Strict-Transport-Security: "max-age=31536000", Server: weir}
                  add: {X-Method: "${method} ${service} ${header:X-Ask}"}
            """, file: "limits: [{name: all, per: everyone, rate: 1/minute}]\n", upstream: upstream
        ) { gateway, _ async throws in
            let answer = try gateway.get("/", "X-Ask: a")
            #expect(answer.status == 200 && answer.text == "ok")
            #expect(answer.all("Server") == ["weir"])
            #expect(answer.all("X-New") == ["1", "2"] && answer.all("X-Old") == [])
            #expect(answer.all("Strict-Transport-Security") == ["max-age=31536000"])
            #expect(answer.all("X-Method") == ["GET shop a"])
            #expect(answer.all("RateLimit").count == 1 && answer["RateLimit"]?.contains("\"all\"") == true)
            #expect(answer.all("X-Upstream-RateLimit") == ["\"u\";r=1"])
            #expect(answer.all("X-Request-Id").count == 1 && answer["X-Request-Id"] != "theirs")
            let denied = try gateway.get("/")
            #expect(denied.status == 429)
            #expect(denied["Strict-Transport-Security"] == nil && denied["Server"] == nil)
        }
    }

    @Test func whatATokenClaimsIsAVariableAndBreaksNoHead() async throws {
        let issuer = try TokenIssuer()
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        let service = """
                request:
                  headers: {set: {X-Team: "${claim:team}", X-None: "[${claim:none}]"}}
                  query: {set: {team: "${claim:team}"}}
            """
        try await withGateway(issuer.setup(upstream, service: service)) { gateway async throws in
            let field = try issuer.bearer("acme", #","team":"a&b\r\nX-Admin: 1""#)
            #expect(try gateway.get("/", field).status == 200)
            let request = upstream.requests[0]
            #expect(request.all("X-Team") == ["a&bX-Admin: 1"] && request["X-Admin"] == nil)
            #expect(request.all("X-None") == ["[]"])
            #expect(request.startLine == "GET /?team=a%26b%0D%0AX-Admin%3A%201 HTTP/1.1")
        }
    }

    @Test func longValuesAreCutAndTabsAreLeftOut() async throws {
        try await withRoutes("- {path: /, request: {headers: {set: {X-Copy: \"${header:X-Long}\"}}}}") {
            gateway, upstream async throws in
            #expect(try gateway.get("/", "X-Long: a\tb\(String(repeating: "x", count: 6000))").status == 200)
            #expect(upstream.requests[0]["X-Copy"] == "ab" + String(repeating: "x", count: 4093))
        }
    }
}
