extension Report {
    /// What an assertion may name.
    package static let figures = [
        Figure("p50", .time, "median latency, from when a request was due"),
        Figure("p90", .time, "90th percentile of the latency"),
        Figure("p99", .time, "99th percentile of the latency"),
        Figure("p999", .time, "99.9th percentile of the latency", aliases: ["p99.9"]),
        Figure("max", .time, "greatest latency"),
        Figure("mean", .time, "mean latency"),
        Figure("admitted_p99", .time, "99th percentile of the latency of 2xx and 3xx"),
        Figure("refused_p99", .time, "99th percentile of the latency of 429"),
        Figure("requests", .count, "requests answered"),
        Figure("rate", .perSecond, "requests answered a second"),
        Figure("admitted", .count, "answers 2xx and 3xx"),
        Figure("refused", .count, "answers 429"),
        Figure("other", .count, "answers of any other status"),
        Figure("errors", .count, "requests without an answer"),
        Figure("unsent", .count, "requests of an open loop that were due and never sent"),
        Figure("error_rate", .percent, "errors and other answers, in percent of all requests"),
        Figure("over_admission", .percent, "greatest certain excess over the limit's promise; needs --limit"),
        Figure("under_admission", .percent, "what should have passed and did not; needs --limit"),
        Figure("wrong_refusals", .count, "refused although there certainly was room; needs --limit"),
        Figure("period_excess", .percent, "greatest certain excess over L in any interval of W; needs --limit"),
        Figure("tenants_over", .count, "tenants that got more than promised; needs --limit"),
        Figure(
            "retry_after_dishonest", .count,
            "refusals with a missing or wrong Retry-After, and probes that show one; needs --limit"),
        Figure("retry_probes", .count, "times that a probe came back when it was told; needs --probes"),
        Figure("tenant_fairness", .ratio, "Jain's index of what tenants at their limit got; needs --limit"),
        Figure("replica_fairness", .ratio, "Jain's index of the replicas' admitted part; needs two targets"),
        Figure("tool_cpu", .time, "this tool's own CPU time a request"),
        Figure("saturated", .count, "1 where this tool, not the target, was the limit; else 0"),
    ]

    /// In the figure's unit, times in nanoseconds; nil where the run has no such figure.
    package func value(_ figure: String) -> Double? {
        switch figure {
        case "p50": latency.p50Ms * 1e6
        case "p90": latency.p90Ms * 1e6
        case "p99": latency.p99Ms * 1e6
        case "p999": latency.p999Ms * 1e6
        case "max": latency.maxMs * 1e6
        case "mean": latency.meanMs * 1e6
        case "admitted_p99": admittedLatency.count > 0 ? admittedLatency.p99Ms * 1e6 : nil
        case "refused_p99": refusedLatency.count > 0 ? refusedLatency.p99Ms * 1e6 : nil
        case "requests": Double(requests.answered)
        case "rate": requests.perSecond
        case "admitted": Double(requests.admitted)
        case "refused": Double(requests.refused)
        case "other": Double(requests.other)
        case "errors": Double(requests.errors)
        case "unsent": Double(requests.unsent)
        case "error_rate":
            100 * Double(requests.errors + requests.other) / Double(max(1, requests.answered + requests.errors))
        case "tool_cpu": usage.cpuMicrosecondsPerRequest * 1e3
        case "saturated": usage.saturation.isEmpty ? 0 : 1
        case "replica_fairness": replicaFairness?.jain
        case "retry_probes": retryProbe.map { Double($0.passedWhenDue + $0.refusedWhenDue) }
        default: accuracy.flatMap { $0.wasTried ? accuracyValue(figure, $0) : nil }
        }
    }

    private func accuracyValue(_ figure: String, _ accuracy: Accuracy) -> Double? {
        switch figure {
        case "over_admission": accuracy.overAdmissionPercent
        case "under_admission": accuracy.underAdmissionPercent
        case "wrong_refusals": Double(accuracy.wrongRefusals)
        case "period_excess": accuracy.excessInAnyPeriodPercent
        case "tenants_over": Double(accuracy.tenantsOver)
        case "retry_after_dishonest":
            Double(
                accuracy.retryAfterMissing + accuracy.retryAfterInvalid + accuracy.retryAfterTooLate
                    + (retryProbe?.refusedWhenDue ?? 0) + (retryProbe?.passedWhenEarly ?? 0))
        case "tenant_fairness": accuracy.tenantFairness?.jain
        default: nil
        }
    }

    /// A run without answers has no latency to be proud of: an assertion about a figure that is not there does not hold.
    func asserted(_ condition: Condition) -> AssertedFigure {
        let isLatency = ["p50", "p90", "p99", "p999", "max", "mean"].contains(condition.figure)
        guard let value = value(condition.figure), !(isLatency && latency.count == 0) else {
            return AssertedFigure(
                assertion: condition.description, value: nil, shown: "no such figure in this run", holds: false)
        }
        let unit = Self.figures.first { $0.name == condition.figure }?.unit ?? .count
        return AssertedFigure(
            assertion: condition.description, value: value, shown: Self.show(value, unit), holds: condition.holds(value)
        )
    }

    private static func show(_ value: Double, _ unit: Figure.Unit) -> String {
        switch unit {
        case .time: TimeText.show(value)
        case .percent: NumberText.percent(value)
        case .perSecond: "\(NumberText.significant(value))/s"
        case .ratio: NumberText.fixed(value, decimals: 4)
        case .count: NumberText.grouped(Int(value))
        }
    }
}
