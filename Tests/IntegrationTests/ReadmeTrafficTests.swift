import Foundation
import NIOHTTP1
import TestSupport
import Testing

/// What the README says of the ways that requests take.
@Suite(.serialized) struct ReadmeTrafficTests {
    @Test func routing() async throws {
        let service = try await ScriptedUpstream.start("orders")
        let weir = try await Readme.serve("Routing", ["127.0.0.1:9001": service.address])
        let fields: HTTPHeaders = ["Host": "eu.example.com", "X-Version": "2", "X-Debug": "on"]
        func status(_ path: String, _ method: HTTPMethod = .GET, _ fields: HTTPHeaders = [:]) async throws -> Int {
            try await HTTP.ask(weir.gateway, path, method, fields).status
        }
        #expect(try await status("/orders/7") == 200)
        #expect(try await status("/orders/health") == 200)
        #expect(try await status("/users/7/orders?beta=1", .GET, fields) == 200)
        for route in ["/orders", "/orders/health", "user-orders"] {
            let series = "weir_route_requests_total{service=\"orders\",route=\"\(route)\""
            #expect(try await weir.metric(series) == 1, "\(route)")
        }
        #expect(try await status("/ordersx") == 404)
        #expect(try await status("/users/7/orders?beta=2", .GET, fields) == 404)
        #expect(try await status("/users/7/orders?beta=1") == 404)
        #expect(try await status("/users/7/orders?beta=1", .GET, fields.with("X-Old", "1")) == 404)
        let refused = try await HTTP.ask(weir.gateway, "/users/7/orders?beta=1", .DELETE, fields)
        #expect(refused.status == 405 && refused.fields.first(name: "Allow") == "GET, HEAD")
        #expect(service.requests.count == 3)
        weir.stop()
        try await service.stop()
    }

    @Test func transformation() async throws {
        let service = try await ScriptedUpstream.start { _ in .init(fields: ["Server": "secret/1.0"]) }
        let weir = try await Readme.serve("Transformation", ["127.0.0.1:9001": service.address])
        let answer = try await HTTP.ask(
            weir.gateway, "/shop/cart?debug=1&q=tea", .GET, ["X-Tenant": "acme", "X-Internal": "1", "X-Old": "value"])
        #expect(answer.status == 200 && !answer.fields.contains(name: "Server"))
        #expect(answer.fields.first(name: "Strict-Transport-Security") == "max-age=31536000")
        let request = try #require(service.requests.last)
        #expect(request.path == "/v2/cart?query=tea&tenant=acme")
        #expect(!request.fields.contains(name: "X-Internal") && !request.fields.contains(name: "X-Old"))
        #expect(request.fields.first(name: "X-New") == "value" && request.fields.first(name: "X-Tenant-Id") == "acme")
        #expect(request.fields.first(name: "X-Trace") == answer.fields.first(name: "X-Request-Id"))
        #expect(request.fields.first(name: "X-Forwarded-Prefix") == "/shop")
        #expect(request.fields.first(name: "Host") == service.address)

        func ask(_ path: String) async throws -> HTTP.Response {
            try await HTTP.ask(weir.gateway, path, .GET, ["X-Tenant": "acme"])
        }
        #expect(try await ask("/u/7/a/b").status == 200)
        #expect(service.requests.last?.path == "/internal/7/a/b?tenant=acme")
        let old = try await ask("/old/page?a=1")
        #expect(old.status == 308 && old.fields.first(name: "Location") == "https://new.example.com/old/page?a=1")
        let older = try await ask("/older/page?a=1")
        #expect(older.status == 308 && older.fields.first(name: "Location") == "https://new.example.com/new/page?a=1")
        let robots = try await ask("/robots.txt")
        #expect(robots.status == 200 && robots.body == "User-agent: *\n")
        #expect(robots.fields.first(name: "Cache-Control") == "max-age=3600")
        #expect(service.requests.count == 2)
        weir.stop()
        try await service.stop()
    }

