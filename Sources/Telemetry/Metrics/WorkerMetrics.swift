/// What one worker counts. Counting is a few relaxed atomic additions: no lock, no allocation, any thread.
package final class WorkerMetrics: Sendable {
    /// How one limit answered one request.
    package enum DecisionOutcome: Int, Sendable, CaseIterable {
        case allowed
        case denied
        /// A shadow limit would have refused.
        case shadowDenied
        /// No store could decide, and the limit says to refuse then.
        case unavailable
    }

    static let statusCodes = 100...599
    /// One cell a status code, and one for what is no status code.
    private static let statusCells = statusCodes.count + 1
    private static let decisionCells = DecisionOutcome.allCases.count * 2

    private let services: Int
    private let limits: Int
    private let requests: Cells
    private let decisions: Cells
    private let decisionDurations: Cells
    private let upstreamDurations: Cells
    private let opened: Cells
    private let closed: Cells
    private let dropped: Cells
    package let resilience: ResilienceMetrics

    init(services: Int, limits: Int) {
        self.services = services
        self.limits = limits
        requests = Cells(count: (services + 1) * Self.statusCells)
        decisions = Cells(count: limits * Self.decisionCells)
        decisionDurations = Cells(count: Histogram.cells)
        upstreamDurations = Cells(count: Histogram.cells)
        opened = Cells(count: 1)
        closed = Cells(count: 1)
        dropped = Cells(count: 1)
        resilience = ResilienceMetrics(services: services)
    }

    /// Counts a request that was answered. `service` is its index in the configuration; -1: it had no route.
    package func countRequest(service: Int, status: Int) {
        requests.add(at: Self.requestCell(service: service < services ? service : -1, status: status))
    }

    /// Counts what one limit said. `index` is the limit's in the limit table; unknown ones are not counted.
    package func countDecision(limit index: Int, outcome: DecisionOutcome, isDegraded: Bool) {
        guard index >= 0, index < limits else { return }
        decisions.add(at: Self.decisionCell(limit: index, outcome: outcome, isDegraded: isDegraded))
    }

    /// How long the limits of one request took to decide.
    package func recordDecision(nanoseconds: Int64) { Histogram.record(nanoseconds, in: decisionDurations) }

    /// From the moment a request went to its upstream until the head of the answer came.
    package func recordUpstream(nanoseconds: Int64) { Histogram.record(nanoseconds, in: upstreamDurations) }

    package func connectionOpened() { opened.add(at: 0) }

    package func connectionClosed() { closed.add(at: 0) }

    package func countAccessLogDropped() { countAccessLogDropped(lines: 1) }

    package func countAccessLogDropped(lines: Int) { dropped.add(lines, at: 0) }

    // MARK: Reading

    /// `status` nil: what was no status code.
    func requests(service: Int, status: Int?) -> Int {
        guard service < services else { return 0 }
        return requests.value(at: Self.requestCell(service: service, status: status ?? 0))
    }

    func decisions(limit index: Int, outcome: DecisionOutcome, isDegraded: Bool) -> Int {
        guard index < limits else { return 0 }
        return decisions.value(at: Self.decisionCell(limit: index, outcome: outcome, isDegraded: isDegraded))
    }

    func addDecisionDurations(to histogram: inout Histogram) { histogram.add(decisionDurations) }

    func addUpstreamDurations(to histogram: inout Histogram) { histogram.add(upstreamDurations) }

    var connectionsOpened: Int { opened.value(at: 0) }

    var connectionsClosed: Int { closed.value(at: 0) }

    var accessLogDropped: Int { dropped.value(at: 0) }

    private static func requestCell(service: Int, status: Int) -> Int {
        let code = statusCodes.contains(status) ? status - statusCodes.lowerBound : statusCells - 1
        return (max(service, -1) + 1) * statusCells + code
    }

    private static func decisionCell(limit index: Int, outcome: DecisionOutcome, isDegraded: Bool) -> Int {
        index * decisionCells + outcome.rawValue * 2 + (isDegraded ? 1 : 0)
    }
}
