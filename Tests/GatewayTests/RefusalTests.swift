import Testing
import WeirConfiguration

/// What must never reach an upstream, and what it is answered with.
struct RefusalTests {
    @Test(arguments: [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /\r\nHost: a\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n X: folded\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX : space\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a%2fb HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a%5cb HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a;b HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /%252e%252e/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        "\u{16}\u{03}\u{01}\u{02}",
    ])
    func whatIsNotWellFormedGets400AndTheConnectionCloses(request: String) async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            let client = try gateway.connect()
            try client.wire.send(request)
            if request.utf8.count < 10 { try client.wire.send("\r\n\r\n") }
            let answer = try #require(try client.next())
            #expect(answer.status == 400)
            #expect(answer["Connection"] == "close")
            #expect(answer["Content-Type"] == "application/problem+json")
            let id = try #require(answer["X-Request-Id"])
            #expect(answer.text.contains("\"request_id\":\"\(id)\""))
            #expect(client.wire.isClosedByPeer())
        }
        #expect(upstream.connections == 0)
    }

    @Test(arguments: [
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        ("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 501),
        ("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    ])
    func whatIsNotDoneIsSaidSo(request: String, status: Int) async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            let client = try gateway.connect()
            try client.wire.send(request)
            let answer = try client.next()
            #expect(answer?.status == status)
            #expect(client.wire.isClosedByPeer())
        }
        #expect(upstream.connections == 0)
    }

    /// What stands behind a request that was refused is no request.
    @Test func nothingBehindARefusedRequestIsRead() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            let client = try gateway.connect()
            try client.wire.send(
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
            let refusal = try client.next()
            #expect(refusal?.status == 400)
            #expect(
                refusal?.text.contains("The request is refused: Content-Length must be one decimal number.") == true)
            #expect(try client.next() == nil)
        }
        #expect(upstream.connections == 0)
    }

    /// A chunk that is not well-formed: the upstream must not take what it got for a whole request.
    @Test(arguments: ["zz\r\n", "3\r\nabcd\r\n", "-1\r\n", "3\nabc\r\n"])
    func aBrokenChunkEndsTheExchange(chunk: String) async throws {
        let upstream = TestUpstream { upstream, wire, _ in
            let reader = MessageReader(wire)
            _ = try reader.nextHead()
            while let bytes = try wire.receive() {
                if String(decoding: bytes, as: UTF8.self).contains("0\r\n\r\n") { upstream.note(Message()) }
            }
        }
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            let client = try gateway.connect()
            try client.wire.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            #expect(await eventually { upstream.connections == 1 })
            try client.wire.send(chunk + "0\r\n\r\n")
            #expect(try client.next()?.status == 400)
            #expect(client.wire.isClosedByPeer())
        }
        #expect(upstream.requests.isEmpty)
    }

    @Test func whatIsTooLargeIsRefused() async throws {
        let upstream = TestUpstream.echoing()
        defer { upstream.stop() }
        var setup = Setup(upstream)
        setup.gateway.maximumBodyBytes = 1000
        setup.gateway.maximumHeaderBytes = 10_000
        setup.gateway.maximumHeaderFields = 20
        try await withGateway(setup) { gateway async throws in
            let body = String(repeating: "b", count: 1001)
            #expect(try gateway.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n\(body)").status == 413)
            #expect(
                try gateway.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n\(body.dropLast())").status
                    == 200)
            let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n\(body)\r\n0\r\n\r\n"
            #expect(try gateway.ask(chunked).status == 413)
            #expect(try gateway.get("/" + String(repeating: "p", count: 9000)).status == 414)
            #expect(try gateway.get("/", "X: " + String(repeating: "v", count: 11_000)).status == 431)
            let many = (0..<30).map { "X-\($0): 1\r\n" }.joined()
            #expect(try gateway.ask("GET / HTTP/1.1\r\nHost: a\r\n\(many)\r\n").status == 431)
        }
        #expect(upstream.requests.count == 1)
    }

    @Test func connectionsBeyondTheBoundAreClosedAtOnce() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        var setup = Setup(upstream)
        setup.gateway.maximumConnections = 2
        try await withGateway(setup) { gateway async throws in
            let first = try gateway.connect()
            let second = try gateway.connect()
            for client in [first, second] {
                try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try client.next()?.status == 200)
            }
            #expect(try gateway.connect().wire.isClosedByPeer())
            first.wire.close()
            let isBack = await eventually { (try? gateway.get("/").status) == 200 }
            #expect(isBack)
        }
    }
}
