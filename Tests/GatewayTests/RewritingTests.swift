import HTTPWire
import NIOCore
import Testing
import TestSupport
import WeirConfiguration

@testable import Gateway

@Suite struct RewritingTests {
    @Test(arguments: [
        ("{path: /shop, strip_prefix: true}", "/shop/cart?x=1", "/cart?x=1", "/shop"),
        ("{path: /shop, strip_prefix: true}", "/shop", "/", "/shop"),
        ("{path: /shop, strip_prefix: true}", "/shop/", "/", "/shop"),
        ("{path: /, strip_prefix: true}", "/shop", "/shop", nil),
        ("{path: /shop, add_prefix: /v2}", "/shop/cart", "/v2/shop/cart", nil),
        ("{path: /shop, strip_prefix: true, add_prefix: /v2}", "/shop/cart", "/v2/cart", "/shop"),
        ("{path: /shop, strip_prefix: true, add_prefix: /v2}", "/shop", "/v2", "/shop"),
        ("{path: /shop, strip_prefix: true, add_prefix: /v2}", "/shop/", "/v2/", "/shop"),
        ("{path: /, add_prefix: /v2}", "/", "/v2/", nil),
        (
            "{pattern: \"/u/{id}/{rest...}\", rewrite: \"/in/${param:rest}/of/${param:id}\"}", "/u/a%20b/x/y?q",
            "/in/x/y/of/a%20b?q", nil
        ),
        ("{exact: /h, rewrite: \"/in/${method}-${service}-${route}.txt\", name: r}", "/h", "/in/GET-shop-r.txt", nil),
        ("{path: /h, rewrite: \"/in${path}\"}", "/h/./x", "/in/h/x", nil),
        ("{path: /h, rewrite: \"/in/${header:X-Name}\"}", "/h", "/in/caf%C3%A9%20%3Fa%3D1%26b%23", nil),
        ("{path: /h, rewrite: \"/$$/${query}\"}", "/h?a=1&b", "/$/a%3D1%26b?a=1&b", nil),
    ])
    func theForwardedPathIsTheRewrittenOne(
        route: String, target: String, forwarded: String, prefix: String?
    ) async throws {
        try await withRoutes("- \(route)") { gateway, upstream async throws in
            let answer = try gateway.get(target, "X-Name: café ?a=1&b#")
            #expect(answer.status == 200)
            #expect(upstream.requests.map(\.startLine) == ["GET \(forwarded) HTTP/1.1"])
            #expect(upstream.requests.first?.all("X-Forwarded-Prefix") == (prefix.map { [$0] } ?? []))
        }
    }

    /// A value that no segment can hold does not become another one: the request goes nowhere.
    @Test(arguments: ["", "..", ".", "a/b", "a\\b", "%2e", "%2F", "..%2f"])
    func aValueThatWouldMakeAnotherPathIsRefused(value: String) async throws {
        try await withRoutes("- {path: /, rewrite: \"/in/${header:X-Name}/x\"}") { gateway, upstream async throws in
            #expect(try gateway.get("/", "X-Name: \(value)").status == 400)
            #expect(upstream.requests.isEmpty)
        }
    }

    @Test func aTrustedProxysPrefixComesBeforeTheStrippedOne() async throws {
        try await withRoutes(
            "- {path: /shop, strip_prefix: true}", file: "gateway: {trusted_proxies: [127.0.0.0/8]}\n"
        ) { gateway, upstream async throws in
            #expect(try gateway.get("/shop/x", "X-Forwarded-Prefix: /outer").status == 200)
            #expect(upstream.requests[0].all("X-Forwarded-Prefix") == ["/outer/shop"])
        }
    }

    @Test func aServersAsteriskIsNotRewritten() async throws {
        try await withRoutes("- {path: /, add_prefix: /v2}") { gateway, upstream async throws in
            #expect(try gateway.ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").status == 200)
            #expect(upstream.requests.map(\.startLine) == ["OPTIONS * HTTP/1.1"])
        }
    }

    /// A head is written again when a connection turns out to be stale.
    @Test func aRequestThatIsSentAgainIsChangedOnce() async throws {
        let upstream = TestUpstream { upstream, wire, index in
            let reader = MessageReader(wire)
            while let request = try reader.next(isResponse: false) {
                upstream.note(request)
                // The first connection is closed as its second request comes.
                if index == 0, upstream.requests.count == 2 { return }
                try wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            }
        }
        try await withRoutes(
            """
            - path: /shop
              strip_prefix: true
              request:
                headers: {rename: {X-Old: X-New}, remove: [X-Gone], set: {X-Copy: "${header:X-Old}"}}
                query: {rename: {a: b}, add: {c: "${header:X-Gone}"}}
                host: upstream
            """, upstream: upstream
        ) { gateway, _ async throws in
            let client = try gateway.connect()
            for _ in 0..<2 {
                try client.wire.send("GET /shop/x?a=1 HTTP/1.1\r\nHost: a\r\nX-Old: 1\r\nX-Gone: g\r\n\r\n")
                #expect(try client.next()?.status == 200)
            }
            #expect(upstream.requests.count == 3)
            for request in upstream.requests {
                #expect(request.startLine == "GET /x?b=1&c=g HTTP/1.1")
                #expect(request.all("X-New") == ["1"])
                #expect(request.all("X-Copy") == ["1"])
                #expect(request.all("Host") == ["127.0.0.1:\(upstream.port)"])
                #expect(request["X-Old"] == nil && request["X-Gone"] == nil)
            }
        }
    }

