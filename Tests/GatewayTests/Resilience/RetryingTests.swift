import Gateway
import Glibc
import Testing

/// What the client gets, and what the upstream sees, when attempts fail.
struct RetryingTests {
    private static let retries = "retries: {on: [connect, reset, timeout, 503], backoff: 1ms}"

    /// So long that an answer which comes is not too late, however busy the machine; where none comes, the test waits for it.
    private static func patience(_ behaviour: Failing.Behaviour) -> String {
        switch behaviour {
        case .hangs, .drips: "timeouts: {try: 2s}\n"
        default: "timeouts: {try: 10s}\n"
        }
    }

    @Test(arguments: Failing.Behaviour.allCases)
    func aFailedAttemptIsRepeated(behaviour: Failing.Behaviour) async throws {
        let upstream = Failing.upstream(behaviour)
        defer { upstream.stop() }
        let setup = Failing.setup([upstream.port], Self.patience(behaviour) + Self.retries)
        try await withGateway(setup) { gateway async throws in
            let client = try gateway.connect()
            try client.wire.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.next()?.text == "hello")
            #expect(upstream.requests.map(\.startLine) == ["GET /x HTTP/1.1", "GET /x HTTP/1.1"])
            #expect(Set(upstream.requests.map { $0["X-Request-Id"] }).count == 1)
            // The connection goes on.
            try client.wire.send("GET /y HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.next()?.text == "hello")
        }
        #expect(upstream.requests.count == 3)
        #expect(setup.metrics?.value("weir_retries_total") == 1)
    }

    @Test(arguments: Failing.Behaviour.allCases)
    func whatMayHaveHadAnEffectIsNotRepeated(behaviour: Failing.Behaviour) async throws {
        let upstream = Failing.upstream(behaviour)
        defer { upstream.stop() }
        let setup = Failing.setup([upstream.port], Self.patience(behaviour) + Self.retries)
        try await withGateway(setup) { gateway async throws in
            let answer = try gateway.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
            switch behaviour {
            case .answers503, .answers503InChunks: #expect(answer.status == 503 && answer.text == "down")
            case .hangs, .drips: try expectProblem(answer, 504)
            default: try expectProblem(answer, 502)
            }
        }
        #expect(upstream.requests.count == 1)
    }

    @Test(arguments: Failing.Behaviour.allCases)
    func whatIsDeclaredToBeRepeatableIsRepeatedWithItsBody(behaviour: Failing.Behaviour) async throws {
        let upstream = Failing.upstream(behaviour)
        defer { upstream.stop() }
        let keys = Self.patience(behaviour) + "retries: {on: [reset, timeout, 503], methods: [POST], backoff: 1ms}"
        try await withGateway(Failing.setup([upstream.port], keys)) { gateway async throws in
            let answer = try gateway.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
            #expect(answer.text == "abc")
            #expect(upstream.requests.map(\.text) == ["abc", "abc"])
            // A method that is not named is not.
            #expect(try gateway.get("/").text == "hello")
        }
    }

    @Test func whereNothingWasSentAnyMethodGoesToAnotherUpstream() async throws {
        let upstream = TestUpstream.echoing()
        defer { upstream.stop() }
        let ports = [Failing.unreachablePort, upstream.port]
        for keys in ["retries: {backoff: 1ms, attempts: 10}", "breaker: {}"] {
            try await withGateway(Failing.setup(ports, keys)) { gateway async throws in
                for _ in 0..<4 {
                    let answer = try gateway.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
                    #expect(answer.text == "abc")
                }
            }
        }
        #expect(upstream.requests.count == 8)
    }

    @Test func theLastFailureIsTheUpstreamsOwn() async throws {
        let upstream = Failing.upstream(.answers503, times: 100)
        defer { upstream.stop() }
        try await withGateway(Failing.setup([upstream.port], "retries: {attempts: 2, backoff: 1ms}")) {
            gateway async throws in
            let answer = try gateway.get("/")
            #expect(answer.status == 503 && answer.text == "down")
        }
        #expect(upstream.requests.count == 2)
        // What came of the first answer was read to its end.
        #expect(upstream.connections == 1)
    }

