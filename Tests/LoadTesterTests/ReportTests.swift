import Foundation
import LoadTester
import NIOHTTP1
import Testing

/// What is written down in the end.
@Suite struct ReportTests {
    private static func sample() async throws -> Report {
        var result: Report?
        try await StubServer.run(answer: {
            $0.number % 3 == 0 ? .status(429, ["Retry-After": "60"]) : StubServer.Answer()
        }) { server in
            result = try await report(
                on: server.port, path: "/<a>&b", requests: nil, phases: ["warm-up:200ms:100", "hold:500ms:200"],
                assertions: "p99<1h,refused==0"
            ) {
                $0.tenants = try Tenants(parsing: "<acme>", pattern: "", run: "") { _ in "" }
                $0.limit = LimitClaim(promise: try Promise(parsing: yearly), skew: 0)
            }
        }
        return try #require(result)
    }

    @Test func theTextNamesWhatMatters() async throws {
        let text = TextReport.text(try await Self.sample())
        for part in [
            "open loop, 4 connections on 1 thread, HTTP/1.1", "seed 1", "Requests", "429", "p99.9", "Limit 10/",
            "over ", "under ",
            "Retry-After", "This tool", "FAILS       refused==0", "holds       p99<1h",
        ] { #expect(text.contains(part), "\(part) is missing in:\n\(text)") }
        #expect(!text.contains("\u{1b}"))
        #expect(TextReport.text(try await Self.sample(), style: .coloured).contains("\u{1b}[31;1m"))
    }

    @Test func theJSONIsReadByPrograms() async throws {
        let report = try await Self.sample()
        let object = try JSONSerialization.jsonObject(with: Data(try report.json().utf8))
        let json = try #require(object as? [String: Any])
        #expect(json["tool"] as? String == "weir-bench")
        #expect(json["seed"] as? Int == 1)
        let requests = try #require(json["requests"] as? [String: Any])
        #expect(requests["answered"] as? Int == report.requests.answered)
        #expect(requests["per_second"] as? Double == report.requests.perSecond)
        let latency = try #require(json["latency"] as? [String: Any])
        for key in ["p50_ms", "p90_ms", "p99_ms", "p999_ms", "max_ms", "mean_ms", "count"] {
            #expect(latency[key] != nil, "\(key)")
        }
        let accuracy = try #require(json["accuracy"] as? [String: Any])
        for key in ["over_admission_percent", "under_admission_percent", "worst_window", "retry_after_missing"] {
            #expect(accuracy[key] != nil, "\(key)")
        }
        let assertions = try #require(json["assertions"] as? [[String: Any]])
        #expect(assertions.map { $0["holds"] as? Bool } == [true, false])
    }

    @Test func thePageIsWellFormedAndNeedsNothingElse() async throws {
        let report = try await Self.sample()
        let page = HTMLReport.page(report)
        #expect(!page.contains("<acme>"), "names are escaped")
        #expect(page.contains("&lt;acme&gt;"))
        for reference in ["<script", "<link", "<img", "src=", "href=", "url(", "@import"] {
            #expect(!page.contains(reference))
        }
        #expect(!page.contains("NaN"))
        #expect(page.components(separatedBy: "<svg").count - 1 == 4)
        // Every plot is XML of its own.
        for part in page.components(separatedBy: "<svg").dropFirst() {
            let svg = "<svg" + (part.components(separatedBy: "</svg>").first ?? "") + "</svg>"
            #expect(XMLBalance.isBalanced(svg))
        }
        #expect(XMLBalance.isBalanced(page.replacingOccurrences(of: "<!doctype html>", with: "")))
    }

    /// Twelve tenants, of which those with a low number ask more often; every third request is refused.
    private static func manyTenants() async throws -> Report {
        var result: Report?
        try await StubServer.run(answer: {
            $0.number % 3 == 0 ? .status(429, ["Retry-After": "60"]) : StubServer.Answer()
        }) { server in
            result = try await report(on: server.port, requests: 600) {
                $0.tenants = try Tenants(parsing: "zipf:12", pattern: "tenant-{n}", run: "") { _ in "" }
            }
        }
        return try #require(result)
    }

    @Test func theBusiestTenantsStandInATableAndTheOthersAreSummedUp() async throws {
        let report = try await Self.manyTenants()
        let table = try #require(report.tenants)
        #expect(table.busiest.count == 10)
        #expect(table.busiest[0].tenant == "tenant-1")
        #expect(table.otherTenants == 2)
        let all = table.busiest.map(\.counts) + [table.others]
        func sum(_ value: (TenantTable.Counts) -> Int) -> Int { all.reduce(0) { $0 + value($1) } }
        #expect(sum(\.admitted) == report.requests.admitted)
        #expect(sum(\.refused) == report.requests.refused)
        #expect(sum(\.other) == 0 && sum(\.errors) == 0)
        let totals = table.busiest.map { $0.counts.admitted + $0.counts.refused }
        #expect(totals == totals.sorted(by: >))

        let text = TextReport.text(report)
        #expect(text.contains("\nTenants\n"))
        #expect(text.contains("  tenant-1 "))
        #expect(text.contains("  2 others "))
        let page = HTMLReport.page(report)
        #expect(page.contains("<h2>Tenants</h2>"))
        #expect(page.contains("<td>2 others</td>"))
        #expect(try report.json().contains("\"other_tenants\" : 2"))
    }

    @Test func fewTenantsNeedNoRowForOthersAndAnonymousOnesNoTable() async throws {
        #expect(try await Self.sample().tenants?.otherTenants == 0)
        #expect(try await !TextReport.text(Self.sample()).contains("\nTenants\n"))
        try await StubServer.run(answer: { _ in StubServer.Answer() }) { server in
            let report = try await report(on: server.port, requests: 3) { $0.connections = 1 }
            #expect(report.tenants == nil)
        }
    }

    @Test func aRunWithoutAnAnswerHasAReportToo() async throws {
        try await StubServer.run(answer: { _ in .closed }) { server in
            let report = try await report(on: server.port, requests: 3, assertions: "p99<1h,errors==3") {
                $0.connections = 1
            }
            #expect(report.assertions.map(\.holds) == [false, true])
            #expect(HTMLReport.page(report).contains("weir-bench"))
            #expect(TextReport.text(report).contains("closed before the answer was complete"))
            #expect(try !report.json().isEmpty)
        }
    }
}

/// Whether tags close in the order in which they opened.
private enum XMLBalance {
    private static let empty: Set<String> = ["meta", "br"]

    static func isBalanced(_ text: String) -> Bool {
        var open: [String] = []
        for piece in text.components(separatedBy: "<").dropFirst() {
            let tag = piece.prefix { $0 != ">" }
            if tag.hasSuffix("/") { continue }
            let name = String(tag.drop { $0 == "/" }.prefix { $0.isLetter || $0.isNumber })
            if tag.hasPrefix("/") {
                guard open.popLast() == name else { return false }
            } else if !empty.contains(name) {
                open.append(name)
            }
        }
        return open.isEmpty
    }
}
