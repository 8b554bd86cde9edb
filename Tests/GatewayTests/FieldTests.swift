import LimiterCore
import Testing
import WeirConfiguration

@testable import Gateway

struct FieldTests {
    private func forwarded(_ fields: [String], _ change: (inout Setup) -> Void = { _ in }) async throws -> Message {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        var setup = Setup(upstream)
        change(&setup)
        try await withGateway(setup) { gateway async throws in
            let lines = fields.map { $0 + "\r\n" }.joined()
            _ = try gateway.ask("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n")
        }
        return try #require(upstream.requests.first)
    }

    @Test func fieldsForThisHopAreRemoved() async throws {
        let request = try await forwarded([
            "Connection: keep-alive, X-Mine", "Keep-Alive: timeout=5", "X-Mine: 1", "Proxy-Connection: keep-alive",
            "TE: trailers", "Trailer: X", "Proxy-Authorization: Basic x", "X-Other: stays",
        ])
        for name in ["Connection", "Keep-Alive", "X-Mine", "Proxy-Connection", "TE", "Trailer", "Proxy-Authorization"] {
            #expect(request[name] == nil, "\(name)")
        }
        #expect(request["X-Other"] == "stays")
    }

    @Test func strangersCannotForgeWhatUpstreamsBelieve() async throws {
        let request = try await forwarded([
            "X-Weir-Tenant: root", "X_Weir_Tenant: root", "x-weir_tenant: root", "X-Forwarded-For: 9.9.9.9",
            "X_Forwarded_For: 9.9.9.9", "Forwarded: for=9.9.9.9", "X-Real-IP: 9.9.9.9", "X-Forwarded-Proto: https",
            "X-Forwarded-Host: evil", "X-Forwarded-User: root", "X_Forwarded_User: root", "X-Request-Id: mine",
            "X-Forwarded-Port: 1", "X-Forwarded-Prefix: /x",
        ])
        #expect(request.all("X-Forwarded-For") == ["127.0.0.1"])
        #expect(request.all("X-Forwarded-Proto") == ["http"])
        #expect(request.all("X-Forwarded-Host") == ["a"])
        #expect(request.all("X-Request-Id") != ["mine"])
        #expect(request.all("X-Request-Id").count == 1)
        for name in [
            "X-Weir-Tenant", "X_Weir_Tenant", "x-weir_tenant", "X_Forwarded_For", "Forwarded", "X-Real-IP",
            "X-Forwarded-User", "X_Forwarded_User", "X-Forwarded-Port", "X-Forwarded-Prefix",
        ] {
            #expect(request[name] == nil, "\(name)")
        }
    }

    @Test func trustedProxiesAreBelieved() async throws {
        let request = try await forwarded([
            "X-Forwarded-For: 203.0.113.7, 10.0.0.9", "X-Forwarded-Proto: https", "X-Forwarded-Host: shop.test",
            "X-Request-Id: given-1", "X-Weir-Tenant: root",
        ]) { $0.gateway.trustedProxies = [AddressBlock(parsing: "127.0.0.1")!, AddressBlock(parsing: "10.0.0.0/8")!] }
        #expect(request.all("X-Forwarded-For") == ["203.0.113.7, 10.0.0.9, 127.0.0.1"])
        #expect(request.all("X-Forwarded-Proto") == ["https"])
        #expect(request.all("X-Forwarded-Host") == ["shop.test"])
        #expect(request.all("X-Request-Id") == ["given-1"])
        #expect(request["X-Weir-Tenant"] == nil)
    }

    /// The field is written anew, and yet told as it came.
    @Test func whatATrustedProxySaysCanBePassedOnUnderAnotherName() async throws {
        let route = "- {path: /, request: {headers: {set: {X-Chain: \"<${header:X-Forwarded-For}>\"}}}}"
        for (trusted, chain) in [("127.0.0.0/8", "<203.0.113.7>"), ("192.0.2.1", "<>")] {
            try await withRoutes(route, file: "gateway: {trusted_proxies: [\(trusted)]}\n") {
                gateway, upstream async throws in
                #expect(try gateway.get("/", "X-Forwarded-For: 203.0.113.7").status == 200)
                #expect(upstream.requests.last?.all("X-Chain") == [chain])
            }
        }
    }

