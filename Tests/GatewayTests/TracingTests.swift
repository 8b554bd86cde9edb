import Telemetry
import TestSupport
import Testing

struct TracingTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let sampled = "00-\(trace)-00f067aa0ba902b7-01"

    private func setup(_ ports: [Int], _ tracing: String? = "sample: 100%", _ gateway: String = "{}") -> Setup {
        let upstreams = ports.map { "\"http://127.0.0.1:\($0)\"" }.joined(separator: ", ")
        return Setup(
            yaml: """
                gateway: \(gateway)
                \(tracing.map { "tracing: {otlp: \"http://127.0.0.1:1/v1/traces\", \($0)}" } ?? "")
                services:
                  - {name: shop, routes: [{path: /shop, name: orders}], upstreams: [\(upstreams)]}
                """)
    }

    private func queue() -> SpanQueue { SpanQueue(capacity: 1000, most: 100, metrics: SpanMetrics()) }

    /// What the upstream was sent, and all spans.
    private func ask(
        _ fields: [String], _ tracing: String? = "sample: 100%", _ gateway: String = "{}", path: String = "/shop"
    ) async throws -> (request: Message, spans: [WrittenSpan]) {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        let queue = queue()
        var setup = setup([upstream.port], tracing, gateway)
        setup.spans = queue
        try await withGateway(setup) { fixture async throws in
            let lines = fields.map { $0 + "\r\n" }.joined()
            #expect(try fixture.ask("GET \(path) HTTP/1.1\r\nHost: weir.test:8080\r\n\(lines)\r\n").status == 200)
        }
        return (try #require(upstream.requests.first), try WrittenSpan.all(in: queue))
    }

    @Test func withoutTracingATraceIsPassedThroughAsItIs() async throws {
        let fields = ["traceparent: \(Self.sampled)", "tracestate: a=1,B=whatever"]
        let (request, spans) = try await ask(fields, nil)
        #expect(request.all("traceparent") == [Self.sampled] && request["tracestate"] == "a=1,B=whatever")
        #expect(spans.isEmpty)
        let (plain, _) = try await ask([], nil)
        #expect(plain["traceparent"] == nil)
    }

    @Test func aTraceIsContinuedWithSpansOfTheExchangeAndItsAttempt() async throws {
        let (request, spans) = try await ask(
            ["traceparent: \(Self.sampled)", "tracestate: a=1,b=2", "tracestate: c=3", "User-Agent: curl/8"],
            path: "/shop/7?token=secret")
        let server = try #require(spans.first { $0.kind == 2 })
        let client = try #require(spans.first { $0.kind == 3 })
        #expect(spans.count == 2)
        #expect(request.all("traceparent") == ["00-\(Self.trace)-\(client.id)-01"])
        #expect(request.all("tracestate") == ["a=1,b=2", "c=3"])
        #expect(server.trace == Self.trace && client.trace == Self.trace)
        #expect(server.parent == "00f067aa0ba902b7" && client.parent == server.id)
        #expect(server.name == "GET orders" && client.name == "GET")
        #expect(!server.isError && !client.isError)
        #expect(server.state == "a=1,b=2")
        #expect(server.start <= client.start && client.end <= server.end && client.start <= client.end)
        #expect(server.start > 1_600_000_000_000_000_000)
        for (key, value) in [
            "http.request.method": "GET", "http.route": "orders", "http.response.status_code": "200",
            "url.path": "/shop/7", "url.scheme": "http", "server.address": "weir.test", "server.port": "8080",
            "client.address": "127.0.0.1", "user_agent.original": "curl/8", "weir.service": "shop",
        ] {
            #expect(server.attributes[key] == value, "\(key)")
        }
        #expect(client.attributes["server.address"] == "127.0.0.1")
        #expect(client.attributes["url.full"]?.hasSuffix("/shop/7") == true)
        #expect(client.attributes["http.response.status_code"] == "200")
        #expect(client.attributes["http.request.resend_count"] == nil)
        #expect(!spans.contains { $0.attributes.values.contains { $0.contains("secret") } })
    }

    @Test(arguments: [
        [], ["traceparent: 00-\(trace)-0000000000000000-01"], ["traceparent: \(sampled)", "traceparent: \(sampled)"],
        ["traceparent: \(sampled)-more"],
    ])
    func whatCannotBeContinuedBeginsAnew(fields: [String]) async throws {
        let (request, spans) = try await ask(fields + ["tracestate: a=1"])
        let server = try #require(spans.first { $0.kind == 2 })
        #expect(server.parent == nil && server.trace != Self.trace)
        let sent = request.all("traceparent")
        #expect(sent.count == 1 && sent[0].hasPrefix("00-\(server.trace)-") && sent[0].hasSuffix("-01"))
        #expect(request["tracestate"] == nil)
    }

    @Test(arguments: [
        (0...31).map { "k\($0)=v" }.joined(separator: ","), "k=v",
    ])
    func aStateIsPassedOn(state: String) async throws {
        let (request, _) = try await ask(["traceparent: \(Self.sampled)", "tracestate: \(state)"])
        #expect(request["tracestate"] == state)
    }

    @Test(arguments: [
        (0...32).map { "k\($0)=v" }.joined(separator: ","), "no member", "K=v",
    ])
    func aStateThatIsNoneIsNot(state: String) async throws {
        let (request, _) = try await ask(["traceparent: \(Self.sampled)", "tracestate: \(state)"])
        #expect(request["tracestate"] == nil && request["traceparent"]?.contains(Self.trace) == true)
    }

    @Test func theCallersDecisionToRecordIsKept() async throws {
        let (request, spans) = try await ask(["traceparent: 00-\(Self.trace)-00f067aa0ba902b7-00"])
        #expect(request["traceparent"]?.hasPrefix("00-\(Self.trace)-") == true)
        #expect(request["traceparent"]?.hasSuffix("-00") == true && spans.isEmpty)
        let (_, recorded) = try await ask(["traceparent: \(Self.sampled)"], "sample: 0%")
        #expect(recorded.count == 2)
        let (begun, none) = try await ask([], "sample: 0%")
        #expect(begun["traceparent"]?.hasSuffix("-00") == true && none.isEmpty)
    }

    @Test func strangersTracesCanBeBegunAnew() async throws {
        let field = "traceparent: \(Self.sampled)"
        let (stranger, _) = try await ask([field], "trust: proxies")
        #expect(stranger["traceparent"]?.contains(Self.trace) == false)
        let (proxy, _) = try await ask([field], "trust: proxies", "{trusted_proxies: [127.0.0.0/8]}")
        #expect(proxy["traceparent"]?.contains(Self.trace) == true)
    }

    @Test func anAttemptThatFailedHasASpanOfItsOwn() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        let queue = queue()
        var setup = setup([upstream.port, Failing.unreachablePort])
        setup.spans = queue
        try await withGateway(setup) { gateway async throws in
            // One of the first two comes to the upstream that is not there.
            for _ in 0..<2 { #expect(try gateway.get("/shop").status == 200) }
        }
        let spans = try WrittenSpan.all(in: queue)
        let failed = try #require(spans.first { $0.kind == 3 && $0.isError })
        #expect(failed.attributes["error.type"] == "connect_refused")
        let server = try #require(spans.first { $0.id == failed.parent })
        #expect(!server.isError)
        let attempts = spans.filter { $0.parent == server.id }
        #expect(attempts.count == 2 && Set(attempts.map(\.id)).count == 2)
        #expect(attempts.contains { $0.attributes["http.request.resend_count"] == "1" && !$0.isError })
        #expect(
            upstream.requests.contains { request in
                attempts.contains { !$0.isError && request["traceparent"]?.contains($0.id) == true }
            })
    }

    @Test func aRefusalSaysByWhatAndAFailureWhy() async throws {
        let upstream = TestUpstream.answering { _ in "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" }
        defer { upstream.stop() }
        let queue = queue()
        var setup = setup([upstream.port])
        setup.yaml! += "\nlimits: [{name: all, per: everyone, rate: 1/minute}]\n"
        setup.spans = queue
        try await withGateway(setup) { gateway async throws in
            #expect(try gateway.get("/shop").status == 503)
            #expect(try gateway.get("/shop").status == 429)
            #expect(try gateway.get("/nowhere").status == 404)
        }
        let servers = try WrittenSpan.all(in: queue).filter { $0.kind == 2 }
        #expect(servers.map(\.isError) == [true, false, false])
        #expect(servers[0].attributes["error.type"] == "upstream_status")
        #expect(servers[1].attributes["weir.limited_by"] == "all" && servers[1].attributes["weir.degraded"] == "0")
        #expect(servers[2].name == "GET" && servers[2].attributes["http.route"] == nil)
    }

    @Test func aFullQueueHoldsNobodyUp() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        let metrics = SpanMetrics()
        let queue = SpanQueue(capacity: 4, most: 4, metrics: metrics)
        var setup = setup([upstream.port])
        setup.spans = queue
        try await withGateway(setup) { gateway async throws in
            for _ in 0..<10 { #expect(try gateway.get("/shop").status == 200) }
        }
        #expect(queue.waiting + metrics.dropped == 20 && metrics.dropped >= 16)
    }
}
