import Foundation
import Simulation

/// Figures as the tables of Benchmarks/README.md.
struct FigureTables {
    /// Virtual seconds of each run.
    let seconds: Int64
    let say: (String) -> Void

    private static let seed: UInt64 = 1
    /// How busy a limit must keep, and how many calls a decision may cost at most, at so many a second.
    private static let goals: [(limit: Int64, operations: Double)] = [(1000, 0.2), (10_000, 0.02)]
    private static let leastUtilisation = 0.97
    private static let leastUtilisationOfBursts = 0.93

    // MARK: Schemes

    func schemes() throws -> String {
        let all = try SchemeComparison(limit: 1000, seconds: seconds, seed: Self.seed, say)
        let large = try SchemeComparison(
            limit: 10_000, seconds: seconds, seed: Self.seed, kinds: [.exact, .leased], say)
        return [
            "Eight replicas, one tenant, \(seconds) s of virtual time, a sliding window of one second, no faults; messages take 0.25 ms and 0.1 ms more on average.",
            "**1,000 a second**", table(all), "**10,000 a second**", table(large), verdict(all, large),
        ].joined(separator: "\n\n")
    }

    private func table(_ comparison: SchemeComparison) -> String {
        var lines = [
            "| demand | scheme | admitted ÷ limit | utilisation | worst second | worst window | spread | operations a decision |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        for row in comparison.rows {
            let figures = row.figures
            let cells = [
                row.kind == .exact ? row.shape.rawValue : "", row.kind.rawValue, Self.text(figures.admitted, 3),
                Self.text(figures.utilisation, 3), Self.text(figures.worstSecond, 2), Self.text(figures.worstWindow, 2),
                Self.text(figures.spread, 2), Self.text(figures.operationsADecision, 4),
            ]
            lines.append("| \(cells.joined(separator: " | ")) |")
        }
        return lines.joined(separator: "\n")
    }

    private func verdict(_ comparisons: SchemeComparison...) -> String {
        var lines: [String] = []
        for (comparison, goal) in zip(comparisons, Self.goals) {
            let leased = comparison.rows.filter { $0.kind == .leased }
            let most = leased.map(\.figures.worstWindow).max() ?? 0
            let bursty = leased.filter { $0.shape == .bursty }.map(\.figures.utilisation).min() ?? 0
            let others = leased.filter { $0.shape != .bursty }.map(\.figures.utilisation).min() ?? 0
            let operations = leased.map(\.figures.operationsADecision).max() ?? 0
            lines.append(
                "Leased at \(Self.grouped(goal.limit)) a second: never over the limit in a clock window: \(Self.word(most <= 1)), \(Self.text(most, 3)). "
                    + "Utilisation at least \(Self.leastUtilisation): \(Self.word(others >= Self.leastUtilisation)), \(Self.text(others, 3)); "
                    + "bursty at least \(Self.leastUtilisationOfBursts): \(Self.word(bursty >= Self.leastUtilisationOfBursts)), \(Self.text(bursty, 3)). "
                    + "At most \(goal.operations) operations a decision: \(Self.word(operations <= goal.operations)), \(Self.text(operations, 4))."
            )
        }
        lines.append(
            "Where a limit is exhausted each replica asks once in 20 ms: eight of them 400 times a second, which is 0.02 of 20,000 decisions; "
                + "heartbeats and the first leases of a window come on top.")
        return lines.joined(separator: "\n\n")
    }

    // MARK: Fleets

    func fleets() throws -> String {
        var lines = [
            "| load | replicas | operations/s | operations a decision | utilisation | stranded in leases | counters remembered by one replica |",
            "| --- | --- | --- | --- | --- | --- | --- |",
        ]
        for load in FleetFigures.Load.allCases {
            for replicas in [10, 100, 1000] {
                say("\(load.rawValue): \(replicas) replicas")
                let figures = try FleetFigures(load, replicas: replicas, seconds: min(seconds, 20), seed: Self.seed)
                let cells = [
                    replicas == 10 ? load.rawValue : "", Self.grouped(Int64(replicas)),
                    Self.grouped(Int64(figures.operationsASecond.rounded())), Self.text(figures.operationsADecision, 3),
                    load == .oneTenant ? Self.text(figures.utilisation, 3) : "",
                    load == .oneTenant ? Self.percent(figures.stranded) : "",
                    Self.grouped(Int64(figures.remembered)),
                ]
                lines.append("| \(cells.joined(separator: " | ")) |")
            }
        }
        return "A growing fleet, \(min(seconds, 20)) s of virtual time:\n\n" + lines.joined(separator: "\n")
    }

    // MARK: Words

    private static func word(_ isReached: Bool) -> String { isReached ? "reached" : "**missed**" }

    private static func text(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

    private static func percent(_ value: Double) -> String { String(format: "%.1f %%", value * 100) }

    private static func grouped(_ number: Int64) -> String {
        var text = ""
        for (index, digit) in String(number).reversed().enumerated() {
            if index > 0, index % 3 == 0 { text = "," + text }
            text = String(digit) + text
        }
        return text
    }
}
