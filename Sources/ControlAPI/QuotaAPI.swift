import HTTPTypes
import Hummingbird
import LimiterCore
import Logging

/// The calls about tenants' budgets.
struct QuotaAPI: Sendable {
    let limits: LimitTable
    let limiter: AsyncLimiter
    let usage: AsyncUsage
    let meter: DecisionMeter
    let status: @Sendable () -> StoreStatus
    let logger: Logger

    func addRoutes(to router: Router<BasicRequestContext>) {
        router.get("/v1/tenants/{tenant}/budget") { request, _ in try await budget(request) }
        router.post("/v1/check") { request, _ in try await check(request) }
        router.post("/v1/tenants/{tenant}/reset") { request, _ in try await reset(request) }
        router.get("/v1/tenants/{tenant}/usage") { request, _ in try await usage(request) }
        for endpoint in Endpoint.all where !endpoint.isBuilt {
            router.on(RouterPath(endpoint.path), method: HTTPRequest.Method(endpoint.method)!) { _, _ -> Response in
                throw ControlError(.notBuilt, "\(endpoint.method) \(endpoint.path) is not built yet")
            }
        }
    }

    static func budgetAnswer(tenant: String, isDegraded: Bool, rows: [BudgetRow]) -> Response {
        .json(["tenant": .string(tenant), "degraded": .bool(isDegraded), "limits": .array(rows.map { $0.json() })])
    }
}
