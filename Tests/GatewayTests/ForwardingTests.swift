import Testing
import WeirConfiguration

struct ForwardingTests {
    @Test func aRequestAndItsAnswerPassThrough() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway in
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
        try await withGateway(Setup(upstream)) { gateway in
            let client = try gateway.connect()
            for _ in 0..<20 {
                try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try client.next()?.text == "hello")
            }
        }
        #expect(upstream.connections == 1)
        #expect(upstream.requests.count == 20)
    }
}
