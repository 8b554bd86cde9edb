import HTTPTypes
import Hummingbird
import LimiterCore
import Telemetry

/// The calls of those who run Weir: alive, ready, metrics, and what there is to call.
struct OperationsAPI: Sendable {
    let metrics: Metrics
    let board: OverrideBoard
    let status: @Sendable () -> StoreStatus
    let readiness: Readiness

    func addRoutes(to router: Router<ControlContext>) {
        router.get("/") { _, _ in Response.json(Endpoint.index) }
        router.get("/healthz") { _, _ in Response.json(["status": "alive"]) }
        router.get("/readyz") { _, _ in ready() }
        router.get("/metrics") { _, _ in
            Response.text(exposition(), type: "text/plain; version=0.0.4; charset=utf-8")
        }
        router.get("/v1/migrations") { _, _ in Response.json(MigrationReport.json(metrics.migrations.statuses)) }
        router.get("/openapi.json") { _, _ in Response.json(OpenAPI.document) }
    }

    private func ready() -> Response {
        let (phase, store) = (readiness.phase, status())
        return .json(
            [
                "status": .string(phase.rawValue),
                "degraded": .bool(store.isDegraded),
                "store": .string(store.phase.rawValue),
                "replicas_alive": .integer(Int64(store.replicasAlive)),
                "shares": .integer(Int64(store.shares)),
                "unmerged": .integer(Int64(store.unmerged)),
            ], status: phase == .ready ? .ok : .serviceUnavailable)
    }

    private func exposition() -> String {
        let store = status()
        var gauges: [(name: String, value: Double)] = [("weir_store_degraded", store.isDegraded ? 1 : 0)]
        for phase in StoreStatus.Phase.allCases {
            gauges.append(("weir_store_phase{phase=\"\(phase.rawValue)\"}", store.phase == phase ? 1 : 0))
        }
        gauges.append(("weir_replicas_alive", Double(store.replicasAlive)))
        gauges.append(("weir_store_shares", Double(store.shares)))
        gauges.append(("weir_store_unmerged", Double(store.unmerged)))
        gauges.append(("weir_overrides", Double(board.overrides.list.count)))
        var text = ""
        metrics.render(store: gauges, into: &text)
        return text
    }
}
