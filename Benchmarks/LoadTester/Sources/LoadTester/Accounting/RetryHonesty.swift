/// What ordinary traffic shows about Retry-After.
struct RetryHonesty: Hashable, Sendable {
    /// Refusals without it.
    private(set) var missing = 0
    /// Refusals where it was no number of seconds, or 0.
    private(set) var invalid = 0
    /// Refusals after which as costly a request of the same tenant passed over a second sooner than they had said: the header
    /// counts whole seconds, so that much may be rounding.
    private(set) var tooLate = 0

    static let second: Int64 = 1_000_000_000

    init(_ observations: [Observation]) {
        var refusals: [(Observation, Int)] = []
        for observation in observations where observation.outcome == .refused {
            switch observation.retryAfter {
            case .missing: missing += 1
            case .invalid: invalid += 1
            case .seconds(let seconds): refusals.append((observation, seconds))
            }
        }
        guard refusals.contains(where: { $0.1 > 1 }) else { return }
        // Of each cost: when admissions were sent, and the earliest receipt of those sent at that time or later.
        let admissions = observations.filter { $0.outcome == .admitted }
        let byCost = Dictionary(grouping: admissions, by: \.cost).mapValues { group in
            let sorted = group.sorted { $0.sent < $1.sent }
            var earliest = sorted.map(\.received)
            for index in earliest.indices.dropLast().reversed() {
                earliest[index] = min(earliest[index], earliest[index + 1])
            }
            return (sent: sorted.map(\.sent), earliest: earliest)
        }
        for (refusal, seconds) in refusals {
            let promised = refusal.sent + Int64(seconds - 1) * Self.second
            let hasPassedSooner = byCost.contains { cost, group in
                guard cost >= refusal.cost else { return false }
                let index = Excess.upperBound(group.sent, refusal.received)
                return index < group.sent.count && group.earliest[index] < promised
            }
            if hasPassedSooner { tooLate += 1 }
        }
    }
}
