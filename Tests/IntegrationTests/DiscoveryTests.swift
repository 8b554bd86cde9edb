import Foundation
import NIOHTTP1
import Synchronization
import TestSupport
import Testing

/// A running `weir serve` whose upstreams are found in DNS and in files.
@Suite struct DiscoveryTests {
    private static let headless = [
        "accounts", "audit", "basket", "billing", "catalog", "checkout", "customers", "delivery", "discounts",
        "inventory",
    ]
    private static let registered = [
        "invoices", "mail", "orders", "payments", "pricing", "reports", "returns", "reviews", "search", "stock",
    ]

    /// The sample as it stands, with this DNS server, and this port of the headless services.
    private static func sample(dns: DNSServer, port: Int) throws -> String {
        try WrittenConfiguration.sample("dns-discovery.yaml").substituting([
            "127.0.0.1:8600": "127.0.0.1:\(dns.port)", ":8080\"}": ":\(port)\"}",
        ])
    }

    /// Which upstreams answer a service's requests, or what is answered in their place.
    private func answering(_ weir: WeirProcess, _ service: String, _ requests: Int) async throws -> Set<String> {
        var upstreams: Set<String> = []
        for _ in 0..<requests {
            let answer = try await HTTP.get(weir.gateway, "/\(service)")
            upstreams.insert(answer.status == 200 ? answer.body : "\(answer.status): \(answer.body)")
        }
        return upstreams
    }

    @Test func twentyServicesAreFoundInDNS() async throws {
        let (first, second) = (try await Upstream.start(tellsWhere: true), try await Upstream.start(tellsWhere: true))
        let dns = try DNSServer()
        defer { dns.stop() }
        for (index, name) in Self.headless.enumerated() {
            dns.set("\(name).default.svc.cluster.local", [.a("127.0.1.\(index + 1)"), .a("127.0.2.\(index + 1)")])
        }
        for (index, name) in Self.registered.enumerated() {
            dns.set(
                "_http._tcp.\(name).service.consul",
                [
                    .srv(weight: 1, port: UInt16(first.port), target: "\(name)-1.node.consul"),
                    .srv(weight: 2, port: UInt16(second.port), target: "\(name)-2.node.consul"),
                    .srv(priority: 1, port: 1, target: "\(name)-1.node.consul"),
                ])
            dns.set("\(name)-1.node.consul", [.a("127.0.3.\(index + 1)")])
            dns.set("\(name)-2.node.consul", [.a("127.0.4.\(index + 1)")])
        }
        let weir = try await WeirProcess.serve(asWritten: Self.sample(dns: dns, port: first.port))
        defer { weir.stop() }

        for (index, name) in Self.headless.enumerated() {
            let both: Set = ["127.0.1.\(index + 1):\(first.port)", "127.0.2.\(index + 1):\(first.port)"]
            let found = try await answering(weir, name, 4)
            // That one goes by the client's address.
            #expect(name == "checkout" ? found.count == 1 && found.isSubset(of: both) : found == both)
        }
        for (index, name) in Self.registered.enumerated() {
            let found = try await answering(weir, name, 6)
            #expect(found == ["127.0.3.\(index + 1):\(first.port)", "127.0.4.\(index + 1):\(second.port)"])
        }
        #expect(try await weir.metric("weir_upstream_healthy{service=\"orders\"") == 3)
        #expect(try await weir.metric("weir_upstream_healthy{service=\"accounts\"") == 2)

        // All of them move. Nobody notices but who looks where the answers come from.
        for (index, name) in Self.headless.enumerated() {
            dns.set("\(name).default.svc.cluster.local", [.a("127.0.5.\(index + 1)")])
        }
        for (index, name) in Self.registered.enumerated() {
            dns.set(
                "_http._tcp.\(name).service.consul",
                [.srv(port: UInt16(second.port), target: "\(name)-3.node.consul")])
            dns.set("\(name)-3.node.consul", [.a("127.0.6.\(index + 1)")])
        }
        let moved = (Self.headless + Self.registered).enumerated().map { index, name in
            (name, index < 10 ? "127.0.5.\(index + 1):\(first.port)" : "127.0.6.\(index - 9):\(second.port)")
        }
        for (name, expected) in moved {
            try await eventually(within: .seconds(20), "\(name) has moved to \(expected)") {
                try await answering(weir, name, 2) == [expected]
            }
        }

        // The DNS server goes, and what it said last stays.
        dns.set(.serverFailure)
        try await eventually(within: .seconds(20), "that is noticed") {
            weir.log.contains("no DNS server gave an answer")
        }
        for (name, expected) in moved { #expect(try await answering(weir, name, 2) == [expected]) }
        #expect(weir.terminate() == 0)
        try await first.stop()
        try await second.stop()
    }

    @Test func theSampleIsValidAsItStands() throws {
        let run = try validating(WrittenConfiguration.sample("dns-discovery.yaml"))
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("valid: 20 services, 20 routes, 1 limit"))
    }

