/// The report's plots.
struct Plots {
    let report: Report

    private var length: Double {
        let series = (report.series.last?.seconds ?? 0) + report.stepSeconds
        let planned = report.setup.phases.last?.toSeconds ?? 0
        let isWhole = report.stopReason == nil && planned < 1.5 * series
        return max(isWhole ? planned : series, report.chaos.map(\.toSeconds).filter { $0 <= series }.max() ?? 0)
    }

    /// Requests a second by outcome, one upon the other.
    func throughput() -> String {
        let steps = report.series.filter { $0.seconds < length }
        guard !steps.isEmpty else { return "" }
        let width = report.stepSeconds
        func perSecond(_ count: Int) -> Double { Double(count) / width }
        let highest = steps.map { perSecond($0.admitted + $0.refused + $0.other + $0.failed) }.max() ?? 1
        var plot = Plot(
            "Requests a second over time", x: (.linear, 0...length), y: (.linear, 0...max(1, highest * 1.08)))
        mark(&plot)
        var base = [Double](repeating: 0, count: steps.count)
        let kinds: [(String, String, (Report.Step) -> Int)] = [
            ("admitted", "admitted", { $0.admitted }), ("refused", "refused", { $0.refused }),
            ("other answers", "other", { $0.other }), ("without an answer", "failed", { $0.failed }),
        ]
        for (name, tone, count) in kinds where steps.contains(where: { count($0) > 0 }) {
            let area = steps.enumerated().map { index, step in
                (at: step.seconds, low: base[index], high: base[index] + perSecond(count(step)))
            }
            plot.area(area, width: width, tone: tone, name: name)
            base = area.map(\.high)
        }
        return plot.svg(
            xTick: Self.seconds, yTick: NumberText.compact, xTitle: "seconds of the run",
            yTitle: "requests a second")
    }

    /// The distribution, by nines.
    func distribution() -> String {
        let points = report.distribution
        guard let last = points.last else { return "" }
        let lowest = max(1e-4, points.map(\.ms).min() ?? 1e-4)
        let highest = max(lowest * 2, last.ms)
        let deepest = max(99.9, min(99.9999, 100 * (1 - 1 / Double(max(1, report.latency.count)))))
        var plot = Plot(
            "Latency by percentile", x: (.nines, 0...deepest), y: (.logarithmic, lowest * 0.8...highest * 1.25))
        plot.line(points.map { ($0.percent, $0.ms) }, tone: "admitted", name: "latency of all answers")
        return plot.svg(
            xTick: { $0 == 0 ? "0 %" : "\(Self.percent($0)) %" }, yTick: Self.milliseconds,
            xTitle: "so many percent took no longer",
            yTitle: "latency")
    }

    /// The median and the 99th percentile of each step.
    func latency() -> String {
        let medians = report.series.compactMap { step in step.p50Ms.map { (step.seconds + report.stepSeconds / 2, $0) }
        }
        let tails = report.series.compactMap { step in step.p99Ms.map { (step.seconds + report.stepSeconds / 2, $0) } }
        guard let lowest = medians.map(\.1).min(), let highest = tails.map(\.1).max() else { return "" }
        var plot = Plot(
            "Latency over time", x: (.linear, 0...length),
            y: (.logarithmic, max(1e-3, lowest * 0.7)...max(lowest * 2, highest * 1.3)))
        mark(&plot)
        plot.line(tails.filter { $0.0 <= length }, tone: "tail", name: "99th percentile")
        plot.line(medians.filter { $0.0 <= length }, tone: "admitted", name: "median")
        return plot.svg(
            xTick: Self.seconds, yTick: Self.milliseconds, xTitle: "seconds of the run", yTitle: "latency")
    }

    /// How the busiest counter filled up, beside what it may hold.
    func limit() -> String {
        guard let curve = report.limitCurve else { return "" }
        let ceiling = curve.isBucket ? Double(curve.limit) + curve.unitsPerSecond * length : Double(curve.limit)
        let highest = max(ceiling, Double(curve.points.map(\.units).max() ?? 0))
        var plot = Plot(
            "Units admitted against the limit", x: (.linear, 0...length), y: (.linear, 0...max(1, highest * 1.12)))
        mark(&plot)
        let used = curve.isBucket ? "admitted since the run began" : "admitted in the clock window"
        var points: [(Double, Double)] = [(0, 0)]
        // Steps: nothing is admitted between two points.
        for point in curve.points where point.seconds <= length {
            points.append((point.seconds, points[points.count - 1].1))
            points.append((point.seconds, Double(point.units)))
        }
        points.append((length, points[points.count - 1].1))
        plot.line(points, tone: "admitted", name: "\(curve.tenant): \(used)")
        let bound: [(Double, Double)] =
            curve.isBucket
            ? [(0, Double(curve.limit)), (length, ceiling)] : [(0, Double(curve.limit)), (length, Double(curve.limit))]
        plot.line(
            bound, tone: "bound", name: curve.isBucket ? "burst and what was gained" : "the limit", isDashed: true)
        return plot.svg(
            xTick: Self.seconds, yTick: NumberText.compact, xTitle: "seconds of the run", yTitle: "cost units")
    }

    private func mark(_ plot: inout Plot) {
        if report.warmUpSeconds > 0 {
            plot.band(from: 0, to: min(length, report.warmUpSeconds), name: "warm-up", tone: "quiet")
        }
        for fault in report.chaos where fault.fromSeconds < length {
            plot.band(
                from: fault.fromSeconds, to: min(length, fault.toSeconds), name: "Redis: \(fault.fault)", tone: "fault")
        }
    }

    private static func seconds(_ seconds: Double) -> String {
        seconds == seconds.rounded() ? String(Int(seconds)) : NumberText.fixed(seconds, decimals: 1)
    }

    private static func percent(_ percent: Double) -> String {
        percent == percent.rounded() ? String(Int(percent)) : String(percent)
    }

    private static func milliseconds(_ ms: Double) -> String {
        TimeText.show(ms * 1e6).replacing(".00 ", with: " ").replacing(".0 ", with: " ")
    }
}
