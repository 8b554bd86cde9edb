import HTTPWire
import LimiterCore
import NIOCore
import Testing
import TestSupport

@testable import Gateway

struct LimitFieldsTests {
    private func head(_ limits: [LimitDeclaration], _ verdicts: [Verdict], isLegacy: Bool = false) throws -> String {
        var scope = LimitScope()
        for limit in limits { try scope.declare(limit) }
        let service = scope.service("payment")
        let table = LimitTable(
            global: scope,
            services: [LimitTable.ServiceLimits(name: "payment", scope: service, routes: [("/", service.route("/"))])])
        let fields = LimitFields(table.services[0].routes[0])
        var decision = Decision()
        for verdict in verdicts { decision.append(verdict, isEnforced: true) }
        var buffer = ByteBuffer()
        buffer.append(atMost: fields.headBound) { fields.writeHead(decision, isLegacy: isLegacy, to: &$0) }
        return String(buffer: buffer)
    }

    private func verdict(_ limit: Int64, _ remaining: Int64, next: Int64 = 0, full: Int64 = 0) -> Verdict {
        Verdict(
            isAllowed: true, limit: limit, remaining: remaining, nextUnitMicroseconds: next, fullMicroseconds: full,
            retryMicroseconds: 0)
    }

    @Test func policiesAndWhatIsLeftAreListedInOneOrder() throws {
        let text = try head(
            [declared("payment", "10/minute", burst: 10), declared("global", "100/minute")],
            [verdict(10, 7, next: 5_000_001), verdict(100, 93)])
        #expect(
            text == "RateLimit-Policy: \"payment\";q=10;w=60, \"global\";q=100;w=60\r\n"
                + "RateLimit: \"payment\";r=7;t=6, \"global\";r=93\r\n")
    }

    @Test func shadowLimitsAreNotShown() throws {
        let text = try head(
            [declared("trial", "1/s", shadow: true), declared("real", "5/s")], [verdict(1, 0), verdict(5, 4)])
        #expect(text == "RateLimit-Policy: \"real\";q=5;w=1\r\nRateLimit: \"real\";r=4\r\n")
    }

    @Test func legacyFieldsNameTheTightestLimit() throws {
        let text = try head(
            [declared("a", "10/minute"), declared("b", "5/minute")],
            [verdict(10, 7), verdict(5, 2, next: 1, full: 30_500_000)], isLegacy: true)
        #expect(text.hasSuffix("X-RateLimit-Limit: 5\r\nX-RateLimit-Remaining: 2\r\nX-RateLimit-Reset: 31\r\n"))
    }

    @Test func nothingIsSaidWhereNobodyDecided() throws {
        #expect(try head([declared("a", "10/minute")], []) == "")
        #expect(try head([], []) == "")
    }

    @Test func theLongestNumbersFit() throws {
        let text = try head(
            [declared("a", "10/minute")], [verdict(.max, .max, next: .max / 2, full: .max / 2)], isLegacy: true)
        #expect(text.contains("r=9223372036854775807"))
    }
}

struct SecondsTests {
    @Test(arguments: [(0, "0.000"), (1, "0.001"), (1000, "0.001"), (5_431_001, "5.432"), (60_000_000, "60.000")])
    func secondsAreRoundedUpToTheMillisecond(microseconds: Int64, text: String) {
        var buffer = ByteBuffer()
        buffer.append(atMost: 24) { $0.write(secondsRoundedUp: microseconds) }
        #expect(String(buffer: buffer) == text)
    }
}
