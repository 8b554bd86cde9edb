import Hummingbird
import HummingbirdCore
import LimiterCore
import Logging

extension QuotaAPI {
    /// Gives back what is the tenant's own; counters that everyone shares stay as they are.
    func reset(_ request: Request) async throws(ControlError) -> Response {
        let facts = try RequestFacts(uri: request.uri)
        var fields = try await RequestFields(body: request.body)
        let name = try fields.string("limit", maximumBytes: 64)
        let service = try fields.string("service", maximumBytes: 1024)
        try fields.finish()

        let own = table(of: facts.tenant).tenantCounters
        let group = own.selecting(try counters(own.limits, named: name, of: service, facts))
        try refuseWhileDegraded(status().isDegraded && !group.isLocal)
        let decision = await limiter.decide(facts.question(group, .reset))
        try refuseWhileDegraded(decision.isDegraded || decision.outcome == .unavailable)
        logger.notice(
            "budget given back",
            metadata: [
                "tenant": .string(JSON.string(facts.tenant).text),
                "limits": .array(group.limits.map { .string($0.name) }),
            ])
        let rows = zip(group.limits, decision.verdicts).map { BudgetRow(limit: $0, verdict: $1) }
        return Self.budgetAnswer(tenant: facts.tenant, isDegraded: false, rows: rows)
    }

    private func refuseWhileDegraded(_ isDegraded: Bool) throws(ControlError) {
        guard isDegraded else { return }
        throw ControlError(
            .unavailable,
            "Redis does not decide just now, so a reset would not reach every replica; try again when /readyz says that nothing is degraded"
        )
    }

    private func counters(
        _ own: [EffectiveLimit], named name: String?, of service: String?, _ facts: RequestFacts
    ) throws(ControlError) -> [Int] {
        let matching = own.indices.filter {
            (name == nil || own[$0].name == name) && (service == nil || own[$0].service == service)
        }
        if matching.isEmpty, name != nil || service != nil {
            if let name, limits.sharedCounters.limits.contains(where: { $0.name == name }) {
                throw ControlError(
                    .notApplicable, "the limit `\(name)` is not kept per tenant, so no tenant's reset gives it back")
            }
            let wanted = [name.map { "limit `\($0)`" }, service.map { "limit of the service `\($0)`" }]
                .compactMap { $0 }.joined(separator: " that is a ")
            var names: [String] = []
            for limit in own where !names.contains(limit.name) { names.append(limit.name) }
            throw ControlError(.notFound, "there is no \(wanted); a tenant's limits are \(Self.list(names))")
        }
        let fixed = matching.filter { facts.fixes(own[$0].limit) }
        if fixed.isEmpty, let first = matching.first {
            let missing = own[first].limit.per.filter { !facts.fixes($0) }.map(\.description)
            throw ControlError(
                .notApplicable,
                "`\(own[first].name)` counts by \(missing.joined(separator: " and ")) as well; give that in the query")
        }
        return fixed
    }
}
