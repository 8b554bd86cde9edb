/// What the shared store's connections count, all workers together.
package final class StoreMetrics: Sendable {
    /// The codes that errors are told apart by; all others count as `other`.
    package static let errorCodes = [
        "disconnected", "timeout", "interrupted", "overloaded", "refused", "unauthorized", "incompatible", "shutdown",
    ]

    enum Cell: Int, CaseIterable {
        case batches, decisions, timeouts, lateReplies, reconnects, leaseCalls, clockRegressions
    }

    private let cells = Cells(count: Cell.allCases.count)
    private let errors = Cells(count: StoreMetrics.errorCodes.count + 1)

    package init() {}

    /// One call was sent that decides so many requests.
    package func countBatch(decisions: Int) {
        cells.add(at: Cell.batches.rawValue)
        cells.add(decisions, at: Cell.decisions.rawValue)
    }

    /// Counts a failed decision by its `StoreError` code; `timeout` also counts as a timeout.
    package func countError(_ code: String) {
        errors.add(at: Self.errorCodes.firstIndex(of: code) ?? Self.errorCodes.count)
        if code == "timeout" { cells.add(at: Cell.timeouts.rawValue) }
    }

    /// An answer came after its deadline.
    package func countLateReply() { cells.add(at: Cell.lateReplies.rawValue) }

    /// A connection that had been lost stands again.
    package func countReconnect() { cells.add(at: Cell.reconnects.rawValue) }

    /// The store took notice of what this replica took, and granted it more.
    package func countLeaseCall() { cells.add(at: Cell.leaseCalls.rawValue) }

    /// An answer was not given at the store's time, because its clock had been set back.
    package func countClockRegression() { cells.add(at: Cell.clockRegressions.rawValue) }

    func value(_ cell: Cell) -> Int { cells.value(at: cell.rawValue) }

    /// In the order of `errorCodes`, then `other`.
    func errorCount(at index: Int) -> Int { errors.value(at: index) }
}
