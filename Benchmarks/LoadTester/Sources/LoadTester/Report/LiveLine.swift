/// One line that says how the run stands, for a terminal that overwrites it.
package struct LiveLine {
    private let plan: LoadPlan
    private var last = (answered: 0, time: Int64(0))
    private var shown: Int64 = -1_000_000_000
    private var rate = 0.0

    private static let interval: Int64 = 500_000_000

    package init(_ plan: LoadPlan) { self.plan = plan }

    /// nil while it is too soon for another. Times are nanoseconds of the run.
    package mutating func next(_ snapshot: Snapshot, at now: Int64) -> String? {
        guard now - shown >= Self.interval else { return nil }
        shown = now
        if now > last.time {
            rate = Double(snapshot.answered - last.answered) / Double(now - last.time) * 1e9
        }
        last = (snapshot.answered, now)
        var parts = [Self.bar(done(snapshot, now)), TimeText.show(Double(min(now, plan.length)))]
        if let phase = phase(at: now), plan.phases.count > 1 { parts.append(phase) }
        parts.append("\(NumberText.significant(rate))/s")
        parts.append("\(NumberText.grouped(snapshot.admitted)) admitted")
        parts.append("\(NumberText.grouped(snapshot.refused)) refused")
        if snapshot.other > 0 { parts.append("\(NumberText.grouped(snapshot.other)) other") }
        if snapshot.failed > 0 { parts.append("\(NumberText.grouped(snapshot.failed)) errors") }
        if let p99 = snapshot.recentLatency(99) { parts.append("p99 \(TimeText.show(p99))") }
        return parts.joined(separator: "  ")
    }

    private func done(_ snapshot: Snapshot, _ now: Int64) -> Double {
        if let count = plan.requestCount { return Double(snapshot.answered + snapshot.failed) / Double(count) }
        return Double(now) / Double(max(1, plan.length))
    }

    private func phase(at now: Int64) -> String? {
        var end: Int64 = 0
        for phase in plan.phases {
            end += phase.nanoseconds
            if now < end { return phase.kind.rawValue }
        }
        return nil
    }

    private static func bar(_ part: Double) -> String {
        let width = 16
        let filled = Int((min(1, max(0, part)) * Double(width)).rounded())
        return "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled) + "]"
    }
}
