/// What happened when, in a bounded number of steps: as the run grows longer, two steps become one.
struct TimeSeries: Sendable {
    struct Step: Sendable {
        var admitted = 0
        var refused = 0
        /// Answers of any other status.
        var other = 0
        var failed = 0
        var latency = CoarseHistogram()

        mutating func add(_ step: Step) {
            admitted += step.admitted
            refused += step.refused
            other += step.other
            failed += step.failed
            latency.add(step.latency)
        }
    }

    private(set) var stepNanoseconds: Int64 = 100_000_000
    private(set) var steps: [Step] = []

    static let mostSteps = 400

    /// Changes the step that this time of the run is in.
    mutating func update(at time: Int64, _ change: (inout Step) -> Void) {
        var index = Int(max(0, time) / stepNanoseconds)
        while index >= Self.mostSteps {
            halve()
            index = Int(max(0, time) / stepNanoseconds)
        }
        while index >= steps.count { steps.append(Step()) }
        change(&steps[index])
    }

    private mutating func halve() {
        stepNanoseconds *= 2
        var halved: [Step] = []
        for (index, step) in steps.enumerated() {
            if index % 2 == 0 { halved.append(step) } else { halved[halved.count - 1].add(step) }
        }
        steps = halved
    }

    mutating func add(_ other: TimeSeries) {
        var other = other
        while stepNanoseconds < other.stepNanoseconds { halve() }
        while other.stepNanoseconds < stepNanoseconds { other.halve() }
        while steps.count < other.steps.count { steps.append(Step()) }
        for (index, step) in other.steps.enumerated() { steps[index].add(step) }
    }
}
