import Simulation
import Synchronization

/// Runs seeds on several threads, each world alone on one of them.
final class SeedRun: Sendable {
    private let first: UInt64
    private let count: UInt64
    private let report: @Sendable (Result<Outcome, any Error>) -> Void
    private let next = Atomic<UInt64>(0)

    /// `report` is given each outcome, in no particular order and on several threads.
    init(first: UInt64, count: UInt64, _ report: @escaping @Sendable (Result<Outcome, any Error>) -> Void) {
        self.first = first
        self.count = count
        self.report = report
    }

    func perform(threads: Int) async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<threads { group.addTask { self.work() } }
        }
    }

    private func work() {
        while case let index = next.wrappingAdd(1, ordering: .relaxed).oldValue, index < count {
            report(Result { try Outcome(seed: first &+ index) })
        }
    }
}