    @Test(arguments: [
        "Content-Length: 100000\r\n\r\n\(String(repeating: "x", count: 100_000))",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ])
    func aBodyThatIsNotKeptIsNotRepeated(rest: String) async throws {
        let upstream = Failing.upstream(.resets)
        defer { upstream.stop() }
        try await withGateway(Failing.setup([upstream.port], Self.retries)) { gateway async throws in
            try expectProblem(gateway.ask("PUT / HTTP/1.1\r\nHost: a\r\n\(rest)"), 502)
            #expect(try gateway.get("/").text == "hello")
        }
        #expect(upstream.requests.count == 2)
    }

    /// The upstream gives up when it has half of the body: the next attempt gets that half, and then the other.
    @Test func aBodyThatIsStillComingIsSentFromItsStart() async throws {
        let upstream = TestUpstream { upstream, wire, index in
            let reader = MessageReader(wire)
            if index == 0 {
                _ = try reader.nextHead()
                upstream.note(Message(body: try reader.take(4)))
                wire.sendReset()
            } else {
                let request = try reader.next(isResponse: false)!
                upstream.note(request)
                try wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            }
        }
        defer { upstream.stop() }
        try await withGateway(Failing.setup([upstream.port], Self.retries)) { gateway async throws in
            let client = try gateway.connect()
            try client.wire.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123")
            #expect(await eventually { upstream.connections == 2 })
            try client.wire.send("456789")
            #expect(try client.next()?.text == "ok")
        }
        #expect(upstream.requests.map(\.text) == ["0123", "0123456789"])
    }

    @Test func anEarlyFailureIsRepeatedToo() async throws {
        let upstream = TestUpstream { upstream, wire, index in
            let reader = MessageReader(wire)
            if index == 0 {
                _ = try reader.nextHead()
                try wire.send(Failing.down)
                while try wire.receive() != nil {}
            } else {
                upstream.note(try reader.next(isResponse: false)!)
                try wire.send(Failing.hello)
            }
        }
        defer { upstream.stop() }
        try await withGateway(Failing.setup([upstream.port], Self.retries)) { gateway async throws in
            let client = try gateway.connect()
            try client.wire.send("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
            #expect(try client.next()?.status == 100)
            #expect(await eventually { upstream.connections == 2 })
            try client.wire.send("body")
            // One interim answer, whatever the number of attempts.
            #expect(try client.next()?.text == "hello")
        }
        #expect(upstream.requests.map(\.text) == ["body"])
    }

    @Test func clientsOfAllKindsAreServed() async throws {
        for request in ["GET / HTTP/1.0\r\n\r\n", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"] {
            for behaviour in [Failing.Behaviour.resets, .answers503InChunks] {
                let upstream = TestUpstream { upstream, wire, _ in
                    let reader = MessageReader(wire)
                    while let request = try reader.next(isResponse: false) {
                        upstream.note(request)
                        let isHead = request.startLine.hasPrefix("HEAD")
                        if upstream.requests.count > 1 {
                            try wire.send(isHead ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" : Failing.hello)
                        } else if isHead, behaviour == .answers503InChunks {
                            try wire.send("HTTP/1.1 503 X\r\nTransfer-Encoding: chunked\r\n\r\n")
                        } else {
                            try Failing.act(behaviour, on: wire)
                            if behaviour == .resets { return }
                        }
                    }
                }
                defer { upstream.stop() }
                try await withGateway(Failing.setup([upstream.port], Self.retries)) { gateway async throws in
                    let answer = try gateway.ask(request, withoutBody: request.hasPrefix("HEAD"))
                    #expect(answer.status == 200)
                    #expect(answer["Content-Length"] == "5")
                }
                #expect(upstream.requests.count == 2)
            }
        }
    }

    @Test func pipelinedRequestsWaitForTheirTurn() async throws {
        let upstream = Failing.upstream(.resets)
        defer { upstream.stop() }
        let keys = "retries: {methods: [PUT], backoff: 20ms}"
        try await withGateway(Failing.setup([upstream.port], keys)) { gateway async throws in
            let client = try gateway.connect()
            let put = { (body: String) in "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n\(body)" }
            try client.wire.send(put("one") + put("two") + "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            let answers = try (0..<3).map { _ in try client.next()?.text }
            #expect(answers == ["one", "two", "hello"])
        }
        #expect(upstream.requests.map(\.text) == ["one", "one", "two", ""])
    }

    /// What an upstream may take for its answer begins when it has the whole request.
    @Test func aSlowUploadIsNotASlowUpstream() async throws {
        let upstream = TestUpstream.echoing()
        defer { upstream.stop() }
        let setup = Failing.setup(
            [upstream.port], "timeouts: {try: 1s}\nbreaker: {consecutive_failures: 1, open: 60s}",
            top: "gateway: {timeouts: {body: 10s}}")
        try await withGateway(setup) { gateway async throws in
            let client = try gateway.connect()
            try client.wire.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n")
            // A byte at a time, which takes longer than an answer may.
            for byte in Array("12345678".utf8) {
                usleep(200_000)
                try client.wire.send([byte])
            }
            #expect(try client.next()?.text == "12345678")
        }
    }

    /// Once a byte of an answer has gone to the client, nothing is repeated.
    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\nxx\r\n",
    ])
    func anAnswerThatBreaksOffIsNotRepeated(answer: String) async throws {
        let upstream = TestUpstream { upstream, wire, _ in
            upstream.note(try MessageReader(wire).next(isResponse: false)!)
            try wire.send(answer)
        }
        defer { upstream.stop() }
        try await withGateway(Failing.setup([upstream.port], Self.retries)) { gateway async throws in
            #expect(throws: Wire.Failure.self) { try gateway.get("/") }
        }
        #expect(upstream.requests.count == 1)
    }

    @Test func theBudgetStopsAStorm() async throws {
        let upstream = Failing.upstream(.answers503, times: .max)
        defer { upstream.stop() }
        let setup = Failing.setup(
            [upstream.port], "retries: {attempts: 10, backoff: 1ms, max_backoff: 1ms, budget: 20%}")
        let requests = 300
        let began = ContinuousClock.now
        try await withGateway(setup) { gateway async throws in
            let client = try gateway.connect()
            for _ in 0..<requests {
                try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try client.next()?.status == 503)
            }
        }
        let seconds = Int((ContinuousClock.now - began).components.seconds) + 2
        #expect(upstream.requests.count <= requests * 12 / 10 + 3 * seconds)
        #expect(upstream.requests.count - requests == setup.metrics?.value("weir_retries_total"))
        #expect(setup.metrics?.value("weir_retries_denied_total") ?? 0 > 0)
    }

