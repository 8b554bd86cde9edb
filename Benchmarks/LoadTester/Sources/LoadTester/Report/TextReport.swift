/// The report as people read it in a terminal: what was asked, what came back, whether the limit was kept.
package struct TextReport {
    private let report: Report
    private let style: TextStyle
    private var lines: [String] = []

    private static let labelWidth = 12

    package init(_ report: Report, style: TextStyle = .plain) {
        self.report = report
        self.style = style
    }

    package static func text(_ report: Report, style: TextStyle = .plain) -> String {
        var writer = TextReport(report, style: style)
        writer.writeAll()
        return writer.lines.joined(separator: "\n") + "\n"
    }

    private mutating func writeAll() {
        writeHead()
        writeRequests()
        writeLatency()
        writeAccuracy()
        writeFairness()
        writeTenants()
        writeChaos()
        writeTool()
        writeAssertions()
    }

    private mutating func line(_ label: String, _ text: String) {
        lines.append("  " + style.dim(label.padded(to: Self.labelWidth)) + text)
    }

    private mutating func heading(_ text: String) {
        lines.append("")
        lines.append(style.bold(text))
    }

    // MARK: What was asked

    private mutating func writeHead() {
        let setup = report.setup
        let connections =
            "\(NumberText.count(setup.connections, "connection")) on \(NumberText.count(setup.threads, "thread"))"
        let warmUp = report.warmUpSeconds > 0 ? " after \(Self.seconds(report.warmUpSeconds)) of warm-up" : ""
        lines.append(
            style.bold("weir-bench")
                + "  \(setup.pace), \(connections), \(setup.wire), \(Self.seconds(report.measuredSeconds))\(warmUp), seed \(report.seed)"
        )
        for target in setup.targets { lines.append("  " + target) }
        if setup.tenantCount > 0 {
            lines.append("  \(NumberText.count(setup.tenantCount, "tenant")) (\(setup.tenants))")
        }
        if let reason = report.stopReason { lines.append("  " + style.warning(reason)) }
    }

    // MARK: What came back

    private mutating func writeRequests() {
        let counts = report.requests
        heading("Requests")
        line("answered", "\(NumberText.grouped(counts.answered))   \(NumberText.significant(counts.perSecond))/s")
        for (status, count) in counts.statuses.sorted(by: { $0.key < $1.key }) {
            let share = 100 * Double(count) / Double(max(1, counts.answered))
            let isExpected = status.hasPrefix("2") || status.hasPrefix("3") || status == "429"
            line(
                status,
                (isExpected ? { $0 } : style.failure)(NumberText.grouped(count)) + "   \(NumberText.percent(share))")
        }
        guard counts.errors > 0 else { return line("errors", "none") }
        let kinds = counts.errorKinds.sorted { $0.key < $1.key }.map {
            "\(NumberText.grouped($0.value)) \(Self.name($0.key))"
        }
        line("errors", style.failure("\(NumberText.grouped(counts.errors))") + ": " + kinds.joined(separator: ", "))
    }

    private static func name(_ kind: String) -> String {
        switch kind {
        case "connect": "connections refused or not made"
        case "closed": "closed before the answer was complete"
        case "timeout": "without an answer in time"
        case "malformed": "answers that are no HTTP"
        case "tls": "TLS failures"
        case "reset": "streams reset"
        case "unsent": "due and never sent, for want of a free connection"
        default: kind
        }
    }

    private mutating func writeLatency() {
        guard report.latency.count > 0 else { return }
        heading("Latency" + (report.setup.pace == "closed loop" ? "" : " from when a request was due"))
        let columns = ["p50", "p90", "p99", "p99.9", "max"]
        line("", columns.map { $0.padded(to: 10, left: true) }.joined())
        writeLatency("all", report.latency)
        let parts = [report.admittedLatency, report.refusedLatency].filter { $0.count > 0 }
        guard parts.count > 1 else { return }
        writeLatency("admitted", report.admittedLatency)
        writeLatency("refused", report.refusedLatency)
    }

    private mutating func writeLatency(_ label: String, _ latency: LatencySummary) {
        let values = [latency.p50Ms, latency.p90Ms, latency.p99Ms, latency.p999Ms, latency.maxMs]
        line(label, values.map { TimeText.show($0 * 1e6).padded(to: 10, left: true) }.joined())
    }

    // MARK: The limit

    private mutating func writeAccuracy() {
        guard let accuracy = report.accuracy else { return }
        heading("Limit " + accuracy.limit)
        line(
            "admitted",
            "\(NumberText.grouped(Int(accuracy.admittedUnits))) units; \(NumberText.count(accuracy.refusedRequests, "request")) refused"
        )
        guard accuracy.wasTried else {
            return line(
                "", style.warning("nothing was admitted and nothing refused, so nothing is shown about the limit"))
        }
        writeBreaches(accuracy)
        let wrong = NumberText.count(accuracy.wrongRefusals, "request")
        line(
            "under",
            accuracy.wrongRefusals == 0
                ? style.success("0 %") + "   nobody was refused who certainly had room"
                : style.warning(NumberText.percent(accuracy.underAdmissionPercent))
                    + "   \(wrong) refused with room left")
        if let period = accuracy.worstPeriod {
            line("any period", Self.describe(period, Self.stretch(period), "not promised, L is"))
        }
        if accuracy.notJudged > 0 {
            line(
                "",
                style.warning(
                    "\(NumberText.grouped(accuracy.notJudged)) answers were too many to keep and are not judged"))
        }
        writeRetryAfter(accuracy)
    }

    private mutating func writeBreaches(_ accuracy: Accuracy) {
        guard accuracy.overAdmissionPercent > 0 else {
            let reservation = accuracy.refusedRequests == 0 ? ", but never met" : ""
            return line("over", style.success("0 %") + "   kept in every window and interval" + reservation)
        }
        line(
            "over",
            style.failure(NumberText.percent(accuracy.overAdmissionPercent))
                + "   \(NumberText.count(accuracy.tenantsOver, "tenant")) got more than promised")
        if let breach = accuracy.worstWindow { line("", Self.describe(breach, "in one clock window", "at most")) }
        if let breach = accuracy.worstInterval { line("", Self.describe(breach, Self.stretch(breach), "at most")) }
    }

    /// `acme: 12 in one clock window (at most 10)`
    private static func describe(_ breach: Accuracy.Breach, _ stretch: String, _ bound: String) -> String {
        let whose = breach.tenant.isEmpty ? "" : "\(breach.tenant): "
        let (admitted, most) = (NumberText.grouped(Int(breach.admitted)), NumberText.grouped(Int(breach.bound)))
        return "\(whose)\(admitted) \(stretch) (\(bound) \(most))"
    }

    private static func stretch(_ breach: Accuracy.Breach) -> String {
        "from \(seconds(breach.fromSeconds)) to \(seconds(breach.toSeconds))"
    }

    private mutating func writeRetryAfter(_ accuracy: Accuracy) {
        var faults: [String] = []
        if accuracy.retryAfterMissing > 0 {
            faults.append("missing in \(NumberText.grouped(accuracy.retryAfterMissing))")
        }
        if accuracy.retryAfterInvalid > 0 {
            faults.append("no whole seconds over 0 in \(NumberText.grouped(accuracy.retryAfterInvalid))")
        }
        if accuracy.retryAfterTooLate > 0 {
            faults.append("over a second too long in \(NumberText.grouped(accuracy.retryAfterTooLate))")
        }
        if let probe = report.retryProbe {
            if probe.refusedWhenDue > 0 {
                faults.append("too short for \(NumberText.count(probe.refusedWhenDue, "probe"))")
            }
            if probe.passedWhenEarly > 0 {
                faults.append("too long for \(NumberText.count(probe.passedWhenEarly, "probe"))")
            }
        }
        guard accuracy.refusedRequests > 0 else { return }
        line("Retry-After", faults.isEmpty ? style.success("honest") : style.failure(faults.joined(separator: ", ")))
        guard let probe = report.retryProbe else { return }
        line(
            "",
            "\(NumberText.count(probe.passedWhenDue, "probe")) came back in time and passed, \(NumberText.grouped(probe.refusedWhenEarly)) too early and did not"
        )
    }

    private mutating func writeFairness() {
        let tenants = report.accuracy?.tenantFairness
        guard tenants != nil || report.replicaFairness != nil else { return }
        heading("Fairness")
        if let fairness = tenants {
            line(
                "tenants",
                "Jain \(NumberText.fixed(fairness.jain, decimals: 3)) of \(fairness.count) that met their limit; "
                    + "\(NumberText.significant(fairness.least)) to \(NumberText.significant(fairness.most)) units each"
            )
        }
        if let fairness = report.replicaFairness {
            line(
                "replicas",
                "Jain \(NumberText.fixed(fairness.jain, decimals: 3)); admitted "
                    + "\(NumberText.percent(100 * fairness.least)) to \(NumberText.percent(100 * fairness.most)) of what each was asked"
            )
        }
    }

    private mutating func writeTenants() {
        guard let table = report.tenants, report.setup.tenantCount > 1 else { return }
        heading("Tenants")
        let rows = table.rows.map { (Self.cut($0.tenant), $0.cells) }
        let width = max(Self.labelWidth, (rows.map(\.0.count).max() ?? 0) + 2)
        for (tenant, cells) in [("", TenantTable.columns)] + rows {
            let values = zip(cells, TenantTable.columns).map { $0.padded(to: max(10, $1.count + 2), left: true) }
            lines.append("  " + style.dim(tenant.padded(to: width)) + values.joined())
        }
    }

    /// No wider than a third of a terminal.
    private static func cut(_ name: String) -> String { name.count > 26 ? name.prefix(25) + "…" : name }

    private mutating func writeChaos() {
        guard !report.chaos.isEmpty else { return }
        heading("Chaos")
        for mark in report.chaos {
            let end = mark.toSeconds > mark.fromSeconds ? " to \(Self.seconds(mark.toSeconds))" : ""
            let outcome = mark.outcome.map { "   \($0)" } ?? ""
            line(mark.fault, "\(Self.seconds(mark.fromSeconds))\(end)\(outcome)")
        }
    }

    // MARK: The tester itself

    private mutating func writeTool() {
        let usage = report.usage
        heading("This tool")
        let busy = usage.threads.map { NumberText.percent(($0.busy * 100).rounded()) }.joined(separator: ", ")
        var text = "\(TimeText.show(usage.cpuMicrosecondsPerRequest * 1e3)) CPU a request; threads busy \(busy)"
        if let late = usage.sentLateP99Ms { text += "; sent at most \(TimeText.show(late * 1e6)) late (p99)" }
        line("cost", text)
        if usage.saturation.isEmpty { return }
        for reason in usage.saturation { line("saturated", style.warning(reason)) }
    }

    private mutating func writeAssertions() {
        guard !report.assertions.isEmpty else { return }
        heading("Assertions")
        let width = report.assertions.map(\.assertion.count).max() ?? 0
        for assertion in report.assertions {
            line(
                assertion.holds ? "holds" : "FAILS",
                (assertion.holds ? style.success : style.failure)(assertion.assertion.padded(to: width)) + "   "
                    + assertion.shown)
        }
    }

    static func seconds(_ seconds: Double) -> String { TimeText.show(seconds * 1e9) }
}

extension String {
    func padded(to width: Int, left: Bool = false) -> String {
        let blanks = String(repeating: " ", count: max(0, width - count))
        return left ? blanks + self : self + blanks
    }
}
