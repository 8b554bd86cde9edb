import ArgumentParser
import LoadTester

/// How much load there is, and when.
struct LoadOptions: ParsableArguments {
    @Option(
        name: [.customShort("c", allowingJoined: true), .long],
        help: ArgumentHelp(
            "Connections, of all targets together. In a closed loop each sends its next request once the last is answered.",
            valueName: "count"))
    var connections = 10

    @Option(
        name: [.customShort("t", allowingJoined: true), .long],
        help: ArgumentHelp("Threads; one serves many connections.", valueName: "count"))
    var threads = 1

    @Option(
        name: [.customShort("d", allowingJoined: true), .long],
        help: ArgumentHelp("How long to measure, like 30s or 5m. (default: 10s)", valueName: "time"))
    var duration: String?

    @Option(
        name: [.customShort("n", allowingJoined: true), .long],
        help: ArgumentHelp("End after so many requests instead.", valueName: "count"))
    var requests: Int?

    @Option(
        help: ArgumentHelp(
            "Open loop: so many requests a second (or 60/m), due on schedule whatever the target does; latency counts from when a request was due.",
            valueName: "rate"))
    var rate: String?

    @Option(help: ArgumentHelp("How an open loop's requests are spaced: even or poisson.", valueName: "spacing"))
    var arrivals = "even"

    @Option(
        help: ArgumentHelp(
            "Load that is not measured, before the rest. It counts against the limit.", valueName: "time"))
    var warmUp: String?

    @Option(
        name: .customLong("phase"),
        help: ArgumentHelp(
            """
            Instead of --duration, phases one after the other: warm-up:5s, hold:30s:1000, ramp:30s:100-2000, steps:50s:1000-5000:5, \
            burst:60s:100-5000:1s/10s, soak:1h:500. Repeat it for each.
            """, valueName: "phase"))
    var phases: [String] = []

    @Option(
        help: ArgumentHelp(
            "Stop early when one of these holds, like 'errors>100' or 'refused>0,p99>50ms'. Figures: requests, admitted, refused, errors, failed, p50, p99.",
            valueName: "conditions"))
    var stopWhen: String?

    @Option(help: ArgumentHelp("The longest that a connection or an answer may take.", valueName: "time"))
    var timeout = "10s"

    @Option(
        help: ArgumentHelp(
            "Of everything that is drawn; a run with the same seed draws the same. (default: a new one)",
            valueName: "number"))
    var seed: UInt64?

    func makePhases() throws(LoadError) -> [Phase] {
        let rate = try self.rate.map { text throws(LoadError) in try Phase.rate(text) }
        if !phases.isEmpty {
            guard duration == nil, warmUp == nil else {
                throw LoadError(.usage, "--phase takes the place of --duration and --warm-up; write --phase warm-up:5s")
            }
            return try phases.map { text throws(LoadError) in
                let phase = try Phase(parsing: text)
                guard phase.pieces.isEmpty, let rate else { return phase }
                return Phase(kind: phase.kind, nanoseconds: phase.nanoseconds, rate: rate)
            }
        }
        var result: [Phase] = []
        if let warmUp {
            result.append(Phase(kind: .warmUp, nanoseconds: try TimeText.parse(warmUp, "--warm-up"), rate: rate))
        }
        let day = "24h"
        let length = try TimeText.parse(duration ?? (requests == nil ? "10s" : day), "--duration")
        guard length > 0 else { throw LoadError(.usage, "--duration must be over 0") }
        result.append(Phase(kind: .hold, nanoseconds: length, rate: rate))
        return result
    }

    func makePace(_ phases: [Phase]) throws(LoadError) -> LoadPlan.Pace {
        guard let spacing = Arrivals.Spacing(rawValue: arrivals) else {
            throw LoadError(.usage, "--arrivals: `\(arrivals)` is neither even nor poisson")
        }
        return phases.contains { !$0.pieces.isEmpty } ? .open(spacing) : .closed
    }
}