    /// At most so many attempts begin in that time as each takes of it.
    @Test func theTotalBoundsAllAttempts() async throws {
        let upstream = Failing.upstream(.hangs, times: .max)
        defer { upstream.stop() }
        let keys = "timeouts: {try: 100ms, total: 250ms}\nretries: {attempts: 10, on: [timeout], backoff: 1ms}"
        try await withGateway(Failing.setup([upstream.port], keys)) { gateway async throws in
            let client = try gateway.connect()
            try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            try expectProblem(client.next(), 504)
            #expect(await eventually { !upstream.requests.isEmpty })
            #expect(upstream.requests.count <= 3)
            // And a client that does not send its request is told so.
            try client.wire.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf")
            try expectProblem(client.next(), 408)
        }
    }

    @Test func theTotalBoundsTheWaitForAConnectionToo() async throws {
        let upstream = Failing.upstream(.hangs, times: .max)
        defer { upstream.stop() }
        let setup = Failing.setup(
            [upstream.port], "timeouts: {total: 100ms}\nretries: {on: [timeout]}",
            top: "gateway: {max_upstream_connections: 1, timeouts: {connect: 5s}}")
        try await withGateway(setup) { gateway async throws in
            let clients = try (0..<3).map { _ in try gateway.connect() }
            for client in clients { try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n") }
            let statuses = try clients.map { try $0.next()?.status }
            #expect(statuses.allSatisfy { $0 == 504 || $0 == 503 })
        }
    }

    /// The place of a request whose client has left while it waits for its next attempt is free.
    @Test func aClientThatLeavesEndsTheBackoff() async throws {
        let upstream = Failing.upstream(.answers503)
        defer { upstream.stop() }
        let keys = "retries: {attempts: 2, backoff: 60s, max_backoff: 60s}\nconcurrency: {max: 1}"
        try await withGateway(Failing.setup([upstream.port], keys)) { gateway async throws in
            let client = try gateway.connect()
            try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await eventually { upstream.requests.count == 1 })
            #expect(try gateway.get("/").status == 503)
            client.wire.close()
            let isServed = try await eventually { try gateway.get("/").status == 200 }
            #expect(isServed)
        }
        #expect(upstream.requests.count == 2)
    }
}
