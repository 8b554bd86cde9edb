import Logging
import Synchronization
import Telemetry
import TestSupport
import Testing

/// What is said of requests that got no good answer, in the access log, the metrics and the log.
struct CauseTests {
    private final class Warnings: Sendable {
        let all = Mutex<[String]>([])

        var logger: Logger {
            Logger(label: "gateway") { label in
                LineLogHandler(label: label, .json, level: SharedLogLevel(.warning)) { line in
                    self.all.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
                }
            }
        }

        func about(_ cause: String) -> [String] {
            all.withLock { $0.filter { $0.contains("\"cause\":\"\(cause)\"") && $0.contains("no good answer") } }
        }
    }

    /// Asks once and returns the status, what the access log says, and how often the cause was counted.
    private func ask(
        _ port: Int, _ cause: String, _ timeouts: String = "{}", warnings: Warnings = Warnings()
    ) async throws -> (status: Int, cause: String?) {
        let file = try LogFile()
        var setup = Setup(
            yaml: """
                gateway:
                  access_log: {to: stdout, fields: [status, cause, upstream, upstream_status]}
                  timeouts: \(timeouts)
                services:
                  - {name: shop, routes: [{path: /}], upstreams: ["http://127.0.0.1:\(port)"]}
                """)
        setup.accessLog = file.log
        setup.logger = warnings.logger
        let metrics = Metrics(
            services: ["shop"], limits: [], workers: 2,
            traffic: TrafficNames([TrafficNames.Service("shop", routes: ["/"])]))
        setup.metrics = metrics
        var status = 0
        try await withGateway(setup) { gateway async throws in
            let reader = try gateway.connect()
            try reader.wire.send("GET / HTTP/1.1\r\nHost: weir.test\r\n\r\n")
            status = try reader.nextHead()?.status ?? 0
            if cause == "truncated" { while try reader.wire.receive() != nil {} }
        }
        var text = ""
        metrics.render(store: [], into: &text)
        #expect(
            text.contains("weir_upstream_failures_total{service=\"shop\",cause=\"\(cause)\"} 1\n"), "\(cause): \(text)")
        #expect(text.contains("weir_requests_in_flight{service=\"shop\"} 0\n"))
        let line = try #require(try file.objects().first)
        #expect(line["upstream"] as? String == "127.0.0.1:\(port)")
        return (status, line["cause"] as? String)
    }

    @Test func nobodyListens() async throws {
        let warnings = Warnings()
        let answer = try await ask(Failing.unreachablePort, "connect_refused", warnings: warnings)
        #expect(answer == (502, "connect_refused"))
        let line = try #require(warnings.about("connect_refused").first)
        for part in [
            "\"service\":\"shop\"", "\"route\":\"/\"", "\"status\":\"502\"", "\"request_id\":\"", "\"upstream\":\"127",
        ] {
            #expect(line.contains(part), "\(line)")
        }
    }

    @Test(arguments: [
        ("", 502, "reset"), ("HTTP/1.1 2", 502, "reset"), ("nonsense\r\n\r\n", 502, "invalid_response"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", 200, "truncated"),
        ("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", 503, "upstream_status"),
    ])
    func theUpstreamDoesNotDoItsPart(sends: String, status: Int, cause: String) async throws {
        let upstream = TestUpstream.sending(sends)
        defer { upstream.stop() }
        let warnings = Warnings()
        #expect(try await ask(upstream.port, cause, warnings: warnings) == (status, cause))
        #expect(warnings.about(cause).count == 1)
    }

    @Test func noByteComesInTime() async throws {
        let upstream = TestUpstream { _, wire, _ in
            _ = try MessageReader(wire).next(isResponse: false); _ = try wire.receive()
        }
        defer { upstream.stop() }
        #expect(try await ask(upstream.port, "timeout", "{upstream: 50ms}") == (504, "timeout"))
    }

    @Test func manyFailuresOfAKindAreOneLineOfTheLog() async throws {
        let upstream = TestUpstream.answering { _ in "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n" }
        let warnings = Warnings()
        try await withGateway(before: upstream, { $0.logger = warnings.logger }) { gateway async throws in
            for _ in 0..<20 { #expect(try gateway.get("/").status == 500) }
        }
        // One in five seconds.
        #expect((1...2).contains(warnings.about("upstream_status").count))
    }
}
