import Gateway
import Glibc
import Synchronization
import Telemetry
import Testing
import WeirConfiguration

/// Endpoints that come and go while requests are on their way.
struct EndpointChangeTests {
    private static let source = UpstreamSource.dns(Upstream(usesTLS: false, host: "pool.test", port: 80), weight: 1)

    private func setup(_ rest: String = "") -> Setup {
        Setup(
            yaml: """
                services:
                  - name: s
                    routes: [{path: /}]
                    upstreams: [{dns: "http://pool.test"}]
                \(rest)
                """)
    }

    private func endpoints(_ upstreams: [TestUpstream]) -> [Endpoint] {
        upstreams.map {
            Endpoint(Upstream(usesTLS: false, host: "pool.test", port: $0.port, address: "127.0.0.1"))
        }
    }

    @Test func aServiceWithoutEndpointsIs503UntilThereAreSome() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        try await withGateway(setup()) { gateway async throws in
            let answer = try gateway.get("/")
            #expect(answer.status == 503)
            #expect(answer["Retry-After"] == "1")
            #expect(answer["Content-Type"] == "application/problem+json")
            #expect(answer.text.contains("no upstream at the moment"))
            gateway.server.use(endpoints([upstream]), of: Self.source)
            #expect(await eventually { (try? gateway.get("/").status) == 200 })
            gateway.server.use([], of: Self.source)
            #expect(await eventually { (try? gateway.get("/").status) == 503 })
        }
    }

    @Test func theConfiguredNameStaysTheHostOfARequestWithoutOne() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        try await withGateway(setup()) { gateway async throws in
            gateway.server.use(endpoints([upstream]), of: Self.source)
            #expect(await eventually { (try? gateway.ask("GET / HTTP/1.0\r\n\r\n").status) == 200 })
        }
        #expect(upstream.requests.last?["Host"] == "pool.test:\(upstream.port)")
    }

    /// An answer that is on its way arrives whole; afterwards the connection is closed.
    @Test func whatIsInFlightToAnEndpointThatGoesIsFinished() async throws {
        let isReleased = Mutex(false)
        let ended = Mutex(0)
        let upstream = TestUpstream { upstream, wire, _ in
            guard let request = try MessageReader(wire).next(isResponse: false) else { return }
            upstream.note(request)
            try wire.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")
            while !isReleased.withLock({ $0 }) { usleep(1000) }
            try wire.send("lf")
            while try wire.receive() != nil {}
            ended.withLock { $0 += 1 }
        }
        defer { upstream.stop() }
        try await withGateway(setup()) { gateway async throws in
            gateway.server.use(endpoints([upstream]), of: Self.source)
            let client = try gateway.connect()
            try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await eventually { upstream.requests.count == 1 })
            gateway.server.use([], of: Self.source)
            #expect(await eventually { (try? gateway.get("/").status) == 503 })
            #expect(ended.withLock { $0 } == 0)
            isReleased.withLock { $0 = true }
            #expect(try client.next()?.text == "half")
            #expect(await eventually { ended.withLock { $0 } == 1 })
            try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.next()?.status == 503)
        }
    }

    /// One that comes back finds its connections gone and opens others; one that stays keeps them.
    @Test func anEndpointThatStaysKeepsItsConnections() async throws {
        let upstreams = [TestUpstream.greeting(), TestUpstream.greeting()]
        defer { for upstream in upstreams { upstream.stop() } }
        try await withGateway(setup("    balance: round_robin")) { gateway async throws in
            gateway.server.use(endpoints(upstreams), of: Self.source)
            for _ in 0..<4 { #expect(try gateway.get("/").status == 200) }
            #expect(upstreams.map(\.connections) == [1, 1])
            gateway.server.use(endpoints([upstreams[0]]), of: Self.source)
            for _ in 0..<4 { #expect(try gateway.get("/").status == 200) }
            #expect(upstreams.map(\.requests.count) == [6, 2])
            gateway.server.use(endpoints(upstreams), of: Self.source)
            for _ in 0..<4 { #expect(try gateway.get("/").status == 200) }
            #expect(upstreams.map(\.connections) == [1, 2])
        }
    }

    /// Clients that keep their connections, a set that changes every 50 ms for two seconds: not one request fails.
    @Test func changesUnderLoadLoseNothing() async throws {
        let upstreams = (0..<5).map { _ in TestUpstream.greeting() }
        defer { for upstream in upstreams { upstream.stop() } }
        let metrics = Metrics(services: ["s"], limits: [], workers: 3)
        var setup = setup("    ejection: off")
        setup.gateway.workers = 2
        setup.metrics = metrics
        try await withGateway(setup) { gateway async throws in
            gateway.server.use(endpoints(upstreams), of: Self.source)
            #expect(await eventually { (try? gateway.get("/").status) == 200 && (try? gateway.get("/").status) == 200 })
            let traffic = Traffic(8, of: gateway)
            let clock = ContinuousClock()
            let start = clock.now
            for change in 0..<40 {
                let kept = upstreams.indices.filter { ($0 + change) % 5 < 1 + change % 4 }.map { upstreams[$0] }
                gateway.server.use(endpoints(kept), of: Self.source)
                try await clock.sleep(until: start + .milliseconds(50 * (change + 1)))
            }
            #expect(await traffic.finish())
            #expect(Set(traffic.statuses.keys) == [200], "\(traffic.statuses)")
            #expect(traffic.total > 100)
        }
        for upstream in upstreams { #expect(!upstream.requests.isEmpty) }
    }
}
