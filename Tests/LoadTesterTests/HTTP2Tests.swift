import LoadTester
import NIOHTTP1
import Testing

/// HTTP/2 and TLS.
@Suite struct HTTP2Tests {
    @Test func streamsShareAConnection() async throws {
        try await StubServer.run(
            .http2, answer: { $0.number % 10 == 0 ? .status(429, ["Retry-After": "7"]) : StubServer.Answer() }
        ) { server in
            let report = try await report(on: server.port, path: "/a", requests: 300) {
                $0.wire = .http2(streams: 8)
                $0.connections = 2
                $0.requests = try Requests(methods: "POST")
                $0.requests.body = Array("hello".utf8)
                $0.tenants = try Tenants(parsing: "acme", pattern: "", run: "") { _ in "" }
                $0.limit = LimitClaim(promise: try Promise(parsing: "300/52w"), skew: 0)
            }
            #expect(server.requests.count == 300)
            #expect(server.requests.allSatisfy { $0.method == "POST" && $0.path == "/a" && $0.body == "hello" })
            #expect(server.requests.allSatisfy { $0.fields["x-tenant"] == ["acme"] })
            #expect(report.requests.statuses == ["200": 270, "429": 30])
            #expect(report.requests.errors == 0)
            #expect(report.usage.connectionsOpened == 2)
            #expect(report.accuracy?.retryAfterMissing == 0)
        }
    }

    @Test func longBodiesFitThroughTheWindows() async throws {
        let long = String(repeating: "x", count: 30 << 20)
        try await StubServer.run(.http2, answer: { _ in StubServer.Answer(body: long) }) { server in
            let report = try await report(on: server.port, requests: 3) {
                $0.wire = .http2(streams: 1)
                $0.connections = 1
            }
            #expect(report.requests.statuses == ["200": 3])
            #expect(report.requests.bodyBytes == 3 * 30 << 20)
        }
    }

    @Test func aStreamWithoutAnAnswerRunsIntoTheTimeoutAndLeavesTheOthersAlone() async throws {
        try await StubServer.run(.http2, answer: { $0.number == 3 ? .silence : StubServer.Answer() }) { server in
            let report = try await report(on: server.port, requests: 20) {
                $0.wire = .http2(streams: 2)
                $0.connections = 1
                $0.timeout = 5_000_000_000
            }
            #expect(report.requests.errorKinds == ["timeout": 1])
            #expect(report.requests.answered == 19)
            #expect(report.usage.connectionsOpened == 1)
        }
    }

    @Test func anHTTP1ServerIsNoHTTP2Server() async throws {
        try await StubServer.run(.raw("HTTP/1.1 400 Bad Request\r\n\r\n")) { server in
            let error = await #expect(throws: LoadError.self) {
                try await report(on: server.port) {
                    $0.wire = .http2(streams: 1)
                    $0.timeout = 5_000_000_000
                }
            }
            #expect(error?.message.contains("(it ") == true)
        }
    }

    @Test(arguments: [false, true])
    func targetsMayBeBehindTLS(isHTTP2: Bool) async throws {
        let tls = try SelfSigned.context(protocols: isHTTP2 ? ["h2"] : ["http/1.1"])
        try await StubServer.run(isHTTP2 ? .http2 : .http1, tls: tls) { server in
            let report = try await report(on: server.port, scheme: "https", requests: 50) {
                $0.wire = isHTTP2 ? .http2(streams: 4) : .http1
                $0.verifiesCertificates = false
            }
            #expect(report.requests.statuses == ["200": 50])
            #expect(report.requests.errors == 0)
        }
    }

    @Test func aCertificateThatNobodyVouchesForIsNotAccepted() async throws {
        try await StubServer.run(tls: try SelfSigned.context(protocols: ["http/1.1"])) { server in
            let error = await #expect(throws: LoadError.self) { try await report(on: server.port, scheme: "https") }
            #expect(error?.message.contains("TLS failed") == true)
            #expect(server.requests.isEmpty)
        }
    }
}
