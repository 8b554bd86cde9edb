/// How a run stands, while it runs.
package struct Snapshot: Sendable {
    package internal(set) var admitted = 0
    package internal(set) var refused = 0
    /// Answers of any other status.
    package internal(set) var other = 0
    /// Without an answer, or never sent.
    package internal(set) var failed = 0
    package internal(set) var connections = 0
    /// Of the last step of time that is complete.
    private(set) var recent = CoarseHistogram()

    package init() {}

    init(_ recorder: Recorder, connections: Int) {
        admitted = recorder.admitted.reduce(0, +)
        refused = recorder.refused.reduce(0, +)
        other = recorder.statuses.reduce(0, +) - admitted - refused
        failed = recorder.errorCount
        self.connections = connections
        recent = recorder.series.steps.dropLast().last?.latency ?? CoarseHistogram()
    }

    package var answered: Int { admitted + refused + other }

    /// Nanoseconds, over the last step; nil where nothing was answered.
    package func recentLatency(_ percent: Double) -> Double? { recent.percentile(percent) }

    mutating func add(_ part: Snapshot) {
        admitted += part.admitted
        refused += part.refused
        other += part.other
        failed += part.failed
        connections += part.connections
        recent.add(part.recent)
    }

    /// What a stop condition may name.
    package static let figures = [
        Figure("requests", .count, "requests answered so far"),
        Figure("admitted", .count, "answers 2xx and 3xx so far"),
        Figure("refused", .count, "answers 429 so far"),
        Figure("errors", .count, "requests without an answer so far"),
        Figure("failed", .count, "errors, and answers that are neither 2xx, 3xx nor 429, so far"),
        Figure("p50", .time, "median latency of the last step of time"),
        Figure("p99", .time, "99th percentile of the latency of the last step of time"),
    ]

    /// nil while there is nothing to compare.
    package func value(_ figure: String) -> Double? {
        switch figure {
        case "requests": Double(answered)
        case "admitted": Double(admitted)
        case "refused": Double(refused)
        case "errors": Double(failed)
        case "failed": Double(failed + other)
        case "p50": recentLatency(50)
        case "p99": recentLatency(99)
        default: nil
        }
    }
}