    /// Paths of all kinds of parts, some of which are refused: what is forwarded is canonical.
    @Test func whatIsForwardedIsCanonicalWhateverTheValues() async throws {
        var random = SeededGenerator()
        let parts = [
            "/", "/", "/", "a", "b.c", "..", ".", "%2e", "%20", "%25", "2e", "%25%32e", "%C3%A9", "+", "=", "&", "%3B",
            "%3F",
            "x", "-", "~", "%2F", ";",
        ]
        try await withRoutes(
            """
            - {pattern: "/p/{one}/{two}", rewrite: "/n/${param:two}${param:one}/${header:X}x${header:X}"}
            - {pattern: "/q/{one}/{rest...}", rewrite: "/n.${param:one}/${param:rest}"}
            - {path: /s, strip_prefix: true}
            - {path: /t, strip_prefix: true, add_prefix: /v}
            - {path: /u, rewrite: "/n${path}/${query}"}
            - {path: /, add_prefix: /w}
            """
        ) { gateway, upstream async throws in
            var client = try gateway.connect()
            var forwarded = 0
            for _ in 0..<1500 {
                let path =
                    ["/p/", "/q/", "/s", "/t", "/u", ""].randomElement(using: &random)! + "/"
                    + (0..<Int.random(in: 0...6, using: &random)).map { _ in parts.randomElement(using: &random)! }
                    .joined()
                let value = (0..<Int.random(in: 0...3, using: &random)).map { _ in parts.randomElement(using: &random)!
                }
                try client.wire.send(
                    "GET \(path)?\(value.joined()) HTTP/1.1\r\nHost: a\r\nX: \(value.joined())\r\n\r\n")
                let answer = try #require(try client.next())
                #expect([200, 400].contains(answer.status), "\(path)")
                if answer.status == 200 { forwarded += 1 }
                if answer["Connection"] == "close" { client = try gateway.connect() }
            }
            let requests = upstream.requests
            #expect(requests.count == forwarded && forwarded > 200)
            for request in requests {
                let path = request.startLine.split(separator: " ")[1].prefix { $0 != "?" }
                #expect(try CanonicalPath.of(Array(path.utf8)) == Array(path.utf8), "\(path)")
            }
        }
    }

    // MARK: Redirects

    @Test(arguments: [
        ("{to: \"https://new.example.com${path}\"}", "/old/x?q=1", "https://new.example.com/old/x?q=1"),
        ("{to: \"https://new.example.com${path}\"}", "/old//y/../%7Ez", "https://new.example.com/old/~z"),
        ("{to: \"https://new.example.com/?from=${path}\"}", "/old/x?q", "https://new.example.com/?from=%2Fold%2Fx"),
        ("{to: \"/new?${query}&x=${method}\"}", "/old?a=%20b", "/new?a=%20b&x=GET"),
        ("{to: \"/new/${header:X-Name}\"}", "/old", "/new/%2F%2Fevil.example%2F"),
        ("{to: \"https://${host}:8443${path}\"}", "/old", "https://weir.test:8443/old"),
        ("{scheme: https}", "/old?x", "https://weir.test/old?x"),
        ("{host: \"new.example.com:8443\"}", "/old", "https://new.example.com:8443/old"),
        ("{prefix: /new}", "/old/x?y", "/new/x?y"), ("{prefix: /new}", "/old", "/new"), ("{prefix: /}", "/old", "/"),
        ("{prefix: /}", "/old/x", "/x"), ("{scheme: http, host: n, prefix: /new}", "/old/x", "http://n/new/x"),
    ])
    func aRedirectSaysWhere(redirect: String, target: String, location: String) async throws {
        try await withRoutes("- {path: /old, redirect: \(redirect)}") { gateway, upstream async throws in
            let answer = try gateway.get(target, "X-Name: //evil.example/")
            #expect(answer.status == 308)
            #expect(answer.all("Location") == [location])
            #expect(answer.all("Content-Length") == ["0"])
            #expect(answer["X-Request-Id"] != nil && answer["Date"] != nil)
            #expect(upstream.requests.isEmpty)
        }
    }

    @Test(arguments: [
        "//evil.example", "/%2f/evil.example", "/\\evil.example", "///evil.example/..", "/.//evil.example",
        "http://evil.example//x",
    ])
    func noRedirectLeadsElsewhere(target: String) async throws {
        try await withRoutes("- {path: /, redirect: {to: \"${path}\", status: 302}}") { gateway, _ async throws in
            let answer = try gateway.get(target)
            guard answer.status != 400 else { return }
            #expect(answer.status == 302)
            let location = try #require(answer["Location"])
            #expect(location.hasPrefix("/") && !location.hasPrefix("//") && !location.hasPrefix("/\\"), "\(location)")
        }
    }