    /// Two pods of some of the sample's services, of which one, and then both, are in trouble.
    @Test func podsInTroubleArePassedOver() async throws {
        let first = try await ScriptedUpstream.start(host: "127.0.8.1") { _ in .init(body: "first") }
        let second = try await ScriptedUpstream.start(host: "127.0.8.2", port: first.port) { _ in .init(body: "second")
        }
        let dns = try DNSServer()
        defer { dns.stop() }
        for name in Self.headless {
            dns.set("\(name).default.svc.cluster.local", [.a("127.0.8.1"), .a("127.0.8.2")])
        }
        let weir = try await WeirProcess.serve(asWritten: Self.sample(dns: dns, port: first.port))
        defer { weir.stop() }
        #expect(try await answering(weir, "customers", 4) == ["first", "second"])

        // Of what is asked at another pod nobody notices; of others some requests fail until five in a row have.
        first.answer(.serviceUnavailable)
        #expect(try await answering(weir, "catalog", 4) == ["second"])
        var failed = 0
        for _ in 0..<40 where try await HTTP.get(weir.gateway, "/accounts").status == 503 { failed += 1 }
        #expect(failed == 5)
        try await eventually(within: .seconds(30), "checks find it") {
            try await weir.metric("weir_upstream_healthy{service=\"customers\"") == 1
        }
        #expect(try await answering(weir, "customers", 4) == ["second"])

        second.answer(.serviceUnavailable)
        let stale = try await HTTP.get(weir.gateway, "/catalog")
        #expect(stale.status == 200 && stale.body == "second" && stale.fields.contains(name: "Age"))
        try await eventually(within: .seconds(30), "billing's breaker opens") {
            _ = try await HTTP.get(weir.gateway, "/billing")
            return try await weir.metric("weir_breaker_state{service=\"billing\"") == 2
        }
        first.answer(.ok, "first")
        second.answer(.ok, "second")
        for name in ["billing", "customers", "catalog", "accounts"] {
            try await eventually(within: .seconds(60), "\(name) is well again") {
                try await HTTP.get(weir.gateway, "/\(name)").body.contains(#/^(first|second)$/#)
            }
        }
        weir.stop()
        try await first.stop()
        try await second.stop()
    }

    @Test func aNameThatIsNotThereIs503UntilItAppears() async throws {
        let upstream = try await Upstream.start(tellsWhere: true)
        let dns = try DNSServer()
        defer { dns.stop() }
        let weir = try await WeirProcess.serve(
            """
            dns: {servers: ["127.0.0.1:\(dns.port)"]}
            services:
              - name: later
                routes: [{path: /}]
                upstreams: [{dns: "http://later.test:\(upstream.port)"}]
            """)
        defer { weir.stop() }
        let answer = try await HTTP.get(weir.gateway, "/")
        #expect(answer.status == 503)
        #expect(answer.fields.first(name: "Retry-After") == "1")
        #expect(answer.body.contains("The service has no upstream at the moment."))
        #expect(weir.log.contains("there is nothing at this name in DNS"))
        dns.set("later.test", [.a("127.0.0.9")])
        try await eventually(within: .seconds(20), "it is found") {
            try await HTTP.get(weir.gateway, "/").body == "127.0.0.9:\(upstream.port)"
        }
        try await upstream.stop()
    }

    @Test func aFileOfUpstreamsIsFollowedAndAnotherConfigurationMayNameMore() async throws {
        let upstream = try await Upstream.start(tellsWhere: true)
        let file = FileManager.default.temporaryDirectory.appending(path: "orders-\(UUID().uuidString).upstreams")
        defer { try? FileManager.default.removeItem(at: file) }
        func write(_ lines: String...) throws {
            try lines.map { "- \($0)\n" }.joined().write(to: file, atomically: true, encoding: .utf8)
        }
        func configuration(_ more: String = "") -> String {
            """
            services:
              - name: orders
                routes: [{path: /}]
                upstreams:
                  - file: \(file.path)
            \(more)
            """
        }
        try write("http://127.0.0.2:\(upstream.port)")
        let weir = try await WeirProcess.serve(configuration())
        defer { weir.stop() }
        func isAnswered(by addresses: [Int]) async throws {
            let expected = Set(addresses.map { "127.0.0.\($0):\(upstream.port)" })
            try await eventually(within: .seconds(20), "\(addresses) answer") {
                try await answering(weir, "", 6) == expected
            }
        }
        try await isAnswered(by: [2])
        try write("http://127.0.0.3:\(upstream.port)", "{url: http://127.0.0.4:\(upstream.port), weight: 2}")
        try await isAnswered(by: [3, 4])
        try write("http://127.0.0.5:\(upstream.port)", "{url: nonsense}")
        try await eventually(within: .seconds(20), "the fault is told") { weir.log.contains("\(file.path):2:") }
        try await isAnswered(by: [3, 4])
        // With a file that is wrong, no other configuration is taken, either.
        try write("http://127.0.0.3:\(upstream.port)")
        try await isAnswered(by: [3])
        try weir.reconfigure(configuration("      - http://127.0.0.6:\(upstream.port)"))
        try await isAnswered(by: [3, 6])
        try write("http://127.0.0.7:\(upstream.port)")
        try await isAnswered(by: [6, 7])
        try await upstream.stop()
    }
}
