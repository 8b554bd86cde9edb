import LimiterCore

/// One counter as the API shows it.
struct BudgetRow: Sendable {
    let limit: EffectiveLimit
    /// nil: the counter's key depends on the request, or nobody could say.
    let verdict: Verdict?

    /// Limits that are enforced, those of a narrower scope first.
    static func enforced(_ rows: [BudgetRow]) -> [BudgetRow] {
        func breadth(_ row: BudgetRow) -> Int {
            switch row.limit.owner {
            case .route: 0
            case .service: 1
            case .global: 2
            }
        }
        return (0...2).flatMap { scope in rows.filter { !$0.limit.limit.isShadow && breadth($0) == scope } }
    }

    /// `allowed` belongs to the answer of a check alone.
    func json(showsAllowed: Bool = false) -> JSON {
        var members: [JSON.Member] = [
            .init("name", .string(limit.name)),
            .init("service", .optional(limit.service)),
        ]
        if let route = limit.route { members.append(.init("route", .string(route))) }
        let capacity = verdict?.limit ?? limit.rule.limit
        members += [
            .init("algorithm", .string(limit.limit.algorithm.name)),
            .init("limit", .integer(capacity)),
            .init("window_seconds", limit.limit.windowSeconds.map { .integer($0) } ?? .null),
            .init("used", verdict.map { .integer(capacity - $0.remaining) } ?? .null),
            .init("remaining", verdict.map { .integer($0.remaining) } ?? .null),
            .init("reset_after_seconds", verdict.map { .seconds(fromMicroseconds: $0.fullMicroseconds) } ?? .null),
        ]
        if let period = limit.limit.calendar {
            members.append(.init("period", .string(period.unit.rawValue)))
            members.append(.init("time_zone", .string(period.zone.name)))
        }
        if limit.limit.isShadow { members.append(.init("shadow", true)) }
        if showsAllowed { members.append(.init("allowed", verdict.map { .bool($0.isAllowed) } ?? .null)) }
        return .object(members)
    }
}
