import Gateway
import Synchronization
import Telemetry
import TestSupport
import Testing
import WeirConfiguration

/// Requests that go to a second version, by copies or by shares.
@Suite struct MigrationTests {
    private static func yaml(_ first: TestUpstream, _ second: TestUpstream, _ declaration: String) -> String {
        """
        gateway: {trusted_proxies: [127.0.0.1]}
        identity: {header: X-Tenant}
        services:
          - name: orders
            routes: [{path: /}]
            upstreams: ["http://127.0.0.1:\(first.port)"]
            \(declaration)
          - name: orders-v2
            upstreams: ["http://127.0.0.1:\(second.port)"]
        """
    }

    private static func answering(_ status: String, _ body: String) -> TestUpstream {
        TestUpstream.answering { _ in "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)" }
    }

    private static func with(
        _ first: TestUpstream, _ second: TestUpstream, _ declaration: String,
        _ body: (Fixture, Metrics) async throws -> Void
    ) async throws {
        defer {
            first.stop()
            second.stop()
        }
        var setup = Setup(yaml: yaml(first, second, declaration))
        let metrics = Metrics(services: ["orders", "orders-v2"], limits: [], workers: 2)
        setup.metrics = metrics
        try await withGateway(setup) { try await body($0, metrics) }
    }

    private static func report(_ metrics: Metrics) -> MirrorFigures.Report? {
        metrics.migrations.statuses.first?.mirror?.report
    }

    // MARK: Mirrors

