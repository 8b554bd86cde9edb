import Foundation
import Synchronization
import NIOHTTP1
import TestSupport
import Testing

/// What clients were answered that go on until they are told to stop.
private final class Load: Sendable {
    private let state = Mutex((sent: 0, failed: [String](), isOver: false))

    var isOver: Bool { state.withLock { $0.isOver } }
    var counts: (sent: Int, failed: [String]) { state.withLock { ($0.sent, $0.failed) } }

    /// nil: there was no answer.
    func count(_ answer: HTTP.Response?) {
        state.withLock { state in
            state.sent += 1
            if answer?.status != 200 { state.failed.append("\(answer?.status ?? 0) \(answer?.body ?? "")") }
        }
    }

    func end() { state.withLock { $0.isOver = true } }
}

/// A running `weir serve` whose configuration changes.
@Suite struct ReloadTests {
    private static func configuration(_ upstream: Upstream, rate: String = "100/minute", more: String = "") -> String {
        """
        identity:
          header: X-Tenant
        limits:
          - {name: global, per: tenant, rate: \(rate)}
        services:
          - name: payment
            routes: [{path: /payment}]
            upstreams: ["http://127.0.0.1:\(upstream.port)"]
        \(more)
        """
    }

    private static func ended(_ weir: WeirProcess, _ lines: Int, _ text: String = "was read again") -> Bool {
        weir.log.split(separator: "\n").count { $0.contains(text) } >= lines
    }

    private static func remaining(_ weir: WeirProcess) async throws -> String? {
        try await HTTP.get(weir.gateway, "/payment", tenant: "acme").fields.first(name: "RateLimit")
    }

