import Glibc
import Synchronization
import Testing
import WeirConfiguration

struct UpstreamFailureTests {
    /// Nobody listens on it: no test may take it, and no server does.
    private static let closedPort = 1

    private func expectProblem(_ answer: Message?, _ status: Int) throws {
        let answer = try #require(answer)
        #expect(answer.status == status)
        #expect(answer["Content-Type"] == "application/problem+json")
        let id = try #require(answer["X-Request-Id"])
        #expect(answer.text.contains("\"status\":\(status)"))
        #expect(answer.text.contains("\"request_id\":\"\(id)\""))
    }

    @Test func anUpstreamThatRefusesIs502() async throws {
        let setup = Setup([(name: "s", path: "/", upstreams: [Self.closedPort])])
        try await withGateway(setup) { gateway async throws in
            let client = try gateway.connect()
            for _ in 0..<3 {
                try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                try expectProblem(client.next(), 502)
            }
        }
    }

    @Test func anotherUpstreamOfTheServiceIsAskedInstead() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        let setup = Setup([
            (name: "s", path: "/", upstreams: [Self.closedPort, upstream.port, Self.closedPort])
        ])
        try await withGateway(setup) { gateway async throws in
            for _ in 0..<10 {
                let answer = try gateway.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok")
                #expect(answer.status == 200)
            }
        }
    }

    @Test func requestsGoToTheUpstreamWithTheLeastToDo() async throws {
        let busy = TestUpstream { upstream, wire, _ in
            upstream.note(Message())
            while try wire.receive() != nil {}
        }
        let idle = TestUpstream.greeting()
        defer {
            busy.stop()
            idle.stop()
        }
        try await withGateway(Setup([(name: "s", path: "/", upstreams: [busy.port, idle.port])])) {
            gateway async throws in
            let waiting = try (0..<2).map { _ in try gateway.connect() }
            for client in waiting { try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n") }
            #expect(await eventually { busy.connections == 1 && idle.requests.count == 1 })
            for _ in 0..<10 { #expect(try gateway.get("/").status == 200) }
        }
        #expect(idle.requests.count == 11)
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\nContent-Le", "nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\nX: a\nb\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    ])
    func anAnswerThatIsNoneIs502(answer: String) async throws {
        let upstream = TestUpstream.sending(answer)
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            let client = try gateway.connect()
            try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            try expectProblem(client.next(), 502)
            try client.wire.send("GET /nowhere%00 HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.next()?.status == 400)
        }
    }

    @Test func aResetIs502() async throws {
        let upstream = TestUpstream { _, wire, _ in
            _ = try MessageReader(wire).next(isResponse: false)
            wire.sendReset()
        }
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in try expectProblem(gateway.get("/"), 502) }
    }

    @Test func anUpstreamThatHangsIs504() async throws {
        let upstream = TestUpstream { _, wire, _ in while try wire.receive() != nil {} }
        defer { upstream.stop() }
        var setup = Setup(upstream)
        setup.gateway.timeouts.upstream = .milliseconds(100)
        try await withGateway(setup) { gateway async throws in
            let client = try gateway.connect()
            for _ in 0..<2 {
                try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                try expectProblem(client.next(), 504)
            }
        }
    }

    /// An upstream that answers when the gateway has given up must not answer the next request with it.
    @Test func aLateAnswerIsNobodyElses() async throws {
        let isLate = Mutex(false)
        let upstream = TestUpstream { upstream, wire, index in
            let reader = MessageReader(wire)
            while let request = try reader.next(isResponse: false) {
                upstream.note(request)
                if index == 0 { while !isLate.withLock({ $0 }) { usleep(1000) } }
                try wire.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\(index == 0 ? "first" : "other")")
            }
        }
        defer { upstream.stop() }
        var setup = Setup(upstream)
        setup.gateway.timeouts.upstream = .seconds(2)
        try await withGateway(setup) { gateway async throws in
            let client = try gateway.connect()
            try client.wire.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n")
            try expectProblem(client.next(), 504)
            try client.wire.send("GET /other HTTP/1.1\r\nHost: a\r\n\r\n")
            isLate.withLock { $0 = true }
            #expect(try client.next()?.text == "other")
        }
        #expect(upstream.requests.map(\.startLine) == ["GET /first HTTP/1.1", "GET /other HTTP/1.1"])
    }

    /// The client must not take a part for the whole.
    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\nxx\r\n",
    ])
    func aTruncatedAnswerIsTruncatedForTheClient(answer: String) async throws {
        let upstream = TestUpstream.sending(answer)
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            #expect(throws: Wire.Failure.self) { try gateway.get("/") }
            let old = try gateway.connect()
            try old.wire.send("GET / HTTP/1.0\r\n\r\n")
            if answer.contains("chunked") {
                // For HTTP/1.0 the end of the connection is the end of the body, unless it is a reset.
                while try old.wire.receive() != nil {}
                #expect(old.wire.wasReset)
            }
        }
    }

    @Test func aBodyThatStopsComingIsBrokenOff() async throws {
        let upstream = TestUpstream { _, wire, _ in
            _ = try MessageReader(wire).next(isResponse: false)
            try wire.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart")
            while try wire.receive() != nil {}
        }
        defer { upstream.stop() }
        var setup = Setup(upstream)
        setup.gateway.timeouts.upstream = .seconds(2)
        try await withGateway(setup) { gateway async throws in
            #expect(throws: Wire.Failure.self) { try gateway.get("/") }
        }
    }

    /// An upstream closes an idle connection just when a request comes: the request is not lost.
    @Test func aStaleConnectionIsReplacedOnce() async throws {
        let upstream = TestUpstream { upstream, wire, _ in
            let reader = MessageReader(wire)
            guard let request = try reader.next(isResponse: false) else { return }
            upstream.note(request)
            try wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            // Takes the next request and closes without an answer.
            _ = try reader.nextHead()
        }
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            let client = try gateway.connect()
            for _ in 0..<4 {
                try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try client.next()?.text == "ok")
            }
            #expect(upstream.connections == 4)
            // What may have had an effect is not sent twice.
            try client.wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
            try expectProblem(client.next(), 502)
        }
        #expect(upstream.requests.count == 4)
    }

    @Test func whoWaitsTooLongForAConnectionGets503() async throws {
        let upstream = TestUpstream { upstream, wire, _ in while try wire.receive() != nil {} }
        defer { upstream.stop() }
        var setup = Setup(upstream)
        setup.gateway.maximumUpstreamConnections = 1
        setup.gateway.timeouts.connect = .milliseconds(100)
        try await withGateway(setup) { gateway async throws in
            let first = try gateway.connect()
            try first.wire.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await eventually { upstream.connections == 1 })
            let answer = try gateway.get("/2")
            try expectProblem(answer, 503)
            #expect(answer["Retry-After"] == "1")
        }
        #expect(upstream.connections == 1)
    }

    @Test func whoWaitsIsServedWhenAConnectionBecomesFree() async throws {
        let release = Mutex(false)
        let upstream = TestUpstream { upstream, wire, _ in
            let reader = MessageReader(wire)
            while let request = try reader.next(isResponse: false) {
                upstream.note(request)
                while !release.withLock({ $0 }) { usleep(1000) }
                try wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            }
        }
        defer { upstream.stop() }
        var setup = Setup(upstream)
        setup.gateway.maximumUpstreamConnections = 1
        try await withGateway(setup) { gateway async throws in
            let clients = try (0..<5).map { _ in try gateway.connect() }
            for client in clients { try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n") }
            #expect(await eventually { upstream.requests.count == 1 })
            release.withLock { $0 = true }
            for client in clients { #expect(try client.next()?.text == "ok") }
        }
        #expect(upstream.connections == 1)
        #expect(upstream.requests.count == 5)
    }

    @Test func anEarlyAnswerIsPassedOnAndTheConnectionCloses() async throws {
        let upstream = TestUpstream { _, wire, _ in
            _ = try MessageReader(wire).nextHead()
            try wire.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
            while try wire.receive() != nil {}
        }
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            let client = try gateway.connect()
            try client.wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nfirst bytes")
            let answer = try #require(try client.next())
            #expect(answer.status == 403)
            #expect(answer["Connection"] == "close")
            #expect(answer.text == "no")
            #expect(client.wire.isClosedByPeer())
        }
    }

    @Test func whenTheClientLeavesTheUpstreamsConnectionCloses() async throws {
        let ended = Mutex(0)
        let upstream = TestUpstream { upstream, wire, _ in
            upstream.note(try MessageReader(wire).next(isResponse: false)!)
            while try wire.receive() != nil {}
            ended.withLock { $0 += 1 }
        }
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            let client = try gateway.connect()
            try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await eventually { upstream.requests.count == 1 })
            client.wire.close()
            #expect(await eventually { ended.withLock { $0 } == 1 })
        }
    }
}