    @Test func aMirroredRequestIsTheSameAndNobodyGetsItsAnswer() async throws {
        let (first, second) = (Self.answering("200 OK", "one"), Self.answering("500 Internal Server Error", "two"))
        try await Self.with(first, second, "mirror: {to: orders-v2}") { gateway, metrics async throws in
            let answer = try gateway.get("/a?b=c", "X-Tenant: acme", "X-Own: value")
            #expect(answer.status == 200 && answer.text == "one")
            #expect(await eventually { Self.report(metrics)?.compared == 1 })
            let report = try #require(Self.report(metrics))
            #expect(report.same == 0 && report.statuses == [[200, 500]: 1])
            let difference = try #require(report.differences.first)
            #expect(difference.method == "GET" && difference.path == "/a" && difference.second.status == 500)
            #expect(difference.requestID == answer["X-Request-Id"])
            let (one, other) = (try #require(first.requests.first), try #require(second.requests.first))
            #expect(one.startLine == other.startLine)
            for name in ["X-Tenant", "X-Weir-Tenant", "X-Own", "X-Forwarded-For", "X-Request-Id", "Host"] {
                #expect(one[name] == other[name], "\(name)")
            }
        }
    }

    @Test func aHangingSecondVersionDelaysNobody() async throws {
        let first = Self.answering("200 OK", "one")
        let second = TestUpstream { upstream, wire, _ in
            while let request = try MessageReader(wire).next(isResponse: false) { upstream.note(request) }
        }
        let declaration = "mirror: {to: orders-v2, timeout: 200ms, in_flight: 4}"
        try await Self.with(first, second, declaration) { gateway, metrics async throws in
            let reader = try gateway.connect()
            for _ in 0..<20 {
                try reader.wire.send("GET / HTTP/1.1\r\nHost: weir.test\r\nX-Tenant: acme\r\n\r\n")
                #expect(try reader.next()?.status == 200)
            }
            #expect(await eventually { Self.report(metrics).map { $0.compared + $0.leftOut } == 20 })
            let report = try #require(Self.report(metrics))
            #expect(report.unanswered == report.compared && report.leftOut > 0)
        }
    }

    @Test(arguments: [
        "Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
    ])
    func bodiesAreMirroredWhereTheMethodIsNamed(body: String) async throws {
        let (first, second) = (TestUpstream.echoing(), TestUpstream.echoing())
        let declaration = "mirror: {to: orders-v2, methods: [POST]}"
        try await Self.with(first, second, declaration) { gateway, metrics async throws in
            let request = "POST / HTTP/1.1\r\nHost: weir.test\r\nX-Tenant: acme\r\n" + body
            #expect(try gateway.ask(request).text == "hello")
            #expect(await eventually { Self.report(metrics)?.same == 1 })
            #expect(second.requests.first?.text == "hello")
        }
    }

    @Test func longBodiesAndOtherMethodsAreNot() async throws {
        let (first, second) = (TestUpstream.echoing(), TestUpstream.echoing())
        let declaration = "mirror: {to: orders-v2, methods: [POST], max_body: 4}"
        try await Self.with(first, second, declaration) { gateway, metrics async throws in
            let head = "HTTP/1.1\r\nHost: weir.test\r\nX-Tenant: acme\r\n"
            #expect(try gateway.ask("POST / \(head)Content-Length: 5\r\n\r\nhello").text == "hello")
            let chunked = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
            #expect(try gateway.ask("POST / \(head)\(chunked)").text == "hello")
            #expect(try gateway.ask("PUT / \(head)Content-Length: 2\r\n\r\nok").text == "ok")
            #expect(await eventually { Self.report(metrics)?.leftOut == 2 })
            #expect(second.requests.isEmpty)
        }
    }

    @Test func aShareIsMirroredEvenly() async throws {
        let (first, second) = (Self.answering("200 OK", "one"), Self.answering("200 OK", "two"))
        try await Self.with(first, second, "mirror: {to: orders-v2, share: 25%}") { gateway, metrics async throws in
            let reader = try gateway.connect()
            for _ in 0..<40 {
                try reader.wire.send("GET / HTTP/1.1\r\nHost: weir.test\r\nX-Tenant: acme\r\n\r\n")
                #expect(try reader.next()?.status == 200)
            }
            #expect(await eventually { Self.report(metrics)?.same == 10 })
            #expect(second.requests.count == 10)
            // One connection is enough for requests that come one after the other.
            #expect(second.connections < 10)
        }
    }

    @Test func whatTheSecondVersionRefusesOrResetsIsUnanswered() async throws {
        let first = Self.answering("200 OK", "one")
        let second = TestUpstream { _, wire, _ in _ = try MessageReader(wire).next(isResponse: false) }
        try await Self.with(first, second, "mirror: {to: orders-v2}") { gateway, metrics async throws in
            #expect(try gateway.get("/", "X-Tenant: acme").status == 200)
            #expect(await eventually { Self.report(metrics)?.unanswered == 1 })
            second.stop()
            #expect(try gateway.get("/", "X-Tenant: acme").status == 200)
            #expect(await eventually { Self.report(metrics)?.unanswered == 2 })
        }
    }

    // MARK: Shifts

    private static func versions(_ gateway: Fixture, tenants: Int) throws -> [String] {
        let reader = try gateway.connect()
        return try (0..<tenants).map { number in
            try reader.wire.send("GET / HTTP/1.1\r\nHost: weir.test\r\nX-Tenant: tenant-\(number)\r\n\r\n")
            return try reader.next()?.text ?? ""
        }
    }

    @Test func aShareOfTenantsMovesAndStaysThere() async throws {
        let (first, second) = (Self.answering("200 OK", "one"), Self.answering("200 OK", "two"))
        let declaration = "shift: {to: orders-v2, start: 2020-01-01T00:00:00Z, steps: [25%], every: 1h}"
        try await Self.with(first, second, declaration) { gateway, metrics async throws in
            let versions = try Self.versions(gateway, tenants: 400)
            let moved = versions.count { $0 == "two" }
            #expect((60...140).contains(moved), "\(moved) of 400")
            #expect(try Self.versions(gateway, tenants: 400) == versions)
            let shift = try #require(metrics.migrations.statuses.first?.shift)
            #expect(shift.share == 2500 && !shift.isReturned)
            #expect(shift.second?.requests == 2 * moved && shift.first?.requests == 2 * (400 - moved))
        }
    }

    @Test func beforeItsStartNobodyMoves() async throws {
        let (first, second) = (Self.answering("200 OK", "one"), Self.answering("200 OK", "two"))
        let declaration = "shift: {to: orders-v2, start: 2999-01-01T00:00:00Z}"
        try await Self.with(first, second, declaration) { gateway, _ async throws in
            #expect(try Self.versions(gateway, tenants: 50).allSatisfy { $0 == "one" })
        }
    }

    @Test func aSecondVersionThatFailsLosesAllItsTenants() async throws {
        let (first, second) = (Self.answering("200 OK", "one"), Self.answering("503 Service Unavailable", "two"))
        let declaration =
            "shift: {to: orders-v2, start: 2020-01-01T00:00:00Z, steps: [50%], return: {requests: 10, window: 1m}}"
        try await Self.with(first, second, declaration) { gateway, metrics async throws in
            let versions = try Self.versions(gateway, tenants: 100)
            #expect(versions.count { $0 == "two" } == 10)
            #expect(versions.suffix(20).allSatisfy { $0 == "one" })
            #expect(metrics.migrations.statuses.first?.shift?.isReturned == true)
            var text = ""
            metrics.render(store: [], into: &text)
            #expect(text.contains(#"weir_shift_returned{service="orders",to="orders-v2"} 1"#))
            #expect(text.contains(#"weir_shift_share{service="orders",to="orders-v2"} 0"#))
        }
    }

    @Test func answersThatBreakOffAreFailuresOfTheSecondVersion() async throws {
        let first = Self.answering("200 OK", "one")
        let second = TestUpstream.sending("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npart")
        let declaration =
            "shift: {to: orders-v2, start: 2020-01-01T00:00:00Z, steps: [50%], return: {requests: 5, window: 1m}}"
        try await Self.with(first, second, declaration) { gateway, metrics async throws in
            for number in 0..<60 { _ = try? gateway.get("/", "X-Tenant: tenant-\(number)") }
            #expect(metrics.migrations.statuses.first?.shift?.isReturned == true)
        }
    }

    @Test func whatASecondVersionsFallbackAnswersIsAFailureOfTheSecondVersion() async throws {
        let (first, second) = (Self.answering("200 OK", "one"), Self.answering("503 Service Unavailable", "two"))
        defer {
            first.stop()
            second.stop()
        }
        let declaration =
            "shift: {to: orders-v2, start: 2020-01-01T00:00:00Z, steps: [50%], return: {requests: 5, window: 1m}}"
        let text = Self.yaml(first, second, declaration) + "\n    on_failure: {fallback: orders}\n"
        var setup = Setup(yaml: text)
        let metrics = Metrics(services: ["orders", "orders-v2"], limits: [], workers: 2)
        setup.metrics = metrics
        try await withGateway(setup) { gateway async throws in
            #expect(try Self.versions(gateway, tenants: 60).allSatisfy { $0 == "one" })
            #expect(metrics.migrations.statuses.first?.shift?.isReturned == true)
        }
    }

    @Test func aRequestThatMeetsAStaleConnectionIsMirroredOnce() async throws {
        // Each connection is closed after its first answer, without a word.
        let first = TestUpstream { upstream, wire, _ in
            guard let request = try MessageReader(wire).next(isResponse: false) else { return }
            upstream.note(request)
            try wire.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none")
        }
        let second = Self.answering("200 OK", "two")
        try await Self.with(first, second, "mirror: {to: orders-v2}") { gateway, metrics async throws in
            for _ in 0..<5 { #expect(try gateway.get("/", "X-Tenant: acme").text == "one") }
            #expect(await eventually { Self.report(metrics)?.same == 5 })
            #expect(second.requests.count == 5)
        }
    }
}
