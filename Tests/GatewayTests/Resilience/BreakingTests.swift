import Gateway
import Glibc
import Synchronization
import Telemetry
import Testing
import WeirConfiguration

/// A service that fails is left alone, probed, and used again.
struct BreakingTests {
    @Test(arguments: Failing.Behaviour.allCases)
    func everyKindOfFailureOpensTheBreaker(behaviour: Failing.Behaviour) async throws {
        let upstream = Failing.upstream(behaviour, times: .max)
        defer { upstream.stop() }
        let setup = Failing.setup(
            [upstream.port], "timeouts: {try: 100ms}\nbreaker: {consecutive_failures: 3, open: 60s}")
        try await withGateway(setup) { gateway async throws in
            for _ in 0..<3 { #expect(try gateway.get("/").status >= 500) }
            // The gateway does not wait for what an upstream reads late.
            #expect(await eventually { upstream.requests.count == 3 })
            for _ in 0..<5 {
                let answer = try gateway.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
                try expectProblem(answer, 503)
                #expect((50...67).contains(Int(answer["Retry-After"] ?? "") ?? 0))
                #expect(answer.text.contains("left alone"))
            }
        }
        #expect(upstream.requests.count == 3)
        #expect(setup.metrics?.value("weir_breaker_state") == 2)
        #expect(setup.metrics?.value("weir_breaker_refused_total") == 5)
    }

    @Test func anUpstreamThatCannotBeReachedOpensItAndATruncatedAnswerDoes() async throws {
        let truncating = TestUpstream.sending("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart")
        defer { truncating.stop() }
        for port in [Failing.unreachablePort, truncating.port] {
            let setup = Failing.setup([port], "breaker: {consecutive_failures: 2, open: 60s}")
            try await withGateway(setup) { gateway async throws in
                for _ in 0..<2 { _ = try? gateway.get("/") }
                let isOpen = await eventually { setup.metrics?.value("weir_breaker_state") == 2 }
                #expect(isOpen)
                #expect(try gateway.get("/")["Retry-After"] != nil)
            }
        }
    }

    @Test func whatTheClientDidWrongIsNoFailure() async throws {
        let upstream = TestUpstream.answering { _ in "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" }
        defer { upstream.stop() }
        let setup = Failing.setup([upstream.port], "breaker: {consecutive_failures: 1, min_requests: 1}")
        try await withGateway(setup) { gateway async throws in
            for _ in 0..<10 { #expect(try gateway.get("/").status == 404) }
            let leaving = try gateway.connect()
            try leaving.wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
            leaving.wire.close()
            try expectProblem(
                gateway.ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), 400)
            #expect(try gateway.get("/").status == 404)
        }
        #expect(setup.metrics?.value("weir_breaker_state") == 0)
    }

    @Test func aSlowServiceIsLeftAloneToo() async throws {
        let upstream = TestUpstream.answering { _ in
            usleep(60_000)
            return Failing.hello
        }
        defer { upstream.stop() }
        let setup = Failing.setup(
            [upstream.port], "breaker: {min_requests: 3, slow: {over: 20ms, ratio: 80%}, open: 60s}")
        try await withGateway(setup) { gateway async throws in
            for _ in 0..<3 { #expect(try gateway.get("/").status == 200) }
            try expectProblem(gateway.get("/"), 503)
        }
        #expect(upstream.requests.count == 3)
    }

    @Test func onlyTheProbesPassAndTheirSuccessClosesIt() async throws {
        let isDown = Mutex(true)
        let isHeld = Mutex(true)
        let upstream = TestUpstream { upstream, wire, _ in
            let reader = MessageReader(wire)
            while let request = try reader.next(isResponse: false) {
                upstream.note(request)
                if isDown.withLock({ $0 }) {
                    try wire.send(Failing.down)
                } else {
                    while isHeld.withLock({ $0 }) { usleep(1000) }
                    try wire.send(Failing.hello)
                }
            }
        }
        defer { upstream.stop() }
        let setup = Failing.setup([upstream.port], "breaker: {consecutive_failures: 1, open: 3s, probes: 2}")
        try await withGateway(setup) { gateway async throws in
            #expect(try gateway.get("/").status == 503)
            isDown.withLock { $0 = false }
            // One after the other until both probes are on their way.
            var probes: [MessageReader] = []
            let areProbing = try await eventually {
                let before = upstream.requests.count
                let client = try gateway.connect()
                try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                while client.wire.isSilent, upstream.requests.count == before { usleep(1000) }
                if upstream.requests.count > before { probes.append(client) }
                return probes.count == 2
            }
            #expect(areProbing)
            #expect(setup.metrics?.value("weir_breaker_state") == 1)
            for _ in 0..<10 { try expectProblem(gateway.get("/"), 503) }
            #expect(upstream.requests.count == 3)
            isHeld.withLock { $0 = false }
            for probe in probes { #expect(try probe.next()?.text == "hello") }
            for _ in 0..<5 { #expect(try gateway.get("/").text == "hello") }
        }
        #expect(setup.metrics?.value("weir_breaker_state") == 0)
    }

    @Test func aProbeThatFailsOpensItAgain() async throws {
        let upstream = Failing.upstream(.answers503, times: 4)
        defer { upstream.stop() }
        let setup = Failing.setup(
            [upstream.port], "breaker: {consecutive_failures: 1, open: 10ms, max_open: 20ms}\nretries: {backoff: 1ms}")
        try await withGateway(setup) { gateway async throws in
            let isServed = try await eventually { try gateway.get("/").status == 200 }
            #expect(isServed)
            // Four that failed, none of which was repeated, and one that did not.
            #expect(upstream.requests.count == 5)
        }
        #expect(setup.metrics?.value("weir_retries_total") == 0)
    }

    /// The evidence is the process's, not each worker's.
    @Test func workersShareTheBreaker() async throws {
        let upstream = Failing.upstream(.answers503, times: .max)
        defer { upstream.stop() }
        var setup = Failing.setup([upstream.port], "breaker: {min_requests: 8, error_ratio: 100%, open: 60s}")
        setup.gateway.workers = 2
        try await withGateway(setup) { gateway async throws in
            for _ in 0..<8 { #expect(try gateway.get("/").text == "down") }
            for _ in 0..<8 { #expect(try gateway.get("/")["Retry-After"] != nil) }
        }
        #expect(upstream.requests.count == 8)
    }

    @Test func aRouteMayHaveABreakerOfItsOwnOrNone() async throws {
        let upstream = Failing.upstream(.answers503, times: .max)
        defer { upstream.stop() }
        var setup = Setup(
            yaml: """
                services:
                  - name: a
                    upstreams: [http://127.0.0.1:\(upstream.port)]
                    breaker: {consecutive_failures: 2, open: 60s}
                    routes:
                      - {path: /shared}
                      - {path: /own, breaker: {consecutive_failures: 3, open: 60s}}
                      - {path: /none, breaker: off}

                """)
        setup.metrics = Failing.metrics()
        try await withGateway(setup) { gateway async throws in
            func passed(_ path: String) throws -> Int {
                try (0..<5).map { _ in try gateway.get(path).text }.count { $0 == "down" }
            }
            #expect(try passed("/shared") == 2)
            #expect(try passed("/own") == 3)
            #expect(try passed("/none") == 5)
        }
    }

    @Test func atMostSoManyRequestsAreInFlight() async throws {
        let isHeld = Mutex(true)
        let upstream = TestUpstream { upstream, wire, _ in
            let reader = MessageReader(wire)
            while let request = try reader.next(isResponse: false) {
                upstream.note(request)
                while isHeld.withLock({ $0 }) { usleep(1000) }
                try wire.send(Failing.hello)
            }
        }
        defer { upstream.stop() }
        var setup = Failing.setup([upstream.port], "concurrency: {max: 3}")
        setup.gateway.workers = 2
        try await withGateway(setup) { gateway async throws in
            let clients = try (0..<3).map { _ in try gateway.connect() }
            for client in clients { try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n") }
            #expect(await eventually { upstream.requests.count == 3 })
            for _ in 0..<6 {
                let answer = try gateway.get("/")
                try expectProblem(answer, 503)
                #expect(answer["Retry-After"] == "1")
            }
            #expect(upstream.requests.count == 3)
            clients[0].wire.close()
            isHeld.withLock { $0 = false }
            for client in clients.dropFirst() { #expect(try client.next()?.text == "hello") }
            let isServed = try await eventually { try gateway.get("/").status == 200 }
            #expect(isServed)
        }
        #expect(setup.metrics?.value("weir_concurrency_refused_total") ?? 0 >= 6)
    }
}
