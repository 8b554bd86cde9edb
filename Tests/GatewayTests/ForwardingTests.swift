import Foundation
import Synchronization
import Testing
import WeirConfiguration

struct ForwardingTests {
    @Test func aRequestAndItsAnswerPassThrough() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            let answer = try gateway.get("/a/b?c=d")
            #expect(answer.startLine == "HTTP/1.1 200 OK")
            #expect(answer.text == "hello")
            #expect(answer["Content-Type"] == "text/plain")
            #expect(answer["Date"] != nil)
            #expect(answer["Connection"] == nil)
            let request = try #require(upstream.requests.first)
            #expect(request.startLine == "GET /a/b?c=d HTTP/1.1")
            #expect(request["Host"] == "weir.test")
            #expect(request["X-Forwarded-For"] == "127.0.0.1")
            #expect(request["X-Forwarded-Proto"] == "http")
            #expect(request["X-Forwarded-Host"] == "weir.test")
            #expect(request["X-Weir-Tenant"] == nil)
            #expect(request["X-Request-Id"] == answer["X-Request-Id"])
            #expect(answer["X-Request-Id"]?.utf8.count == 24)
        }
    }

    @Test func aConnectionCarriesManyRequestsAndSoDoesTheUpstreams() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            let client = try gateway.connect()
            for _ in 0..<20 {
                try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try client.next()?.text == "hello")
            }
        }
        #expect(upstream.connections == 1)
        #expect(upstream.requests.count == 20)
    }

    @Test func aRequestMayComeByteByByte() async throws {
        let upstream = TestUpstream.echoing()
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            let client = try gateway.connect()
            let request =
                "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n"
            for byte in request.utf8 { try client.wire.send([byte]) }
            #expect(try client.next()?.status == 200)
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        let upstream = TestUpstream.answering { request in
            let path = request.startLine.split(separator: " ")[1]
            return "HTTP/1.1 200 OK\r\nContent-Length: \(path.utf8.count)\r\n\r\n\(path)"
        }
        defer { upstream.stop() }
        try await withGateway(Setup([(name: "s", path: "/in", upstreams: [upstream.port])])) { gateway async throws in
            let client = try gateway.connect()
            let paths = (0..<200).map { $0 % 7 == 3 ? "/out\($0)" : "/in/\($0)" }
            try client.wire.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
            for path in paths {
                let answer = try #require(try client.next())
                if path.hasPrefix("/in") { #expect(answer.text == path) } else { #expect(answer.status == 404) }
            }
        }
    }

    /// A client that sends without reading answers is not read without bound: neither while one request is in flight, nor
    /// where the gateway answers by itself.
    @Test(arguments: ["/in", "/out"])
    func aBacklogOfPipelinedRequestsIsBounded(path: String) async throws {
        let upstream = TestUpstream { upstream, wire, _ in while try wire.receive() != nil {} }
        defer { upstream.stop() }
        var setup = Setup([(name: "s", path: "/in", upstreams: [upstream.port])])
        setup.gateway.timeouts.drain = .milliseconds(50)
        try await withGateway(setup) { gateway async throws in
            let client = try gateway.connect()
            client.wire.limitSendBuffer(64 * 1024)
            client.wire.limitReceiveBuffer(64 * 1024)
            let request = Array(
                "GET \(path) HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 900))\r\n\r\n".utf8)
            var sent = 0
            while sent < 64 << 20 {
                guard let count = client.wire.sendWithoutWaiting(request[(sent % request.count)...]) else { break }
                sent += count
            }
            #expect(sent < 32 << 20)
        }
    }

    /// The answers fill the client's socket many times over; part of them waits in the gateway, and none is lost or overtaken.
    @Test func answersThatTheClientTakesLateComeWholeAndInOrder() async throws {
        try await withGateway(Setup([(name: "s", path: "/in", upstreams: [])])) { gateway async throws in
            let client = try gateway.connect()
            client.wire.limitReceiveBuffer(128 * 1024)
            let count = 20_000
            let wire = client.wire
            let sent = Mutex(0)
            Thread.detachNewThread {
                let request = Array("GET /out HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
                for _ in 0..<count {
                    guard (try? wire.send(request)) != nil else { return }
                    sent.withLock { $0 += 1 }
                }
            }
            var last = -1
            let hasStalled = await eventually {
                defer { last = sent.withLock { $0 } }
                usleep(50_000)
                return sent.withLock { $0 } == last
            }
            #expect(hasStalled)
            for number in 1...count {
                let answer = try #require(try client.next())
                let id = try #require(answer["X-Request-Id"])
                guard answer.status == 404, Int(id.suffix(8), radix: 16) == number, answer.text.contains(id) else {
                    Issue.record("answer \(number) is \(answer.head) \(answer.text)")
                    return
                }
            }
        }
    }

    @Test func bodiesPassBothWays() async throws {
        let upstream = TestUpstream.echoing()
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            let client = try gateway.connect()
            for size in [1, 100, 4096, 4097, 70_000, 300_000] {
                let body = String(repeating: "b", count: size)
                try client.wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(size)\r\n\r\n\(body)")
                let whole = try client.next()
                #expect(whole?.body.count == size)
                let chunk = "\(String(size, radix: 16))\r\n\(body)\r\n"
                try client.wire.send(
                    "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(chunk)\(chunk)0\r\n\r\n")
                let chunked = try client.next()
                #expect(chunked?.body.count == size * 2)
            }
        }
        #expect(upstream.connections == 1)
    }

    @Test func aChunkedAnswerStaysChunkedButForHTTP10() async throws {
        let upstream = TestUpstream.answering { _ in
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=1\r\n world\r\n0\r\nX-Sum: x\r\n\r\n"
        }
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            let client = try gateway.connect()
            for _ in 0..<3 {
                try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                let answer = try #require(try client.next())
                #expect(answer["Transfer-Encoding"] == "chunked")
                #expect(answer.text == "hello world")
            }
            let old = try gateway.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(old["Transfer-Encoding"] == nil)
            #expect(old["Connection"] == "close")
            #expect(old.text == "hello world")
        }
        #expect(upstream.connections == 1)
    }

    @Test func anAnswerThatEndsWithItsConnectionBecomesChunks() async throws {
        let upstream = TestUpstream { _, wire, _ in
            _ = try MessageReader(wire).next(isResponse: false)
            try wire.send("HTTP/1.0 200 Fine\r\nServer: old\r\n\r\nsome ")
            try wire.send("bytes")
        }
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            let client = try gateway.connect()
            for _ in 0..<2 {
                try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                let answer = try #require(try client.next())
                #expect(answer.startLine.hasPrefix("HTTP/1.1 200"))
                #expect(answer["Transfer-Encoding"] == "chunked")
                #expect(answer["Server"] == "old")
                #expect(answer.text == "some bytes")
            }
            let old = try gateway.ask("GET / HTTP/1.0\r\n\r\n")
            #expect(old["Transfer-Encoding"] == nil)
            #expect(old.text == "some bytes")
        }
    }

    @Test func headHasNoBodyAndTheConnectionGoesOn() async throws {
        let upstream = TestUpstream.answering { request in
            request.startLine.hasPrefix("HEAD")
                ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" : "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
        }
        defer { upstream.stop() }
        try await withGateway(Setup([(name: "s", path: "/in", upstreams: [upstream.port])])) { gateway async throws in
            let client = try gateway.connect()
            try client.wire.send("HEAD /in HTTP/1.1\r\nHost: a\r\n\r\n")
            let seen1 = try client.next(withoutBody: true)
            #expect(seen1?["Content-Length"] == "5")
            try client.wire.send("HEAD /out HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.next(withoutBody: true)?.status == 404)
            try client.wire.send("GET /in HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.next()?.text == "hello")
        }
    }

    @Test(arguments: [204, 304])
    func answersWithoutABodyEndWithTheirHead(status: Int) async throws {
        let upstream = TestUpstream.answering { _ in "HTTP/1.1 \(status) X\r\nETag: e\r\n\r\n" }
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            let client = try gateway.connect()
            for _ in 0..<2 {
                try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try client.next()?.status == status)
            }
        }
    }

    @Test func http10ClosesUnlessItAsksToStay() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            let closing = try gateway.connect()
            try closing.wire.send("GET / HTTP/1.0\r\n\r\n")
            let seen2 = try closing.next()
            #expect(seen2?["Connection"] == "close")
            #expect(closing.wire.isClosedByPeer())
            let staying = try gateway.connect()
            for _ in 0..<2 {
                try staying.wire.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                let seen3 = try staying.next()
                #expect(seen3?["Connection"] == "keep-alive")
            }
        }
        #expect(upstream.requests.allSatisfy { $0["Host"] != nil && $0.startLine == "GET / HTTP/1.1" })
    }

    @Test func connectionCloseIsObeyed() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            let client = try gateway.connect()
            try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let answer = try #require(try client.next())
            #expect(answer["Connection"] == "close")
            #expect(answer.text == "hello")
            #expect(client.wire.isClosedByPeer())
        }
    }

    @Test func interimAnswersAreNotPassedOn() async throws {
        let upstream = TestUpstream.answering { _ in
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        }
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            let client = try gateway.connect()
            for _ in 0..<2 {
                try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try client.next()?.text == "ok")
            }
        }
        #expect(upstream.connections == 1)
    }

    @Test func theBodyIsAskedForOnceTheRequestMayPass() async throws {
        let upstream = TestUpstream.echoing()
        defer { upstream.stop() }
        var setup = Setup(upstream)
        setup.limits = [try declared("one", per: [], "1/minute")]
        try await withGateway(setup) { gateway async throws in
            let client = try gateway.connect()
            try client.wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
            #expect(try client.next()?.startLine == "HTTP/1.1 100 Continue")
            try client.wire.send("body")
            #expect(try client.next()?.text == "body")
            try client.wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
            let refused = try #require(try client.next())
            #expect(refused.status == 429)
            #expect(refused["Connection"] == "close")
            #expect(client.wire.isClosedByPeer())
            #expect(try gateway.get("/", "Expect: 200-ok").status == 417)
        }
        #expect(upstream.requests.map { $0["Expect"] } == [nil])
    }

    @Test func aSmallBodyOfARefusedRequestIsReadPast() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        try await withGateway(Setup([(name: "s", path: "/in", upstreams: [upstream.port])])) { gateway async throws in
            let client = try gateway.connect()
            try client.wire.send("POST /out HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n")
            let refused = try #require(try client.next())
            #expect(refused.status == 404)
            #expect(refused["Connection"] == nil)
            try client.wire.send(String(repeating: "x", count: 20_000) + "GET /in HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.next()?.text == "hello")

            try client.wire.send("POST /out HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n")
            let seen4 = try client.next()
            #expect(seen4?["Connection"] == "close")
            try client.wire.send(String(repeating: "x", count: 1_000_000))
            #expect(client.wire.isClosedByPeer())
        }
    }

    @Test func anUpgradeIsIgnored() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            let answer = try gateway.get(
                "/", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: x")
            #expect(answer.status == 200)
        }
        let request = try #require(upstream.requests.first)
        #expect(request["Upgrade"] == nil)
        #expect(request["HTTP2-Settings"] == nil)
        #expect(request["Connection"] == nil)
    }
}
