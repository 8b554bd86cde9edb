import HTTPTypes
import Hummingbird
import LimiterCore
import Logging

/// The calls about tenants' budgets.
struct QuotaAPI: Sendable {
    let board: OverrideBoard
    let overrideStore: any OverrideStore
    let limiter: AsyncLimiter
    let usage: AsyncUsage
    let meter: DecisionMeter
    let status: @Sendable () -> StoreStatus
    let logger: Logger

    func addRoutes(to router: Router<ControlContext>) {
        router.get("/v1/tenants/{tenant}/budget") { request, _ in try await budget(request) }
        router.post("/v1/check") { request, _ in try await check(request) }
        router.post("/v1/tenants/{tenant}/reset") { request, _ in try await reset(request) }
        router.get("/v1/tenants/{tenant}/usage") { request, _ in try await usage(request) }
        let override: RouterPath = "/v1/tenants/{tenant}/overrides/{limit}"
        router.put(override) { request, context in try await setOverride(request, context) }
        router.delete(override) { request, context in try await removeOverride(request, context) }
        router.get("/v1/tenants/{tenant}/overrides") { request, _ in try overrides(request) }
        router.get("/v1/tenants/{tenant}/limits") { request, _ in try report(request) }
        router.get("/v1/audit") { request, _ in try await audit(request) }
        for endpoint in Endpoint.all where !endpoint.isBuilt {
            router.on(RouterPath(endpoint.path), method: HTTPRequest.Method(endpoint.method)!) { _, _ -> Response in
                throw ControlError(.notBuilt, "\(endpoint.method) \(endpoint.path) is not built yet")
            }
        }
    }

    /// Of everyone, before plans and overrides.
    var limits: LimitTable { board.overrides.limits }

    /// What applies to a tenant just now.
    func table(of tenant: String) -> LimitTable { board.overrides.table(of: tenant) }

    static func budgetAnswer(tenant: String, isDegraded: Bool, rows: [BudgetRow]) -> Response {
        .json(["tenant": .string(tenant), "degraded": .bool(isDegraded), "limits": .array(rows.map { $0.json() })])
    }
}
