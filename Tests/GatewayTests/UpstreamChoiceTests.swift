import Glibc
import Synchronization
import Telemetry
import Testing
import WeirConfiguration

/// Which upstream a request goes to, with real ones that fail and come back.
struct UpstreamChoiceTests {
    private func setup(_ upstreams: [TestUpstream], _ rest: String = "") -> Setup {
        let urls = upstreams.map { "\"http://127.0.0.1:\($0.port)\"" }.joined(separator: ", ")
        return Setup(
            yaml: """
                services:
                  - name: s
                    routes: [{path: /}]
                    upstreams: [\(urls)]
                \(rest.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n"))
                """)
    }

    private func stop(_ upstreams: [TestUpstream]) { for upstream in upstreams { upstream.stop() } }

    /// Takes each request and resets the connection instead of answering.
    private static func resetting() -> TestUpstream {
        TestUpstream { upstream, wire, _ in
            guard let request = try MessageReader(wire).next(isResponse: false) else { return }
            upstream.note(request)
            wire.sendReset()
        }
    }

    private final class Switch: Sendable {
        private let status: Mutex<Int>

        init(_ status: Int) { self.status = Mutex(status) }

        var value: Int {
            get { status.withLock { $0 } }
            set { status.withLock { $0 = newValue } }
        }

        /// Answers with the status that the switch says; not at all where that is 0.
        func upstream() -> TestUpstream {
            TestUpstream { upstream, wire, _ in
                let reader = MessageReader(wire)
                while let request = try reader.next(isResponse: false) {
                    upstream.note(request)
                    let status = self.value
                    if status == 0 { while try wire.receive() != nil {} }
                    try wire.send("HTTP/1.1 \(status) Status\r\nContent-Length: 0\r\n\r\n")
                }
            }
        }
    }

    private func healthy(_ metrics: Metrics, _ upstream: TestUpstream) -> String? {
        var text = ""
        metrics.render(store: [], into: &text)
        let series = "weir_upstream_healthy{service=\"s\",upstream=\"http://127.0.0.1:\(upstream.port)\"} "
        return text.split(separator: "\n").first { $0.hasPrefix(series) }.map { String($0.dropFirst(series.count)) }
    }

    private static func metrics() -> Metrics { Metrics(services: ["s"], limits: [], workers: 2) }

    // MARK: Shares

