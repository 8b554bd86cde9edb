/// The cells of all workers, and the names of what they count by index. Names are only added, so that an index means the same for as
/// long as the process lives, and what was counted stays.
struct MetricTables {
    private struct Series {
        let limit: String
        let service: String
        var indices: [Int]
    }

    private(set) var services: [String] = []
    private var places: [String: Int] = [:]
    private var limitCount = 0
    /// Limits that have the same name and service (those of two routes) are one series.
    private var series: [Series] = []
    private let workerCount: Int
    /// Those in use, one a worker.
    private(set) var latest: [WorkerMetrics] = []
    /// Those in use, and those that had room for fewer names, to which requests in flight may still add.
    private(set) var workers: [WorkerMetrics] = []

    init(workers: Int) { workerCount = workers }

    mutating func use(services names: [String], limits: [(limit: String, service: String?)]) {
        let before = (services.count, limitCount)
        for name in names where places[name] == nil {
            places[name] = services.count
            services.append(name)
        }
        for (index, entry) in limits.enumerated().dropFirst(limitCount) {
            let service = entry.service ?? ""
            if let place = series.firstIndex(where: { $0.limit == entry.limit && $0.service == service }) {
                series[place].indices.append(index)
            } else {
                series.append(Series(limit: entry.limit, service: service, indices: [index]))
            }
        }
        limitCount = max(limitCount, limits.count)
        guard latest.isEmpty || before != (services.count, limitCount) else { return }
        latest = (0..<workerCount).map { _ in WorkerMetrics(services: services.count, limits: limitCount) }
        workers += latest
    }

    func index(ofService name: String) -> Int { places[name] ?? -1 }

    private func sum(_ value: (WorkerMetrics) -> Int) -> Int { workers.reduce(0) { $0 + value($1) } }

    func writeRequests(to exposition: inout Exposition) {
        let name = "weir_requests_total"
        exposition.family(
            name, .counter, "Requests answered, by service (empty: no route) and status code.")
        for service in -1..<services.count {
            let label = service < 0 ? "" : services[service]
            for status in WorkerMetrics.statusCodes.map(Optional.some) + [nil] {
                let count = sum { $0.requests(service: service, status: status) }
                guard count > 0 else { continue }
                exposition.sample(name, count, [("service", label), ("status", status.map { "\($0)" } ?? "other")])
            }
        }
    }

    func writeDecisions(to exposition: inout Exposition) {
        let name = "weir_decisions_total"
        exposition.family(
            name, .counter,
            "Decisions of each limit, by the service that it belongs to (empty: all of them), by outcome, and by whether the shared store was away."
        )
        for entry in series {
            for outcome in WorkerMetrics.DecisionOutcome.allCases {
                for isDegraded in [false, true] {
                    let count = entry.indices.reduce(0) { total, index in
                        total + sum { $0.decisions(limit: index, outcome: outcome, isDegraded: isDegraded) }
                    }
                    // A series that starts at 0 shows its first increase; those that rarely occur come when they do.
                    let isAlwaysShown = !isDegraded && (outcome == .allowed || outcome == .denied)
                    guard count > 0 || isAlwaysShown else { continue }
                    exposition.sample(
                        name, count,
                        [
                            ("limit", entry.limit), ("service", entry.service), ("outcome", outcome.label),
                            ("degraded", isDegraded ? "true" : "false"),
                        ])
                }
            }
        }
        var decisions = Histogram()
        var upstreams = Histogram()
        for worker in workers {
            worker.addDecisionDurations(to: &decisions)
            worker.addUpstreamDurations(to: &upstreams)
        }
        exposition.histogram(
            "weir_decision_duration_seconds", "How long the limits of one request took to decide.", decisions)
        exposition.histogram(
            "weir_upstream_duration_seconds",
            "From a request's forwarding until the head of the upstream's answer.", upstreams)
    }

    func writeConnections(to exposition: inout Exposition) {
        // Read before what was opened: a connection that closes in between must not make the gauge negative.
        let closed = sum(\.connectionsClosed)
        let opened = sum(\.connectionsOpened)
        exposition.single("weir_connections", .gauge, "Client connections that are open.", opened - closed)
        exposition.single("weir_connections_total", .counter, "Client connections accepted.", opened)
        exposition.single(
            "weir_access_log_dropped_total", .counter,
            "Access log lines that were dropped because writing them was too slow or failed.",
            sum(\.accessLogDropped))
    }
}

extension WorkerMetrics.DecisionOutcome {
    fileprivate var label: String {
        switch self {
        case .allowed: "allowed"
        case .denied: "denied"
        case .shadowDenied: "shadow_denied"
        case .unavailable: "unavailable"
        }
    }
}
