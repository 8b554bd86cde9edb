import Hummingbird
import HummingbirdCore
import LimiterCore

extension QuotaAPI {
    func budget(_ request: Request) async throws(ControlError) -> Response {
        let facts = try RequestFacts(uri: request.uri)
        let own = await peek(limits.tenantCounters, facts, together: true)
        let shared = await peek(limits.sharedCounters, facts, together: false)
        return Self.budgetAnswer(
            tenant: facts.tenant, isDegraded: own.isDegraded || shared.isDegraded, rows: own.rows + shared.rows)
    }

    /// Counters that are treated differently in an outage are asked for apart, so that one that nobody may decide then hides no other;
    /// those that are not `together` in one slot of a cluster one by one.
    private func peek(
        _ group: LimitGroup, _ facts: RequestFacts, together: Bool
    ) async -> (rows: [BudgetRow], isDegraded: Bool) {
        var verdicts = [Verdict?](repeating: nil, count: group.limits.count)
        var isDegraded = false
        let fixed = group.limits.indices.filter { facts.fixes(group.limits[$0].limit) }
        let batches =
            together
            ? Limit.FailurePolicy.allCases.map { policy in
                fixed.filter { group.limits[$0].limit.onStoreFailure == policy }
            } : fixed.map { [$0] }
        for asked in batches where !asked.isEmpty {
            let decision = await limiter.decide(facts.question(group.selecting(asked), .peek))
            isDegraded = isDegraded || decision.isDegraded
            for (index, verdict) in zip(asked, decision.verdicts) { verdicts[index] = verdict }
        }
        return (zip(group.limits, verdicts).map { BudgetRow(limit: $0, verdict: $1) }, isDegraded)
    }
}
