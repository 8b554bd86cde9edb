import Testing
import TestSupport
import WeirConfiguration

@testable import Gateway

/// The gateway before an upstream, configured by the lines of one service's routes, and maybe more of the service.
func withRoutes(
    _ routes: String, service: String = "", file: String = "", upstream: TestUpstream = .greeting(),
    _ body: (Fixture, TestUpstream) async throws -> Void
) async throws {
    defer { upstream.stop() }
    let lines = { (text: String, indent: String) in
        text.split(separator: "\n").map { indent + $0 + "\n" }.joined()
    }
    let yaml =
        file + "services:\n  - name: shop\n    upstreams: [http://127.0.0.1:\(upstream.port)]\n"
        + lines(service, "    ")
        + "    routes:\n" + lines(routes, "      ")
    try await withGateway(Setup(yaml: yaml)) { try await body($0, upstream) }
}

@Suite struct RoutingTests {
    @Test func aMethodThatNoRouteTakesIsAnsweredWithThoseThatWouldDo() async throws {
        try await withRoutes(
            """
            - {path: /a, methods: [GET, HEAD]}
            - {exact: /a/b, methods: [PUT, DELETE]}
            """
        ) { gateway, upstream async throws in
            func ask(_ method: String, _ path: String) throws -> Message {
                try gateway.ask("\(method) \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
            }
            #expect(try ask("GET", "/a/b").status == 200)
            let refused = try ask("POST", "/a/b")
            #expect(refused.status == 405)
            #expect(refused.all("Allow") == ["GET, HEAD, PUT, DELETE"])
            #expect(refused["Content-Type"] == "application/problem+json")
            #expect(try ask("POST", "/a/c")["Allow"] == "GET, HEAD")
            #expect(try ask("POST", "/b").status == 404)
            #expect(try ask("DELETE", "/.well-known/rate-limit")["Allow"] == "GET, HEAD")
            #expect(upstream.requests.count == 1)
        }
    }

    @Test func routesChooseByFieldsAndQuery() async throws {
        try await withRoutes(
            """
            - {path: /a, name: two, headers: {X-Version: "2"}, rewrite: /two}
            - {path: /a, name: beta, query: {beta: true}, rewrite: /beta}
            - {path: /a, rewrite: /plain}
            """
        ) { gateway, upstream async throws in
            #expect(try gateway.get("/a", "X-Version: 2").status == 200)
            #expect(try gateway.get("/a?beta").status == 200)
            #expect(try gateway.get("/a?gamma", "X-Version: 1").status == 200)
            #expect(
                upstream.requests.map(\.startLine) == [
                    "GET /two HTTP/1.1", "GET /beta?beta HTTP/1.1", "GET /plain?gamma HTTP/1.1",
                ])
        }
    }

    /// However a path is written, it takes the route of its canonical form, or none.
    @Test(arguments: [
        ("/open/../admin", "/admin"), ("/open/%2e%2e/admin", "/admin"), ("/open/./x", "/open/x"),
        ("//admin", "/admin"), ("/open//../admin", "/admin"), ("/%61dmin", "/admin"), ("/admin/", "/prefix/admin/"),
        ("/open/7/secret/..", "/open/7/"), ("/open/%2e/7/secret", "/pattern/7"), ("/open/7//secret", "/pattern/7"),
        ("/open/a%3Bb/secret", "/pattern/a%3Bb"), ("http://a/admin", "/admin"), ("http://a/open/../admin", "/admin"),
        ("/open/%25/secret", "/pattern/%25"), ("/open/..%20/secret", "/pattern/..%20"),
        ("/admin%2f", nil), ("/open/%2e%2e%2fadmin", nil), ("/open/..%5cadmin", nil), ("/open/..;/admin", nil),
        ("/open;x/7/secret", nil), ("/open/%252e%252e/admin", nil), ("/open/%25252fadmin", nil), ("/admin%00", nil),
        ("/open/%c0%ae%c0%ae/admin", nil), ("http://b/admin", nil),
    ])
    func noTrickReachesARouteOtherThanThatOfTheCanonicalPath(target: String, forwarded: String?) async throws {
        try await withRoutes(
            """
            - {exact: /admin}
            - {path: /admin, name: below, add_prefix: /prefix}
            - {pattern: "/open/{id}/secret", rewrite: "/pattern/${param:id}"}
            - {path: /open}
            """
        ) { gateway, upstream async throws in
            let answer = try gateway.ask("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(answer.status == (forwarded == nil ? 400 : 200))
            #expect(upstream.requests.map(\.startLine) == (forwarded.map { ["GET \($0) HTTP/1.1"] } ?? []))
        }
    }

    @Test func eachKindOfRouteHasLimitsOfItsOwn() async throws {
        try await withRoutes(
            """
            - exact: /a
              limits: [{name: exact, per: everyone, rate: 1/minute}]
            - pattern: "/a/{id}"
              limits: [{name: pattern, per: route, rate: 1/minute}]
            - path: /a
              name: prefix
              limits: [{name: prefix, per: [route, method], rate: 1/minute}]
            """
        ) { gateway, _ async throws in
            for path in ["/a", "/a/1", "/a/1/2"] {
                #expect(try gateway.get(path).status == 200)
                #expect(try gateway.get(path).status == 429)
            }
            #expect(try gateway.get("/a/2").status == 429, "the parameter is no part of the counter")
        }
    }

    @Test func hostsWithWildcardsChooseServices() async throws {
        let upstream = TestUpstream.greeting()
        try await withRoutes(
            """
            - {path: /, name: any, rewrite: /any}
            - {path: /, name: wild, host: "*.example.com", rewrite: "/wild/${host}"}
            - {path: /, name: one, host: api.example.com, rewrite: /one}
            """, upstream: upstream
        ) { gateway, _ async throws in
            for host in ["api.example.com", "API.Example.com:80", "x.example.com", "Y.X.example.com:81", "example.com"]
            {
                #expect(try gateway.ask("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n").status == 200)
            }
            #expect(
                upstream.requests.map { $0.startLine.split(separator: " ")[1] } == [
                    "/one", "/one", "/wild/x.example.com", "/wild/y.x.example.com", "/any",
                ])
        }
    }
}