    @Test func anAsteriskIsRedirectedToTheRoot() async throws {
        try await withRoutes("- {path: /, redirect: {to: \"https://n.example${path}\"}}") { gateway, _ async throws in
            let answer = try gateway.ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(answer["Location"] == "https://n.example/")
        }
    }

    // MARK: Fixed responses

    @Test func aFixedResponseIsSaidAsItIsConfigured() async throws {
        try await withRoutes(
            """
            - path: /down
              respond: {status: 503, body: '{"down":true}', content_type: application/json, headers: {Retry-After: 60, X-Who: "${tenant}-${client_ip}"}}
            - {exact: /empty, respond: {status: 204}}
            - {exact: /text, respond: {body: hello}}
            """
        ) { gateway, upstream async throws in
            let down = try gateway.get("/down/x")
            #expect(down.startLine == "HTTP/1.1 503 Service Unavailable")
            #expect(down.text == #"{"down":true}"#)
            #expect(down["Content-Type"] == "application/json")
            #expect(down["Retry-After"] == "60")
            #expect(down["X-Who"] == "-127.0.0.1")
            let empty = try gateway.get("/empty")
            #expect(empty.status == 204 && empty["Content-Length"] == nil && empty["X-Request-Id"] != nil)
            #expect(try gateway.get("/text")["Content-Type"] == "text/plain; charset=utf-8")
            let head = try gateway.ask("HEAD /text HTTP/1.1\r\nHost: a\r\n\r\n", withoutBody: true)
            #expect(head.status == 200 && head["Content-Length"] == "5")
            #expect(upstream.requests.isEmpty)
        }
    }

    @Test func theConnectionOfAnAnswerThatHasNoBodyGoesOn() async throws {
        try await withRoutes(
            """
            - {exact: /empty, respond: {status: 204}}
            - {exact: /text, respond: {body: hello}}
            """
        ) { gateway, _ async throws in
            let client = try gateway.connect()
            try client.wire.send(
                "HEAD /text HTTP/1.1\r\nHost: a\r\n\r\nPOST /text HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /empty HTTP/1.1\r\nHost: a\r\n\r\nGET /text HTTP/1.1\r\nHost: a\r\n\r\n"
            )
            #expect(try client.next(withoutBody: true)?.status == 200)
            #expect(try client.next()?.text == "hello")
            #expect(try client.next()?.status == 204)
            #expect(try client.next()?.text == "hello")
        }
    }

    @Test func whoMayNotOrHasSpentTooMuchGetsNoFixedAnswer() async throws {
        let hash = "0ee3d7e3ae154954f584999ee8a2898c17694d98ad7cf282281363b71fcec8ae"
        let file = """
            identity: {api_keys: {header: X-API-Key, keys: [{tenant: acme, sha256: \(hash)}]}}
            limits: [{name: global, per: tenant, rate: 2/minute}]

            """
        try await withRoutes(
            """
            - {exact: /text, respond: {body: hello}}
            - {exact: /old, redirect: {to: /new}}
            """, file: file
        ) { gateway, _ async throws in
            #expect(try gateway.get("/text").status == 401)
            let text = try gateway.get("/text", "X-API-Key: demo-acme")
            #expect(text.status == 200)
            #expect(text["RateLimit"]?.contains("r=1") == true)
            #expect(try gateway.get("/old", "X-API-Key: demo-acme")["RateLimit"]?.contains("r=0") == true)
            let denied = try gateway.get("/old", "X-API-Key: demo-acme")
            #expect(denied.status == 429 && denied["Location"] == nil)
        }
    }

    @Test func aServersAsteriskGetsNoQuery() async throws {
        try await withRoutes("- {path: /, request: {query: {set: {a: b}}}}") { gateway, upstream async throws in
            #expect(try gateway.ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").status == 200)
            #expect(try gateway.get("/").status == 200)
            #expect(upstream.requests.map(\.startLine) == ["OPTIONS * HTTP/1.1", "GET /?a=b HTTP/1.1"])
        }
    }

    @Test func aRedirectToTheRequestsHostNeedsOne() async throws {
        try await withRoutes(
            """
            - {path: /, redirect: {scheme: https}}
            - {path: /fixed, redirect: {to: "https://n.example${path}"}}
            """
        ) { gateway, _ async throws in
            try expectProblem(gateway.ask("GET /x HTTP/1.0\r\n\r\n"), 400)
            let answer = try gateway.ask("GET /x HTTP/1.0\r\nHost: a.example:8080\r\n\r\n")
            #expect(answer.status == 308 && answer["Location"] == "https://a.example/x")
            #expect(try gateway.ask("GET /fixed HTTP/1.0\r\n\r\n")["Location"] == "https://n.example/fixed")
        }
    }
}