    @Test func upstreams() async throws {
        let (first, second) = (try await ScriptedUpstream.start("first"), try await ScriptedUpstream.start("second"))
        let (search, payment) = (
            try await ScriptedUpstream.start("search"), try await Upstream.start(tellsWhere: true)
        )
        let dns = try DNSServer()
        defer { dns.stop() }
        dns.set("payment.default.svc", [.a("127.0.7.1")])
        dns.set(
            "_http._tcp.payment.service.consul", [.srv(port: UInt16(payment.port), target: "payment-1.node.consul")])
        dns.set("payment-1.node.consul", [.a("127.0.7.2")])
        let weir = try await Readme.serve(
            "Upstreams",
            [
                "127.0.0.1:9001": first.address, "127.0.0.1:9002": second.address,
                "http://payment.default.svc:8080": "http://payment.default.svc:\(payment.port)",
                "127.0.0.1:8600": "127.0.0.1:\(dns.port)",
            ], files: ["search.upstreams": "- http://\(search.address)\n"])
        func answers(_ path: String, _ requests: Int) async throws -> [String: Int] {
            var answers: [String: Int] = [:]
            for _ in 0..<requests { answers[try await HTTP.ask(weir.gateway, path).body, default: 0] += 1 }
            return answers
        }
        #expect(try await answers("/orders", 40) == ["first": 30, "second": 10])
        #expect(try await answers("/search", 1) == ["search": 1])
        try await eventually("both names are found") {
            try await Set(answers("/payment", 4).keys) == ["127.0.7.1:\(payment.port)", "127.0.7.2:\(payment.port)"]
        }
        first.answer { $0.path == "/healthz" ? .init(status: .internalServerError) : .init(body: "first") }
        try await eventually(within: .seconds(30), "checks find that one is not well") {
            try await weir.metric("weir_upstream_healthy{service=\"orders\"") == 1
        }
        #expect(try await answers("/orders", 10) == ["second": 10])
        weir.stop()
        for server in [first, second, search] { try await server.stop() }
        try await payment.stop()
    }

