/// What one run came to.
package struct Outcome: Sendable {
    package let seed: UInt64
    package let violations: [Violation]
    /// The same seed makes the same digest of everything that happened.
    package let digest: UInt64
    package let steps: Int
    package let decisions: Int
    package let admitted: Int
    package let longestMicroseconds: Int64
    package let summary: String

    /// Runs the world of a seed. `write` is given each line of what happens.
    package init(seed: UInt64, write: ((String) -> Void)? = nil) throws {
        let journal = Journal(write: write)
        let scenario = try Scenario(seed: seed)
        write?(scenario.summary)
        let run = Run(scenario, journal)
        run.perform()
        if scenario.kind == .isolated { Self.compare(run, scenario) }
        self.seed = seed
        violations = run.referee.violations
        digest = journal.digest
        steps = run.world.steps
        decisions = run.referee.tally.decisions
        admitted = run.referee.tally.admitted
        longestMicroseconds = run.referee.tally.longestMicroseconds
        summary = scenario.summary
    }

    /// The same world without one tenant's requests: all others are answered the same, and to the microsecond where
    /// limits are exact.
    private static func compare(_ run: Run, _ scenario: Scenario) {
        let loudest = 0
        let other = Run(scenario, Journal(), without: loudest)
        other.perform()
        for tenant in 1..<max(2, Int(scenario.traffic.tenants)) {
            let with = (run.referee.transcripts[tenant] ?? []).sorted()
            let without = (other.referee.transcripts[tenant] ?? []).sorted()
            guard with != without else { continue }
            let shared = min(with.count, without.count)
            let place = (0..<shared).first { with[$0] != without[$0] } ?? shared
            run.referee.violated(
                .isolation,
                "tenant \(tenant) was answered \(place < with.count ? with[place] : "nothing"), and without tenant \(loudest) \(place < without.count ? without[place] : "nothing")"
            )
        }
    }
}
