import Synchronization

/// All that this process counts, in Prometheus' text format. Labels take the configuration's values only, so that the
/// number of series is bounded whatever clients send.
package final class Metrics: Sendable {
    package static let version = "0.1.0"

    let services: [String]
    /// Limits that have the same name and service (those of two routes) are one series.
    private let series: [Series]
    let workers: [WorkerMetrics]
    let breakers = Mutex<[BreakerGauge]>([])
    private let startNanoseconds: Int64
    package let store: StoreMetrics

    private struct Series: Sendable {
        let limit: String
        let service: String
        var indices: [Int]
    }

    /// `limits` in the order of the limit table's labels. `workers` counts the gateway's event loops.
    package init(services: [String], limits: [(limit: String, service: String?)], workers: Int) {
        self.services = services
        var series: [Series] = []
        var places: [[String]: Int] = [:]
        for (index, entry) in limits.enumerated() {
            let key = [entry.limit, entry.service ?? ""]
            if let place = places[key] {
                series[place].indices.append(index)
            } else {
                places[key] = series.count
                series.append(Series(limit: entry.limit, service: entry.service ?? "", indices: [index]))
            }
        }
        self.series = series
        self.workers = (0...max(0, workers)).map { _ in WorkerMetrics(services: services.count, limits: limits.count) }
        startNanoseconds = SystemTime.monotonicNanoseconds
        store = StoreMetrics()
    }

    /// The cells of one event loop of the gateway, from 0; the index after the last is the control plane's.
    package func worker(_ index: Int) -> WorkerMetrics { workers[index] }

    /// From now on these are the circuit breakers that there are.
    package func show(_ breakers: [BreakerGauge]) { self.breakers.withLock { $0 = breakers } }

    /// Adds everything in Prometheus' text format 0.0.4 to `text`.
    ///
    /// `status` holds gauges of the caller's, each with its full name; labels may follow the name as `name{label="value"}`, and
    /// samples of one name must be neighbours.
    package func render(store status: [(name: String, value: Double)], into text: inout String) {
        var exposition = Exposition()
        writeRequests(to: &exposition)
        writeDecisions(to: &exposition)
        writeConnections(to: &exposition)
        writeResilience(to: &exposition)
        writeStore(to: &exposition)
        writeGauges(status, to: &exposition)
        writeProcess(to: &exposition)
        text += exposition.text
    }

    private func sum(_ value: (WorkerMetrics) -> Int) -> Int { workers.reduce(0) { $0 + value($1) } }

    private func writeRequests(to exposition: inout Exposition) {
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

    private func writeDecisions(to exposition: inout Exposition) {
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

    private func writeConnections(to exposition: inout Exposition) {
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

    private func writeStore(to exposition: inout Exposition) {
        let name = "weir_store_errors_total"
        exposition.family(name, .counter, "Decisions that the shared store did not make, by reason.")
        for (index, code) in (StoreMetrics.errorCodes + ["other"]).enumerated() {
            exposition.sample(name, store.errorCount(at: index), [("code", code)])
        }
        for (cell, name, help) in [
            (.batches, "batches", "Calls sent to the shared store; each decides one or more requests."),
            (.decisions, "decisions", "Decisions asked of the shared store."),
            (.timeouts, "timeouts", "Decisions that the shared store did not make within the deadline."),
            (.lateReplies, "late_replies", "Answers of the shared store that came after their deadline."),
            (.reconnects, "reconnects", "Connections to the shared store that were made anew."),
            (
                .leaseCalls, "lease_calls",
                "Calls that told the shared store what this replica took of counters, and asked for more of them."
            ),
            (
                .clockRegressions, "clock_regressions",
                "Answers for which the shared store's clock was over a second behind what it had shown, and was not used."
            ),
        ] as [(StoreMetrics.Cell, String, String)] {
            exposition.single("weir_store_\(name)_total", .counter, help, store.value(cell))
        }
    }

    private func writeGauges(_ gauges: [(name: String, value: Double)], to exposition: inout Exposition) {
        var family: Substring?
        for gauge in gauges {
            let name = gauge.name.prefix { $0 != "{" }
            if name != family { exposition.family(String(name), .gauge, nil) }
            family = name
            exposition.sample(gauge.name, gauge.value)
        }
    }

    private func writeProcess(to exposition: inout Exposition) {
        let figures = ProcessFigures.read()
        if let value = figures.cpuSeconds {
            exposition.single("process_cpu_seconds_total", .counter, "Processor time spent, user and system.", value)
        }
        if let value = figures.residentBytes {
            exposition.single("process_resident_memory_bytes", .gauge, "Memory held in RAM.", value)
        }
        if let value = figures.openFiles {
            exposition.single("process_open_fds", .gauge, "File descriptors that are open.", value)
        }
        if let value = figures.startTime {
            exposition.single("process_start_time_seconds", .gauge, "When the process started, since 1970.", value)
        }
        exposition.single(
            "weir_uptime_seconds", .gauge, "How long this Weir has been running.",
            Double(SystemTime.monotonicNanoseconds - startNanoseconds) / 1e9)
        exposition.family("weir_build_info", .gauge, "Always 1; the labels say what runs.")
        exposition.sample("weir_build_info", 1, [("version", Self.version)])
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
