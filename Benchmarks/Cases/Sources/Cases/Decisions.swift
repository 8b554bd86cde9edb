import LimiterCore

/// Decisions in memory, of one tenant after the other.
final class DecisionExercise: Exercise, DecisionReceiver {
    private let group: LimitGroup
    private let store: LocalStore
    private let call = LimitCall()
    private let tenants = SampleLimits.tenants
    private var turn = 0
    private var answers = 0

    /// Asks once for each tenant, so that every counter is there.
    init(_ limits: SampleLimits) {
        group = limits.group
        store = LocalStore(labels: limits.table.labels, time: StandingTime(), secret: (1, 2))
        run(calls: tenants.count)
    }

    func run(calls: Int) {
        for _ in 0..<calls {
            call.prepare(group)
            for _ in group.dimensions { tenants[turn].withUnsafeBytes { call.appendValue($0) } }
            turn = turn + 1 < tenants.count ? turn + 1 : 0
            call.receiver = self
            store.decide(call)
        }
    }

    func decided(_ call: LimitCall) { answers += 1 }

    var outcome: String {
        "\(call.decision.outcome) by \(call.decision.verdicts.count); \(answers) answers; \(store.count) counters"
    }
}
