import Foundation
import LimiterCore
import Telemetry
import TestSupport
import Testing

/// Every exchange is counted and logged once, however it ends.
struct AccountingTests {
    @Test func everyEndIsCountedOnce() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        var setup = Setup([(name: "shop", path: "/shop", upstreams: [upstream.port])])
        setup.limits = [
            try declared("all", per: [], "2/minute"), try declared("trial", per: [], "1/minute", shadow: true),
        ]
        let metrics = Metrics(services: ["shop"], limits: [("all", nil), ("trial", nil)], workers: 2)
        setup.metrics = metrics
        try await withGateway(setup) { gateway async throws in
            for status in [200, 200, 429] { #expect(try gateway.get("/shop").status == status) }
            #expect(try gateway.get("/nowhere").status == 404)
            #expect(try gateway.ask("GET / HTTP/1.1\r\n\r\n").status == 400)
        }
        var text = ""
        metrics.render(store: [], into: &text)
        let lines = text.split(separator: "\n")
        func value(_ parts: String...) -> Substring? {
            lines.first { line in parts.allSatisfy { line.contains($0) } }?.split(separator: " ").last
        }
        #expect(value("weir_requests_total", "service=\"shop\"", "200") == "2")
        #expect(value("weir_requests_total", "service=\"shop\"", "429") == "1")
        #expect(value("weir_requests_total", "404") == "1")
        #expect(value("weir_requests_total", "400") == "1")
        #expect(value("weir_decisions_total", "limit=\"all\"", "\"allowed\"") == "2")
        #expect(value("weir_decisions_total", "limit=\"all\"", "\"denied\"") == "1")
        #expect(value("weir_decisions_total", "limit=\"trial\"", "shadow") == "2")
    }

    @Test func theAccessLogTellsWhoAskedWhatAndHowItEnded() async throws {
        let path = NSTemporaryDirectory() + "weir-access-\(UInt64.random(in: 0 ... .max)).log"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        let log = try AccessLog(.file(path))
        var setup = Setup([(name: "shop", path: "/shop", upstreams: [upstream.port])])
        setup.identity = LimitingTests.identity()
        setup.limits = [try declared("all", "1/minute")]
        setup.accessLog = log
        try await withGateway(setup) { gateway async throws in
            let answer = try gateway.get("/shop/x?secret=1", "X-API-Key: demo-acme")
            #expect(answer.status == 200)
            #expect(try gateway.get("/shop", "X-API-Key: demo-acme").status == 429)
            #expect(try gateway.get("/shop", "X-API-Key: \"quoted\"").status == 401)
            #expect(try gateway.ask("nonsense\r\n\r\n").status == 400)
        }
        #expect(log.flush(within: .seconds(20)))
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let lines = try text.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(lines.map { $0["status"] as? Int } == [200, 429, 401, 400])
        #expect(lines[0]["path"] as? String == "/shop/x")
        #expect(lines[0]["tenant"] as? String == "acme")
        #expect(lines[0]["service"] as? String == "shop")
        #expect(lines[0]["outcome"] as? String == "allowed")
        #expect(lines[0]["client_ip"] as? String == "127.0.0.1")
        #expect(lines[0]["bytes_out"] as? Int == 5)
        #expect(lines[0]["upstream_ms"] != nil)
        #expect(lines[1]["limited_by"] as? String == "all")
        #expect(lines[1]["upstream_ms"] == nil)
        #expect(!text.contains("secret"))
        #expect(!text.contains("demo-acme"))
    }
}
