import LimiterCore
import Telemetry

/// Counts decisions that were asked for over the API.
struct DecisionMeter: Sendable {
    private let metrics: Metrics
    /// Which of its cells.
    private let worker: Int

    init(_ metrics: Metrics, worker: Int) {
        self.metrics = metrics
        self.worker = worker
    }

    func count(_ decision: Decision, of group: LimitGroup, took duration: Duration) {
        let metrics = metrics.worker(worker)
        let (seconds, attoseconds) = duration.components
        metrics.recordDecision(nanoseconds: seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
        for (index, limit) in group.limits.enumerated() {
            metrics.countDecision(
                limit: limit.index, outcome: Self.outcome(decision, index, limit), isDegraded: decision.isDegraded)
        }
    }

    private static func outcome(
        _ decision: Decision, _ index: Int, _ limit: EffectiveLimit
    ) -> WorkerMetrics.DecisionOutcome {
        guard decision.verdicts.indices.contains(index) else { return .unavailable }
        return decision.verdicts[index].isAllowed ? .allowed : limit.limit.isShadow ? .shadowDenied : .denied
    }
}
