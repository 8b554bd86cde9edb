import Foundation
import Simulation
import Synchronization

/// Says how far a run of seeds is, and which of them fail, with the command that replays each.
final class Progress: Sendable {
    private struct Count {
        var done: UInt64 = 0
        var failed: UInt64 = 0
        var decisions = 0
        var steps = 0
        var longest: Int64 = 0
        var said = ContinuousClock.now
    }

    private let seeds: UInt64
    private let stopsAtFirst: Bool
    private let started = ContinuousClock.now
    private let count = Mutex(Count())

    init(seeds: UInt64, stopsAtFirst: Bool) {
        self.seeds = seeds
        self.stopsAtFirst = stopsAtFirst
    }

    func note(_ result: Result<Outcome, any Error>) {
        switch result {
        case .failure(let error): fail("\(error)")
        case .success(let outcome):
            if let violation = outcome.violations.first {
                fail(
                    "seed \(outcome.seed): \(violation)\n    replay it with: scripts/simulate --seed \(outcome.seed) --trace"
                )
            }
            count.withLock {
                $0.decisions += outcome.decisions
                $0.steps += outcome.steps
                $0.longest = max($0.longest, outcome.longestMicroseconds)
            }
        }
        let line: String? = count.withLock {
            $0.done += 1
            guard ContinuousClock.now - $0.said > .seconds(2) else { return nil }
            $0.said = .now
            return "\($0.done) of \(seeds) seeds, \($0.failed) failed"
        }
        if let line { say(line) }
    }

    private func fail(_ text: String) {
        count.withLock { $0.failed += 1 }
        print(text)
        guard stopsAtFirst else { return }
        print("seeds until then: \(count.withLock { $0.done } + 1)")
        Foundation.exit(1)
    }

    /// Returns whether any failed.
    func finish() -> Bool {
        let count = count.withLock { $0 }
        let seconds = (ContinuousClock.now - started) / .seconds(1)
        print(
            "\(count.done) seeds, \(count.failed) failed; \(count.decisions) decisions and \(count.steps) events in \(Int(seconds.rounded())) s; the longest decision took \(count.longest / 1000) ms"
        )
        return count.failed > 0
    }

    /// At once, wherever it goes to.
    private func print(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    private func say(_ line: String) { FileHandle.standardError.write(Data(("simulate: " + line + "\n").utf8)) }
}
