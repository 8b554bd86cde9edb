import LoadTester
import Synchronization
import NIOHTTP1
import Testing

/// Runs against limiters that keep a promise and limiters that break it.
@Suite struct LimitRunTests {
    private static func claim(_ plan: inout LoadPlan, _ limit: String = yearly) throws {
        plan.limit = LimitClaim(promise: try Promise(parsing: limit), skew: 1_000_000)
        plan.tenants = try Tenants(parsing: "acme,globex", pattern: "", run: "") { _ in "" }
    }

    /// Admits so many of each tenant.
    private final class Counters: Sendable {
        private let counts = Mutex<[String: Int]>([:])
        private let limit: Int

        init(_ limit: Int) { self.limit = limit }

        func answer(_ request: StubServer.Request) -> StubServer.Answer {
            let tenant = request.fields["x-tenant"].first ?? ""
            let count = counts.withLock { counts in
                counts[tenant, default: 0] += 1
                return counts[tenant]!
            }
            return count <= limit ? StubServer.Answer() : .status(429, ["Retry-After": "9999"])
        }
    }

    @Test func aLimitThatWasKeptIsReportedAsKept() async throws {
        let counters = Counters(10)
        try await StubServer.run(answer: { counters.answer($0) }) { server in
            let report = try await report(
                on: server.port,
                assertions: "over_admission==0,under_admission==0,retry_after_dishonest==0,tenant_fairness==1"
            ) { try Self.claim(&$0) }
            #expect(report.isPassed)
            #expect(report.accuracy?.admittedUnits == 20)
            #expect(report.accuracy?.refusedRequests == 80)
            #expect(report.limitCurve?.points.last?.units == 10)
        }
    }

    @Test func aLimiterThatLetsTooMuchThroughIsFoundOut() async throws {
        let counters = Counters(15)
        try await StubServer.run(answer: { counters.answer($0) }) { server in
            let report = try await report(on: server.port, assertions: "over_admission==0") { try Self.claim(&$0) }
            #expect(!report.isPassed)
            #expect(report.accuracy?.overAdmissionPercent == 50)
            #expect(report.accuracy?.tenantsOver == 2)
            #expect(report.accuracy?.worstWindow?.admitted == 15)
            #expect(TextReport.text(report).contains(": 15 in one clock window (at most 10)"))
        }
    }

    @Test func aLimiterThatRefusesTooSoonIsFoundOut() async throws {
        let counters = Counters(5)
        try await StubServer.run(answer: { counters.answer($0) }) { server in
            let report = try await report(on: server.port) { try Self.claim(&$0) }
            #expect(report.accuracy?.overAdmissionPercent == 0)
            // Of ten each, five did not get through.
            #expect(report.accuracy?.underAdmissionPercent == 50)
            #expect(report.accuracy?.wrongRefusals ?? 0 > 60)
        }
    }

    @Test func aProbeFindsATimeThatIsTooShort() async throws {
        // The first passes; then it always says a second, and never lets anyone through again.
        try await StubServer.run(answer: { $0.number < 1 ? StubServer.Answer() : .status(429, ["Retry-After": "1"]) }) {
            server in
            var plan = LoadPlan(
                targets: [try Target(parsing: "http://127.0.0.1:\(server.port)/")], requests: try Requests(),
                phases: [try Phase(parsing: "hold:6s:1")], seed: 1)
            plan.pace = .open(.even)
            try Self.claim(&plan)
            let report = Report(try await LoadTest(plan, probeNames: ["probe"]).run())
            let probe = try #require(report.retryProbe)
            #expect(probe.tenants == 1)
            #expect(probe.refusedWhenDue >= 1)
            #expect(probe.passedWhenDue == 0)
            #expect(server.requests.contains { $0.fields["x-tenant"] == ["probe"] })
        }
    }

    @Test func missingRetryAfterIsCounted() async throws {
        try await StubServer.run(answer: { _ in .status(429) }) { server in
            let report = try await report(on: server.port, requests: 30) { try Self.claim(&$0) }
            #expect(report.accuracy?.retryAfterMissing == 30)
        }
    }

    @Test func aRunThatNeverTriedTheLimitShowsNothing() async throws {
        try await StubServer.run(answer: { _ in .status(404) }) { server in
            let report = try await report(
                on: server.port, requests: 10, assertions: "over_admission==0,under_admission==0"
            ) {
                try Self.claim(&$0)
            }
            #expect(!report.isPassed)
            #expect(report.assertions.allSatisfy { $0.value == nil })
            #expect(TextReport.text(report).contains("nothing is shown about the limit"))
        }
    }
}
