import HTTPTypes
import Hummingbird
import HummingbirdCore
import LimiterCore

extension QuotaAPI {
    func check(_ request: Request) async throws(ControlError) -> Response {
        let check = try CheckRequest(try await RequestFields(body: request.body))
        let group = try group(for: check)
        for dimension in group.dimensions where !check.facts.fixes(dimension) {
            switch dimension {
            // A request need not have the header or the claim: those without it are counted together.
            case .header, .claim, .service, .route: continue
            case .tenant, .method, .clientIP:
                throw ControlError(
                    .invalidRequest,
                    "the limits of `\(check.service)` count by \(dimension.description); give `\(dimension.description)`"
                )
            }
        }
        var question = check.facts.question(group, check.isDryRun ? .peek : .decide)
        question.cost = check.cost
        let started = ContinuousClock.now
        let decision = await limiter.decide(question)
        if !check.isDryRun { meter.count(decision, of: group, took: started.duration(to: .now)) }
        guard decision.outcome != .unavailable else {
            throw ControlError(
                .unavailable, "the store of the counters does not answer, and a limit of this request refuses then")
        }
        return answer(decision, group)
    }

    private func group(for check: CheckRequest) throws(ControlError) -> LimitGroup {
        let limits = table(of: check.facts.tenant)
        guard let service = limits.service(named: check.service) else {
            throw ControlError(
                .notFound,
                "there is no service `\(check.service)`; the services are \(Self.list(limits.services.map(\.name)))")
        }
        guard let route = check.route else { return service.whole }
        guard let index = service.routeNames.firstIndex(of: route) else {
            throw ControlError(
                .notFound,
                "the service `\(service.name)` has no route `\(route)`; its routes are \(Self.list(service.routeNames))"
            )
        }
        return service.routes[index]
    }

    static func list(_ names: [String]) -> String { names.isEmpty ? "none" : names.joined(separator: ", ") }

    private func answer(_ decision: Decision, _ group: LimitGroup) -> Response {
        let rows = zip(group.limits, decision.verdicts).map { BudgetRow(limit: $0, verdict: $1) }
        let enforced = BudgetRow.enforced(rows)
        let violated = enforced.filter { $0.verdict?.isAllowed == false }
        let retry = decision.isAllowed ? nil : decision.retryAfterMicroseconds
        var response = Response.json(
            [
                "allowed": .bool(decision.isAllowed),
                "degraded": .bool(decision.isDegraded),
                "retry_after_seconds": retry.map { .seconds(fromMicroseconds: $0) } ?? .null,
                "violated": .array(violated.map { .string($0.limit.name) }),
                "limits": .array(rows.map { $0.json(showsAllowed: true) }),
            ], status: decision.isAllowed ? .ok : .tooManyRequests)
        RateLimitFields(enforced).set(in: &response.headers)
        if let retry { response.headers[.retryAfter] = String(RateLimitFields.wholeSeconds(retry)) }
        return response
    }
}

/// The body of `POST /v1/check`.
struct CheckRequest: Sendable {
    let service: String
    let route: String?
    let facts: RequestFacts
    /// Instead of every limit's own cost.
    let cost: Int64?
    let isDryRun: Bool

    init(_ fields: RequestFields) throws(ControlError) {
        var fields = fields
        var facts = RequestFacts()
        facts.tenant = try fields.string("tenant", maximumBytes: RequestFacts.maximumTenantBytes) ?? ""
        let service = try fields.string("service", maximumBytes: 1024)
        route = try fields.string("route", maximumBytes: 8192)
        facts.method = try fields.string("method", maximumBytes: 64)
        facts.clientIP = try fields.address("client_ip")
        facts.headers = try fields.headers("headers")
        facts.claims = try fields.claims("claims")
        cost = try fields.whole("cost", in: 0...Cost.maximum)
        isDryRun = try fields.flag("dry_run") ?? false
        try fields.finish()
        guard let service else {
            throw ControlError(.invalidRequest, "`service` is missing; name the service that the request is for")
        }
        self.service = service
        self.facts = facts
    }
}
