/// The report as one page that needs nothing else: no script, no font, no other file.
package struct HTMLReport {
    private let report: Report
    private var parts: [String] = []

    package static func page(_ report: Report) -> String {
        var page = HTMLReport(report: report)
        page.write()
        return page.parts.joined(separator: "\n") + "\n"
    }

    private init(report: Report) { self.report = report }

    private mutating func write() {
        parts.append(
            """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <title>weir-bench: \(HTMLText.escaped(report.setup.targets.first ?? ""))</title>
            <style>\(PageStyle.css)</style></head><body><main>
            """)
        writeHead()
        writeTiles()
        writeAssertions()
        let plots = Plots(report: report)
        section("Throughput", plots.throughput())
        section("Admitted against the limit", plots.limit())
        section("Latency distribution", plots.distribution())
        section("Latency over time", plots.latency())
        writeTables()
        section("As text", "<pre>\(HTMLText.escaped(TextReport.text(report)))</pre>")
        parts.append("</main></body></html>")
    }

    private mutating func section(_ title: String, _ content: String) {
        guard !content.isEmpty else { return }
        parts.append("<section><h2>\(title)</h2>\(content)</section>")
    }

    private mutating func writeHead() {
        let setup = report.setup
        var facts = [
            setup.pace,
            "\(NumberText.count(setup.connections, "connection")) on \(NumberText.count(setup.threads, "thread"))",
            setup.wire, "\(TextReport.seconds(report.measuredSeconds)) measured",
        ]
        if setup.tenantCount > 0 { facts.append(NumberText.count(setup.tenantCount, "tenant")) }
        facts += ["seed \(report.seed)", report.startedAt]
        let targets = setup.targets.map { "<code>\(HTMLText.escaped($0))</code>" }.joined(separator: " ")
        parts.append(
            "<header><h1>weir-bench</h1><p class=\"targets\">\(targets)</p><p class=\"facts\">\(facts.map { "<span>\(HTMLText.escaped($0))</span>" }.joined(separator: " · "))</p></header>"
        )
        for reason in report.usage.saturation + [report.stopReason].compactMap({ $0 }) {
            parts.append("<p class=\"notice\">\(HTMLText.escaped(reason))</p>")
        }
    }

    // MARK: The figures that matter most

    private mutating func writeTiles() {
        var tiles = [
            tile(
                "requests a second", NumberText.significant(report.requests.perSecond),
                NumberText.grouped(report.requests.answered) + " answered"),
            tile(
                "latency, p99", TimeText.show(report.latency.p99Ms * 1e6),
                "median \(TimeText.show(report.latency.p50Ms * 1e6))"),
        ]
        if let accuracy = report.accuracy, accuracy.wasTried {
            let isOver = accuracy.overAdmissionPercent > 0
            tiles.append(
                tile(
                    "over-admission", NumberText.percent(accuracy.overAdmissionPercent),
                    isOver ? NumberText.count(accuracy.tenantsOver, "tenant") + " over" : "the promise was kept",
                    tone: isOver ? "bad" : "good"))
            tiles.append(
                tile(
                    "under-admission", NumberText.percent(accuracy.underAdmissionPercent),
                    NumberText.count(accuracy.wrongRefusals, "wrong refusal"),
                    tone: accuracy.wrongRefusals > 0 ? "warn" : "good"))
        }
        let errors = report.requests.errors + report.requests.other
        tiles.append(
            tile(
                "errors", NumberText.grouped(errors), "\(NumberText.grouped(report.requests.refused)) refused",
                tone: errors > 0 ? "bad" : "good"))
        parts.append("<div class=\"tiles\">\(tiles.joined())</div>")
    }

    private func tile(_ name: String, _ value: String, _ note: String, tone: String = "") -> String {
        "<div class=\"tile \(tone)\"><span>\(name)</span><strong>\(value)</strong><small>\(note)</small></div>"
    }

    private mutating func writeAssertions() {
        guard !report.assertions.isEmpty else { return }
        let rows = report.assertions.map { assertion in
            let tone = assertion.holds ? "good" : "bad"
            return
                "<tr><td class=\"\(tone)\">\(assertion.holds ? "holds" : "fails")</td><td><code>\(HTMLText.escaped(assertion.assertion))</code></td><td>\(HTMLText.escaped(assertion.shown))</td></tr>"
        }
        section("Assertions", "<table>\(rows.joined())</table>")
    }

    // MARK: Tables

    private mutating func writeTables() {
        var rows = report.requests.statuses.sorted { $0.key < $1.key }.map { [$0.key, NumberText.grouped($0.value)] }
        rows += report.requests.errorKinds.sorted { $0.key < $1.key }.map {
            ["error: \($0.key)", NumberText.grouped($0.value)]
        }
        section("Answers", table(["status", "requests"], rows))
        let latencies = [
            ("all", report.latency), ("admitted", report.admittedLatency), ("refused", report.refusedLatency),
        ]
        section(
            "Latency",
            table(
                ["", "requests", "mean", "p50", "p90", "p99", "p99.9", "max"],
                latencies.filter { $0.1.count > 0 }.map { name, latency in
                    [name, NumberText.grouped(latency.count)]
                        + [latency.meanMs, latency.p50Ms, latency.p90Ms, latency.p99Ms, latency.p999Ms, latency.maxMs]
                        .map { TimeText.show($0 * 1e6) }
                }))
        if let tenants = report.tenants {
            section(
                "Tenants", table(["tenant"] + TenantTable.columns, tenants.rows.map { [$0.tenant] + $0.cells }))
        }
        guard report.replicas.count > 1 else { return }
        section(
            "Replicas",
            table(
                ["target", "sent", "admitted", "refused"],
                report.replicas.map {
                    [
                        $0.url, NumberText.grouped($0.sent), NumberText.grouped($0.admitted),
                        NumberText.grouped($0.refused),
                    ]
                }))
    }

    private func table(_ head: [String], _ rows: [[String]]) -> String {
        guard !rows.isEmpty else { return "" }
        let first = head.map { "<th>\($0)</th>" }.joined()
        let rest = rows.map { "<tr>\($0.map { "<td>\(HTMLText.escaped($0))</td>" }.joined())</tr>" }.joined()
        return "<table class=\"numbers\"><tr>\(first)</tr>\(rest)</table>"
    }
}