    @Test func limitsPerClientCountTheClientBehindTheProxies() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        var setup = Setup(upstream)
        setup.gateway.trustedProxies = [AddressBlock(parsing: "127.0.0.0/8")!]
        setup.limits = [try declared("ip", per: [.clientIP], "1/minute")]
        try await withGateway(setup) { gateway async throws in
            #expect(try gateway.get("/", "X-Forwarded-For: 198.51.100.1").status == 200)
            #expect(try gateway.get("/", "X-Forwarded-For: 198.51.100.2").status == 200)
            #expect(try gateway.get("/", "X-Forwarded-For: 6.6.6.6, 198.51.100.1").status == 429)
            #expect(try gateway.get("/", "X-Forwarded-For: 198.51.100.3", "X-Forwarded-For: 127.0.0.9").status == 200)
            #expect(try gateway.get("/", "X-Forwarded-For: 198.51.100.3").status == 429)
        }
    }

    @Test(arguments: [
        ("203.0.113.7", "203.0.113.7", true), ("1.1.1.1, 203.0.113.7", "203.0.113.7", true),
        ("203.0.113.7 , 10.1.1.1", "203.0.113.7", true), ("203.0.113.7:4711", "203.0.113.7", true),
        ("[2001:db8::1]:80, 10.0.0.1", "2001:db8::1", true), ("10.0.0.1, 10.0.0.2", "10.0.0.1", false),
        ("unknown, 10.0.0.3", "10.0.0.3", true), ("unknown", "10.9.9.9", true), ("", "10.9.9.9", false),
        ("203.0.113.7,", "10.9.9.9", true), ("256.1.1.1", "10.9.9.9", true), ("01.2.3.4", "10.9.9.9", true),
    ])
    func theClientIsTheRightmostAddressThatIsNoTrustedProxy(value: String, address: String, isSettled: Bool) {
        let found = Array(value.utf8).withUnsafeBytes {
            ForwardedFor.client(
                in: $0, behind: ClientAddress(parsing: "10.9.9.9")!, trusting: [AddressBlock(parsing: "10.0.0.0/8")!])
        }
        #expect(found.address.description == address)
        #expect(found.isSettled == isSettled)
    }

    @Test(arguments: [
        ("/a//b/../c/./%7Euser?q=%2F", "/a/c/~user?q=%2F"), ("/%61bc", "/abc"), ("/a/..", "/"), ("/", "/"),
    ])
    func theForwardedPathIsTheCanonicalOne(raw: String, forwarded: String) async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in #expect(try gateway.get(raw).status == 200) }
        #expect(upstream.requests.map(\.startLine) == ["GET \(forwarded) HTTP/1.1"])
    }

    @Test func dotSegmentsCannotReachAnotherRoute() async throws {
        let product = TestUpstream.greeting()
        let payment = TestUpstream.greeting()
        defer {
            product.stop()
            payment.stop()
        }
        let setup = Setup([
            (name: "product", path: "/product", upstreams: [product.port]),
            (name: "payment", path: "/payment", upstreams: [payment.port]),
        ])
        try await withGateway(setup) { gateway async throws in
            #expect(try gateway.get("/product/../payment/x").status == 200)
            #expect(try gateway.get("/product/%2e%2e/payment/y").status == 200)
            #expect(try gateway.get("/product/%2e%2e%2fpayment").status == 400)
            #expect(try gateway.get("/paymentx").status == 404)
        }
        #expect(product.requests.isEmpty)
        #expect(payment.requests.map(\.startLine) == ["GET /payment/x HTTP/1.1", "GET /payment/y HTTP/1.1"])
    }

    @Test func anAbsoluteTargetBecomesAPath() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            #expect(try gateway.ask("GET http://a/x?y HTTP/1.1\r\nHost: a\r\n\r\n").status == 200)
            #expect(try gateway.ask("GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n").status == 400)
        }
        #expect(upstream.requests.map(\.startLine) == ["GET /x?y HTTP/1.1"])
    }

    /// What upstreams must not be told, routes and templates must not believe either.
    @Test func whatStrangersForgeChoosesNoRouteAndNoAnswer() async throws {
        let names = [
            "X-Weir-Tenant", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-User", "X_Forwarded_User", "Forwarded",
            "X-Real-IP", "X-Account",
        ]
        let routes = names.indices.map {
            "- {path: /, name: r\($0), headers: {\(names[$0]): true}, respond: {status: 410}}\n"
        }.joined()
        let last = "- {path: /, respond: {headers: {X-Seen: \"<${header:X-Forwarded-Host}${header:X-Real-IP}>\"}}}"
        let proxies = "gateway: {trusted_proxies: [127.0.0.0/8]}\nidentity: {header: X-Account}\n"
        let strangers = "gateway: {trusted_proxies: [192.0.2.1]}\nidentity: {header: X-Account}\n"
        for name in names {
            try await withRoutes(routes + last, service: "authentication: none", file: strangers) {
                gateway, _ async throws in
                let answer = try gateway.get("/", "\(name): x")
                #expect(answer.status == 200, "\(name)")
                #expect(answer["X-Seen"] == "<>", "\(name)")
            }
        }
        try await withRoutes(routes + last, service: "authentication: none", file: proxies) {
            gateway, _ async throws in
            for name in names where name != "X-Weir-Tenant" {
                #expect(try gateway.get("/", "\(name): x").status == 410, "\(name)")
            }
            #expect(try gateway.get("/", "X-Weir-Tenant: x").status == 200)
        }
    }

    @Test func anotherWeirInFrontMayNameTheTenant() async throws {
        let file = "gateway: {trusted_proxies: [127.0.0.0/8]}\nidentity: {header: X-Weir-Tenant}\n"
        try await withRoutes("- {path: /}", file: file) { gateway, upstream async throws in
            #expect(try gateway.get("/", "X-Weir-Tenant: acme").status == 200)
            #expect(upstream.requests.map { $0.all("X-Weir-Tenant") } == [["acme"]])
        }
    }
}