    @Test func aChangedFileIsReadAndCountersGoOn() async throws {
        let upstream = try await Upstream.start()
        let weir = try await WeirProcess.serve(Self.configuration(upstream))
        for _ in 0..<10 { _ = try await HTTP.get(weir.gateway, "/payment", tenant: "acme") }
        #expect(try await HTTP.get(weir.gateway, "/catalog", tenant: "acme").status == 404)

        let catalog = """
              - name: catalog
                routes: [{path: /catalog}]
                upstreams: ["http://127.0.0.1:\(upstream.port)"]
                limits: [{name: catalog, per: tenant, rate: 1/\(LongWindow.period)}]
            """
        try weir.reconfigure(Self.configuration(upstream, rate: "50/minute", more: catalog))
        try await eventually("the file is read") { Self.ended(weir, 1) }

        #expect(weir.log.contains("limit global 100/minute is now 50/minute"))
        #expect(weir.log.contains("service catalog added"))
        #expect(try await Self.remaining(weir)?.hasPrefix("\"global\";r=39") == true)
        #expect(try await HTTP.get(weir.gateway, "/catalog", tenant: "acme").status == 200)
        #expect(try await HTTP.get(weir.gateway, "/catalog", tenant: "acme").status == 429)
        let limits = try await HTTP.get(weir.control, "/v1/tenants/acme/limits").body
        #expect(limits.contains("50/minute") && limits.contains("catalog"))
        #expect(try await weir.metric("weir_requests_total{service=\"catalog\"") == 2)
        #expect(
            try await weir.metric("weir_decisions_total{limit=\"catalog\",service=\"catalog\",outcome=\"denied\"") == 1)
        weir.stop()
        try await upstream.stop()
    }

    @Test func aFileThatIsWrongIsRefusedWholeWithItsReasons() async throws {
        let upstream = try await Upstream.start()
        let weir = try await WeirProcess.serve(Self.configuration(upstream))
        try weir.reconfigure(Self.configuration(upstream, rate: "5/minute") + "\n  - nam: nothing\n")
        weir.hangUp()
        try await eventually("it is refused") { Self.ended(weir, 1, "was not read again") }
        #expect(weir.log.contains("did you mean `name`?"))
        #expect(try await Self.remaining(weir)?.hasPrefix("\"global\";r=99") == true)

        try weir.reconfigure(
            Self.configuration(upstream).replacing("identity:", with: "store: {redis: redis://127.0.0.1:1}\nidentity:"))
        weir.hangUp()
        try await eventually("it is refused") { Self.ended(weir, 1, "`store` cannot change while Weir runs") }
        #expect(try await Self.remaining(weir)?.hasPrefix("\"global\";r=98") == true)
        weir.stop()
        try await upstream.stop()
    }

    @Test func countersInRedisGoOnAndLaterLimitsCountThere() async throws {
        let redis = try await RedisServer.start()
        let upstream = try await Upstream.start()
        let store = "store: {redis: \"redis://127.0.0.1:\(redis.port)\", deadline: 500ms}\n"
        let weir = try await WeirProcess.serve(store + Self.configuration(upstream))
        for _ in 0..<10 { _ = try await HTTP.get(weir.gateway, "/payment", tenant: "acme") }
        let more = """
                limits: [{name: more, per: tenant, rate: 3/\(LongWindow.period)}, {name: all, per: everyone, rate: 1000/s}]
            """
        try weir.reconfigure(store + Self.configuration(upstream, more: more))
        weir.hangUp()
        try await eventually("the file is read") { Self.ended(weir, 1) }
        #expect(try await Self.remaining(weir)?.contains("\"global\";r=89") == true)
        var answers: [Int] = []
        for _ in 0..<3 { answers.append(try await HTTP.get(weir.gateway, "/payment", tenant: "acme").status) }
        #expect(answers == [200, 200, 429])
        #expect(try await weir.degradedDecisions() == 0)
        weir.stop()
        redis.stop()
        try await upstream.stop()
    }

    @Test func overridesStayInForce() async throws {
        let upstream = try await Upstream.start()
        let weir = try await WeirProcess.serve(Self.configuration(upstream))
        let set = try await HTTP.send(
            .PUT, weir.control, "/v1/tenants/acme/overrides/global", body: #"{"rate":"7/minute"}"#)
        #expect(set.status == 200)
        let more = """
              - name: catalog
                routes: [{path: /catalog}]
                upstreams: ["http://127.0.0.1:\(upstream.port)"]
            """
        try weir.reconfigure(Self.configuration(upstream, rate: "50/minute", more: more))
        weir.hangUp()
        try await eventually("the file is read") { Self.ended(weir, 1) }
        let answer = try await HTTP.get(weir.gateway, "/catalog", tenant: "acme")
        #expect(answer.fields.first(name: "RateLimit-Policy") == "\"global\";q=7;w=60")
        weir.stop()
        try await upstream.stop()
    }

    /// Services are put before and behind the one that is asked, so that its place changes each time.
    @Test func reloadsUnderLoadLoseNoRequestAndNoCount() async throws {
        let upstream = try await Upstream.start()
        let weir = try await WeirProcess.serve(Self.configuration(upstream, rate: "1000000/day"))
        let load = Load()
        try await withThrowingTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    while !load.isOver {
                        let answer = try? await HTTP.get(weir.gateway, "/payment", tenant: "acme")
                        load.count(answer)
                    }
                }
            }
            for round in 1...10 {
                let other = """
                    - name: other-\(round)
                      routes: [{path: /other}]
                      upstreams: ["http://127.0.0.1:\(upstream.port)"]
                      limits: [{name: other-\(round), per: tenant, rate: \(round)/minute}]
                    """
                let text = Self.configuration(upstream, rate: "\(1_000_000 + round)/day")
                let place = text.range(of: "services:\n")!.upperBound
                try weir.reconfigure(
                    round % 2 == 0
                        ? text + "\n" + other.indented(2) : text[..<place] + other.indented(2) + "\n" + text[place...])
                weir.hangUp()
                try await eventually("round \(round) is read") { Self.ended(weir, round) }
            }
            load.end()
            try await group.waitForAll()
        }
        let (sent, failed) = load.counts
        #expect(failed.isEmpty, "of \(sent)")
        let budget = try await HTTP.get(weir.control, "/v1/tenants/acme/budget").body
        #expect(budget.contains("\"used\":\(sent)"), "\(budget) of \(sent)")
        #expect(try await weir.metric("weir_requests_total{service=\"payment\",status=\"200\"}") == Double(sent))
        weir.stop()
        try await upstream.stop()
    }
}

extension String {
    fileprivate func indented(_ spaces: Int) -> String {
        split(separator: "\n").map { String(repeating: " ", count: spaces) + $0 }.joined(separator: "\n")
    }
}