    @Test(arguments: ["round_robin", "least_requests"])
    func weightsShareTheRequests(balance: String) async throws {
        let upstreams = [TestUpstream.greeting(), .greeting(), .greeting()]
        defer { stop(upstreams) }
        let entries = zip(upstreams, [1, 3, 0]).map { upstream, weight in
            "\n          - {url: \"http://127.0.0.1:\(upstream.port)\", weight: \(weight)}"
        }
        let setup = Setup(
            yaml: """
                services:
                  - name: s
                    routes: [{path: /}]
                    balance: \(balance)
                    upstreams:\(entries.joined())
                """)
        try await withGateway(setup) { gateway async throws in
            for _ in 0..<40 { #expect(try gateway.get("/").status == 200) }
        }
        #expect(upstreams.map(\.requests.count) == [10, 30, 0])
    }

    @Test func requestsOfOneSessionGoToOneUpstream() async throws {
        let upstreams = (0..<4).map { _ in TestUpstream.greeting() }
        defer { stop(upstreams) }
        try await withGateway(setup(upstreams, "balance: {hash: \"header:X-Session\"}")) { gateway async throws in
            for round in 0..<3 {
                for session in 0..<16 { _ = try gateway.get("/\(round)", "X-Session: \(session)") }
            }
        }
        let sessions = upstreams.map { $0.requests.compactMap { $0["X-Session"] } }
        for session in 0..<16 {
            #expect(sessions.count { $0.contains("\(session)") } == 1)
        }
        #expect(sessions.count { !$0.isEmpty } > 1)
    }

    @Test(arguments: [("tenant", "X-Tenant"), ("client_ip", "X-Forwarded-For")])
    func requestsOfOneCallerGoToOneUpstream(key: String, header: String) async throws {
        let upstreams = (0..<4).map { _ in TestUpstream.greeting() }
        defer { stop(upstreams) }
        var setup = setup(upstreams, "balance: {hash: \(key)}")
        setup.yaml = "gateway: {trusted_proxies: [127.0.0.1]}\nidentity: {header: X-Tenant}\n" + (setup.yaml ?? "")
        try await withGateway(setup) { gateway async throws in
            for _ in 0..<3 {
                for caller in 1...16 {
                    let fields = key == "tenant" ? [] : ["X-Tenant: same"]
                    let text = (fields + ["\(header): 10.0.0.\(caller)", "X-Caller: \(caller)"]).joined(
                        separator: "\r\n")
                    #expect(try gateway.get("/", text).status == 200)
                }
            }
        }
        let callers = upstreams.map { $0.requests.compactMap { $0["X-Caller"] } }
        for caller in 1...16 { #expect(callers.count { $0.contains("\(caller)") } == 1) }
        #expect(callers.count { !$0.isEmpty } > 1)
    }

    // MARK: Ejection

    /// The most that detecting it may cost: one request a failure in a row, by one worker.
    @Test func anUpstreamThatResetsCostsAsManyRequestsAsFailuresAreCounted() async throws {
        let upstreams = [TestUpstream.greeting(), Self.resetting(), .greeting()]
        defer { stop(upstreams) }
        try await withGateway(setup(upstreams, "ejection: {consecutive_failures: 3, duration: 5m}")) {
            gateway async throws in
            let traffic = Traffic(1, requests: 1000, of: gateway)
            #expect(await traffic.end())
            #expect(traffic.statuses == [200: 997, 502: 3])
        }
        #expect(upstreams[1].requests.count == 3)
    }

    @Test func anUpstreamThatDiesCostsNoMoreRequestsThanFailuresAreCounted() async throws {
        let upstreams = [TestUpstream.greeting(), .greeting(), .greeting()]
        defer { stop(upstreams) }
        try await withGateway(setup(upstreams)) { gateway async throws in
            let traffic = Traffic(1, requests: 1000, of: gateway)
            #expect(await eventually { traffic.total > 100 })
            upstreams[0].stop()
            #expect(await traffic.end())
            #expect(traffic.total == 1000)
            #expect(traffic.statuses[200] ?? 0 >= 995, "\(traffic.statuses)")
        }
    }

    /// Another attempt goes to an upstream that has not failed this request, so that nobody notices the one that does.
    @Test(arguments: ["round_robin", "least_requests", "{hash: client_ip}"])
    func withRetriesAnUpstreamThatResetsCostsNothing(balance: String) async throws {
        let upstreams = [Self.resetting(), TestUpstream.greeting()]
        defer { stop(upstreams) }
        let rest = "balance: \(balance)\nejection: off\nretries: {attempts: 2, on: [reset], budget: 100%, backoff: 1ms}"
        try await withGateway(setup(upstreams, rest)) { gateway async throws in
            let traffic = Traffic(1, requests: 50, of: gateway)
            #expect(await traffic.end())
            #expect(traffic.statuses == [200: 50])
        }
        #expect(upstreams[1].requests.count == 50)
    }

    /// Those that are on their way when the last failure is counted may fail as well.
    @Test func ofManyClientsNoMoreThanThoseInFlightFailBesides() async throws {
        let upstreams = [TestUpstream.greeting(), Self.resetting(), .greeting()]
        defer { stop(upstreams) }
        try await withGateway(setup(upstreams, "ejection: {duration: 5m}")) { gateway async throws in
            let traffic = Traffic(8, requests: 125, of: gateway)
            #expect(await traffic.end())
            #expect(traffic.total == 1000)
            let failed = traffic.statuses[502] ?? 0
            #expect((5...12).contains(failed), "\(traffic.statuses)")
            #expect(traffic.statuses[200] == 1000 - failed)
        }
    }

    @Test func aBurstOf503TakesAnUpstreamOutAndAGoodAnswerBringsItBack() async throws {
        let (state, metrics) = (Switch(503), Self.metrics())
        let upstreams = [state.upstream(), TestUpstream.greeting()]
        defer { stop(upstreams) }
        var setup = setup(upstreams, "ejection: {consecutive_failures: 4, duration: 50ms}")
        setup.metrics = metrics
        try await withGateway(setup) { gateway async throws in
            #expect(healthy(metrics, upstreams[0]) == "1")
            let traffic = Traffic(1, of: gateway)
            #expect(await eventually { healthy(metrics, upstreams[0]) == "0" })
            #expect(healthy(metrics, upstreams[1]) == "1")
            // Each trial while it lasts costs one.
            #expect(await eventually { upstreams[0].requests.count >= 6 })
            #expect(healthy(metrics, upstreams[0]) == "0")
            state.value = 200
            #expect(await eventually { healthy(metrics, upstreams[0]) == "1" })
            #expect(await traffic.finish())
            #expect(Set(traffic.statuses.keys) == [200, 503])
        }
    }

    @Test func anUpstreamThatHangsIsPassedOver() async throws {
        let upstreams = [Switch(0).upstream(), TestUpstream.greeting()]
        defer { stop(upstreams) }
        var setup = setup(upstreams, "ejection: {consecutive_failures: 2, duration: 5m}")
        setup.yaml = "gateway: {timeouts: {upstream: 2s}}\n" + (setup.yaml ?? "")
        try await withGateway(setup) { gateway async throws in
            let traffic = Traffic(1, requests: 100, of: gateway)
            #expect(await traffic.end())
            #expect(traffic.statuses == [200: 98, 504: 2])
        }
    }

    @Test(arguments: [(500, ""), (404, ""), (503, "ejection: off"), (503, "ejection: {most: 49%}")])
    func whatIsNoReasonToPassItOver(status: Int, ejection: String) async throws {
        let upstreams = [Switch(status).upstream(), TestUpstream.greeting()]
        defer { stop(upstreams) }
        try await withGateway(setup(upstreams, ejection)) { gateway async throws in
            let traffic = Traffic(1, requests: 40, of: gateway)
            #expect(await traffic.end())
            #expect(traffic.statuses == [200: 20, status: 20])
        }
    }

    // MARK: Connections

    @Test func noMoreConnectionsAreOpenedAndNoMoreRequestsWaitThanMay() async throws {
        let upstreams = [Switch(0).upstream()]
        defer { stop(upstreams) }
        try await withGateway(setup(upstreams, "connections: {max: 2, waiting: 1}")) { gateway async throws in
            let clients = try (0..<3).map { _ in try gateway.connect() }
            for (index, client) in clients.enumerated() {
                try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(await eventually { upstreams[0].requests.count == min(index + 1, 2) })
            }
            // The third waits, and nobody after it may.
            #expect(
                await eventually {
                    let answer = try? gateway.get("/")
                    return answer?.status == 503 && answer?["Retry-After"] == "1"
                })
            #expect(clients.allSatisfy { $0.wire.isSilent })
            #expect(upstreams[0].connections == 2)
        }
    }

    // MARK: Health checks

    @Test func checksTakeASickUpstreamOutAndBringItBack() async throws {
        let (state, metrics) = (Switch(200), Self.metrics())
        let upstreams = [state.upstream(), TestUpstream.greeting()]
        defer { stop(upstreams) }
        let health =
            "health: {path: /healthz?deep=1, interval: 10ms, timeout: 1s, unhealthy_after: 2, healthy_after: 2}"
        var setup = setup(upstreams, "\(health)\nejection: off")
        setup.metrics = metrics
        setup.gateway.workers = 2
        try await withGateway(setup) { gateway async throws in
            #expect(await eventually { upstreams[0].requests.count > 3 })
            let asked = try #require(upstreams[0].requests.first)
            #expect(asked.startLine == "GET /healthz?deep=1 HTTP/1.1")
            #expect(asked["Host"] == "127.0.0.1:\(upstreams[0].port)")
            #expect(healthy(metrics, upstreams[0]) == "1")
            state.value = 500
            #expect(await eventually { healthy(metrics, upstreams[0]) == "0" })
            let served = upstreams[1].requests.count { $0.startLine.contains("/work") }
            for _ in 0..<20 { #expect(try gateway.get("/work").status == 200) }
            #expect(upstreams[1].requests.count { $0.startLine.contains("/work") } == served + 20)
            state.value = 200
            #expect(await eventually { healthy(metrics, upstreams[0]) == "1" })
            #expect(
                await eventually {
                    _ = try? gateway.get("/back")
                    return upstreams[0].requests.contains { $0.startLine.contains("/back") }
                })
        }
    }

    @Test func whereAllChecksFailRequestsAreTriedAllTheSame() async throws {
        let metrics = Self.metrics()
        let upstreams = [TestUpstream.greeting(), TestUpstream.greeting()]
        defer { stop(upstreams) }
        var setup = setup(
            upstreams, "health: {path: /healthz, interval: 10ms, unhealthy_after: 1, status: [204, 300-399]}")
        setup.metrics = metrics
        try await withGateway(setup) { gateway async throws in
            #expect(await eventually { upstreams.allSatisfy { healthy(metrics, $0) == "0" } })
            for _ in 0..<10 { #expect(try gateway.get("/").status == 200) }
        }
    }

    @Test(arguments: [0, 1])
    func anUpstreamThatDoesNotAnswerItsChecksIsUnhealthy(kind: Int) async throws {
        let metrics = Self.metrics()
        let upstreams = [kind == 0 ? Switch(0).upstream() : Self.resetting(), TestUpstream.greeting()]
        defer { stop(upstreams) }
        var setup = setup(upstreams, "health: {path: /, interval: 10ms, timeout: 1s, unhealthy_after: 2}")
        setup.metrics = metrics
        try await withGateway(setup) { gateway async throws in
            #expect(await eventually { healthy(metrics, upstreams[0]) == "0" })
            #expect(healthy(metrics, upstreams[1]) == "1")
            for _ in 0..<10 { #expect(try gateway.get("/").status == 200) }
        }
    }
}
