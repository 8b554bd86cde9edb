import LimiterCore

/// Decisions that a replica of a fleet makes without asking anybody, of one tenant after the other.
final class ReplicaExercise: Exercise, DecisionReceiver {
    private let group: LimitGroup
    private let shared = GenerousStore()
    private let store: LeasingStore
    private let call = LimitCall()
    private let tenants = SampleLimits.tenants
    private var turn = 0
    private var answers = 0

    /// Asks once for each tenant, so that every counter is there and holds a lease where it is leased.
    init(_ mode: Limit.Mode) throws {
        let limits = try SampleLimits(services: 1, limitsEach: 1, mode: mode)
        group = limits.group
        store = LeasingStore(
            primary: shared,
            state: LeasingState(
                labels: limits.table.labels, time: StandingTime(), minimumReplicas: 1, seed: 1, secret: (1, 2)))
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
        "\(call.decision.outcome) by \(call.decision.verdicts.count); \(answers) answers; \(shared.leases) leases"
    }
}

/// Grants a million units at once to whoever asks.
private final class GenerousStore: SharedStore {
    var observer: (any SharedStoreObserver)?
    private(set) var leases = 0

    func decide(_ call: LimitCall) { preconditionFailure("nothing is decided exactly") }

    func lease(
        _ requests: [LeaseRequest], of replica: ReplicaID,
        _ completion: @escaping (Result<LeaseAnswer, StoreError>) -> Void
    ) {
        leases += 1
        let now = StandingTime().nowMicroseconds
        completion(
            .success(
                LeaseAnswer(
                    now: now,
                    entries: requests.map { request in
                        LeaseAnswer.Entry(
                            state: request.rule.neutral(at: now), taken: request.total + 1_000_000, retryMicroseconds: 0
                        )
                    })))
    }

    func periods(
        _ requests: [PeriodRequest], _ completion: @escaping (Result<PeriodAnswer, StoreError>) -> Void
    ) {}

    func heartbeat(of replica: ReplicaID, _ completion: @escaping (Result<FleetView, StoreError>) -> Void) {}

    func leave(_ replica: ReplicaID, _ completion: @escaping () -> Void) {}
}
