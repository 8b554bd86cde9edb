import HTTPTypes
import LimiterCore

/// `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11), as the gateway sends them.
struct RateLimitFields {
    private var policy = ""
    private var state = ""

    /// `rows`: of the limits that are enforced, in the order of the fields.
    init(_ rows: [BudgetRow]) {
        for row in rows {
            guard let verdict = row.verdict else { continue }
            let separator = policy.isEmpty ? "" : ", "
            policy += "\(separator)\"\(row.limit.name)\";q=\(verdict.limit)"
            if let seconds = row.limit.limit.windowSeconds { policy += ";w=\(seconds)" }
            state += "\(separator)\"\(row.limit.name)\";r=\(verdict.remaining)"
            if verdict.nextUnitMicroseconds > 0 { state += ";t=\(Self.wholeSeconds(verdict.nextUnitMicroseconds))" }
        }
    }

    func set(in fields: inout HTTPFields) {
        guard !policy.isEmpty else { return }
        fields[Self.policyName] = policy
        fields[Self.stateName] = state
    }

    /// The next whole second, never 0.
    static func wholeSeconds(_ microseconds: Int64) -> Int64 { max(1, (microseconds + 999_999) / 1_000_000) }

    private static let policyName = HTTPField.Name("RateLimit-Policy")!
    private static let stateName = HTTPField.Name("RateLimit")!
}