    @Test func circuitBreaking() async throws {
        let product = [try await ScriptedUpstream.start("product"), try await ScriptedUpstream.start("product")]
        let catalog = try await ScriptedUpstream.start("catalog")
        let weir = try await Readme.serve(
            "Circuit breaking",
            [
                "127.0.0.1:9001": product[0].address, "127.0.0.1:9002": product[1].address,
                "127.0.0.1:9003": catalog.address,
            ])
        let breaker = "weir_breaker_state{service=\"product\""
        #expect(try await HTTP.ask(weir.gateway, "/product/1").body == "product")
        // One that fails is not noticed.
        product[0].answer(.serviceUnavailable)
        for _ in 0..<4 { #expect(try await HTTP.ask(weir.gateway, "/product/2").body == "product") }

        product[1].answer(.serviceUnavailable)
        let stale = try await HTTP.ask(weir.gateway, "/product/1")
        #expect(stale.status == 200 && stale.body == "product" && stale.fields.contains(name: "Age"))
        #expect(stale.fields.first(name: "Cache-Status")?.hasPrefix("weir; fwd=stale") == true)
        try await eventually(within: .seconds(30), "the breaker opens") {
            let answer = try await HTTP.ask(weir.gateway, "/product/3")
            #expect(answer.status == 200 && answer.body == "catalog")
            return try await weir.metric(breaker) == 2
        }
        let asked = product.map(\.requests.count)
        #expect(try await HTTP.ask(weir.gateway, "/product/3").body == "catalog")
        #expect(product.map(\.requests.count) == asked)

        for upstream in product { upstream.answer(.ok, "well again") }
        try await eventually(within: .seconds(60), "the breaker closes") {
            let answer = try await HTTP.ask(weir.gateway, "/product/3")
            let state = try await weir.metric(breaker)
            return answer.body == "well again" && state == 0
        }
        weir.stop()
        for server in product + [catalog] { try await server.stop() }
    }

    @Test func migration() async throws {
        let (first, second) = (try await ScriptedUpstream.start("one"), try await ScriptedUpstream.start("two"))
        let weir = try await Readme.serve(
            "Migration",
            [
                "127.0.0.1:9001": first.address, "127.0.0.1:9002": second.address,
                "start: 2027-01-31T08:00:00Z": "start: \(Date().formatted(.iso8601))",
            ])
        let names = (0..<400).map { "tenant-\($0)" }
        func versions() async throws -> [String] {
            var versions: [String] = []
            for name in names {
                versions.append(try await HTTP.ask(weir.gateway, "/orders", .GET, ["X-Tenant": name]).body)
            }
            return versions
        }
        let before = try await versions()
        let moved = before.count { $0 == "two" }
        #expect((1...60).contains(moved) && before.count { $0 == "one" } == 400 - moved)
        #expect(try await versions() == before)

        let mirrored = 2 * (400 - moved) / 10
        struct Report: Decodable {
            struct Service: Decodable {
                struct Mirror: Decodable { let compared, same, unanswered, left_out: Int }
                struct Shift: Decodable { let share: Double }
                let mirror: Mirror?
                let shift: Shift?
            }
            let services: [Service]
        }
        try await eventually("what was mirrored is compared") {
            let body = try await HTTP.ask(weir.control, "/v1/migrations").body
            let report = try #require(try JSONDecoder().decode(Report.self, from: Data(body.utf8)).services.first)
            #expect(report.shift?.share == 0.05)
            return report.mirror.map { $0.compared >= mirrored - 1 && $0.same == $0.compared } == true
        }
        #expect(first.requests.count == 2 * (400 - moved))
        weir.stop()
        for server in [first, second] { try await server.stop() }
    }

    @Test func observability() async throws {
        let (service, collector) = (try await ScriptedUpstream.start("catalog"), try await Collector.start())
        let weir = try await Readme.serve(
            "Observability",
            ["127.0.0.1:9003": service.address, "127.0.0.1:4318": "127.0.0.1:\(collector.port)"])
        let trace = "0af7651916cd43dd8448eb211c80319c"
        let answer = try await HTTP.ask(
            weir.gateway, "/catalog/7", .GET, ["traceparent": "00-\(trace)-b7ad6b7169203331-01"])
        #expect(answer.status == 200)
        let parent = try #require(service.requests.last?.fields.first(name: "traceparent"))
        #expect(parent.hasPrefix("00-\(trace)-") && !parent.contains("b7ad6b7169203331"))
        try await eventually("the request is logged") { weir.log.contains(#""path":"/catalog/7""#) }
        let line = try #require(weir.log.split(separator: "\n").first { $0.contains(#""path":"/catalog/7""#) })
        let fields = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(
            Set(fields.keys) == ["time", "client_ip", "method", "path", "status", "route", "duration_ms", "trace_id"])
        #expect(fields["client_ip"] as? String == "127.0.0.0" && fields["trace_id"] as? String == trace)
        #expect(try await weir.metric("weir_route_requests_total{service=\"catalog\",route=\"/catalog\"") == 1)
        try await eventually(within: .seconds(20), "the spans arrive") {
            try collector.spans().count { $0["traceId"] as? String == trace } == 2
        }
        weir.stop()
        try await service.stop()
        try await collector.stop()
    }

    @Test func quotasThatLast() async throws {
        let service = try await ScriptedUpstream.start("catalog")
        let weir = try await Readme.serve("Quotas that last", ["127.0.0.1:9003": service.address])
        for _ in 0..<3 { #expect(try await HTTP.get(weir.gateway, "/catalog", tenant: "acme").status == 200) }
        let csv = try await HTTP.ask(weir.control, "/v1/tenants/acme/usage?format=csv").body
        let lines = csv.split(whereSeparator: \.isNewline)
        #expect(lines.first == "tenant,limit,service,route,period,from,to,used,of,current")
        #expect(lines.last?.hasPrefix("acme,monthly,,,") == true && lines.last?.hasSuffix(",3,1000000,true") == true)
        #expect(weir.terminate() == 0)
        #expect(weir.file("usage.log").contains("monthly"))
        weir.stop()
        try await service.stop()
    }
}

extension HTTPHeaders {
    fileprivate func with(_ name: String, _ value: String) -> HTTPHeaders {
        var fields = self
        fields.add(name: name, value: value)
        return fields
    }
}
