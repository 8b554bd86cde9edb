import Hummingbird
import HummingbirdCore
import LimiterCore

extension QuotaAPI {
    func budget(_ request: Request) async throws(ControlError) -> Response {
        let facts = try RequestFacts(uri: request.uri)
        let limits = table(of: facts.tenant)
        let own = await peek(limits.tenantCounters, facts)
        let shared = await peek(limits.sharedCounters, facts)
        return Self.budgetAnswer(
            tenant: facts.tenant, isDegraded: own.isDegraded || shared.isDegraded, rows: own.rows + shared.rows)
    }

    /// Counters that are treated differently in an outage are asked for apart, so that one that nobody may decide then hides no other.
    private func peek(_ group: LimitGroup, _ facts: RequestFacts) async -> (rows: [BudgetRow], isDegraded: Bool) {
        var verdicts = [Verdict?](repeating: nil, count: group.limits.count)
        var isDegraded = false
        for policy in Limit.FailurePolicy.allCases {
            let asked = group.limits.indices.filter {
                group.limits[$0].limit.onStoreFailure == policy && facts.fixes(group.limits[$0].limit)
            }
            guard !asked.isEmpty else { continue }
            let decision = await limiter.decide(facts.question(group.selecting(asked), .peek))
            isDegraded = isDegraded || decision.isDegraded
            for (index, verdict) in zip(asked, decision.verdicts) { verdicts[index] = verdict }
        }
        return (zip(group.limits, verdicts).map { BudgetRow(limit: $0, verdict: $1) }, isDegraded)
    }
}
