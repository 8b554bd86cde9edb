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
        self.seed = seed
        violations = run.referee.violations
        digest = journal.digest
        steps = run.world.steps
        decisions = run.referee.tally.decisions
        admitted = run.referee.tally.admitted
        longestMicroseconds = run.referee.tally.longestMicroseconds
        summary = scenario.summary
    }
}
