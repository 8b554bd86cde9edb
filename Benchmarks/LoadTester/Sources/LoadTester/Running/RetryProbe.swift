/// Finds out with a tenant of its own whether Retry-After is honest: it spends the budget, then comes back a little too early, and
/// then at the time that it was told.
struct RetryProbe {
    enum Step: Hashable {
        case send
        /// Ask again at this time of the run.
        case wait(until: Int64)
        case finished
    }

    struct Findings: Codable, Hashable, Sendable {
        /// Came back at the time, and passed.
        var passedWhenDue = 0
        /// Came back at the time, and was refused again: the time was too short.
        var refusedWhenDue = 0
        /// Came back over a second sooner, and was refused.
        var refusedWhenEarly = 0
        /// Came back over a second sooner, and passed: the time was too long.
        var passedWhenEarly = 0

        static func + (a: Findings, b: Findings) -> Findings {
            Findings(
                passedWhenDue: a.passedWhenDue + b.passedWhenDue, refusedWhenDue: a.refusedWhenDue + b.refusedWhenDue,
                refusedWhenEarly: a.refusedWhenEarly + b.refusedWhenEarly,
                passedWhenEarly: a.passedWhenEarly + b.passedWhenEarly)
        }
    }

    private enum Phase: Hashable {
        case spending(count: Int)
        /// The header counts whole seconds: `wrongFrom` is a second before the time it names.
        case early(at: Int64, wrongFrom: Int64, due: Int64)
        case due(at: Int64)
        case finished
    }

    private(set) var findings = Findings()
    private var phase = Phase.spending(count: 0)
    /// Requests after which it gives up to meet a refusal.
    private let patience: Int

    private static let second: Int64 = 1_000_000_000
    /// So much sooner than a second before, for the way there.
    private static let lead: Int64 = 30_000_000

    init(burst: Int64) { patience = Int(clamping: burst.multipliedReportingOverflow(by: 3).partialValue) + 1000 }

    func next(at now: Int64) -> Step {
        switch phase {
        case .spending: .send
        case .early(let time, _, _), .due(let time): now >= time ? .send : .wait(until: time)
        case .finished: .finished
        }
    }

    mutating func answered(
        _ outcome: Observation.Outcome, _ retryAfter: Observation.RetryAfter, sent: Int64, received: Int64
    ) {
        switch phase {
        case .spending(let count):
            guard outcome == .refused else {
                phase = count < patience ? .spending(count: count + 1) : .finished
                return
            }
            guard case .seconds(let seconds) = retryAfter else {
                // Those are counted among the refusals; there is nothing to come back for.
                phase = .finished
                return
            }
            let due = received + Int64(seconds) * Self.second
            let wrongFrom = sent + Int64(seconds - 1) * Self.second
            let early = wrongFrom - Self.lead
            phase = early > received ? .early(at: early, wrongFrom: wrongFrom, due: due) : .due(at: due)
        case .early(_, let wrongFrom, let due):
            // An answer that took longer proves nothing: it may have been decided later.
            switch outcome {
            case .refused:
                if received < wrongFrom { findings.refusedWhenEarly += 1 }
                phase = .due(at: due)
            case .admitted:
                if received < wrongFrom { findings.passedWhenEarly += 1 }
                phase = .spending(count: 0)
            case .unknown: phase = .spending(count: 0)
            }
        case .due:
            switch outcome {
            case .admitted: findings.passedWhenDue += 1
            case .refused: findings.refusedWhenDue += 1
            case .unknown: break
            }
            phase = .spending(count: 0)
        case .finished: break
        }
    }
}
