import Synchronization

/// All that this process counts, in Prometheus' text format. Labels take the configuration's values only, so that the
/// number of series is bounded whatever clients send.
package final class Metrics: Sendable {
    package static let version = "0.1.0"

    private let tables: Mutex<MetricTables>
    private let breakers = Mutex<[BreakerGauge]>([])
    private let startNanoseconds: Int64
    package let store: StoreMetrics
    /// By service and route.
    package let traffic: TrafficMetrics
    package let spans = SpanMetrics()
    package let upstreams = UpstreamMetrics()
    package let migrations = MigrationMetrics()
    private let reloads = Cells(count: 2)

    /// `limits` in the order of the limit table's labels. `workers` counts the gateway's event loops. `traffic` has the services again,
    /// with their routes.
    package init(
        services: [String], limits: [(limit: String, service: String?)], workers: Int,
        traffic: TrafficNames = TrafficNames([])
    ) {
        tables = Mutex(MetricTables(workers: max(0, workers) + 1))
        self.traffic = TrafficMetrics(traffic, workers: workers)
        startNanoseconds = SystemTime.monotonicNanoseconds
        store = StoreMetrics()
        use(services: services, limits: limits)
    }

    /// Names of a configuration that takes the place of the one before; those of all before stay, with what they counted. `limits` begin
    /// with those that there were.
    package func use(services: [String], limits: [(limit: String, service: String?)]) {
        tables.withLock { $0.use(services: services, limits: limits) }
    }

    /// Where a service counts; the same for as long as the process lives. -1: the name is not known.
    package func index(ofService name: String) -> Int { tables.withLock { $0.index(ofService: name) } }

    /// The cells of one event loop of the gateway, from 0; the index after the last is the control plane's. They are others once a
    /// configuration has brought new names.
    package func worker(_ index: Int) -> WorkerMetrics { tables.withLock { $0.latest[index] } }

    /// The configuration was read again, and is in force or was refused.
    package func countReload(isRefused: Bool) { reloads.add(at: isRefused ? 1 : 0) }

    /// From now on these are the circuit breakers that there are.
    package func show(_ breakers: [BreakerGauge]) { self.breakers.withLock { $0 = breakers } }

    /// Adds everything in Prometheus' text format 0.0.4 to `text`.
    ///
    /// `status` holds gauges of the caller's, each with its full name; labels may follow the name as `name{label="value"}`, and
    /// samples of one name must be neighbours.
    package func render(
        store status: [(name: String, value: Double)], at now: Int64 = SystemTime.monotonicNanoseconds,
        into text: inout String
    ) {
        var exposition = Exposition()
        let tables = tables.withLock { $0 }
        tables.writeRequests(to: &exposition)
        traffic.write(to: &exposition, at: now)
        tables.writeDecisions(to: &exposition)
        tables.writeConnections(to: &exposition)
        upstreams.write(to: &exposition)
        migrations.write(to: &exposition)
        tables.writeResilience(breakers.withLock { $0 }, to: &exposition)
        writeReloads(to: &exposition)
        writeStore(to: &exposition)
        spans.write(to: &exposition)
        writeGauges(status, to: &exposition)
        writeProcess(to: &exposition)
        text += exposition.text
    }

    private func writeReloads(to exposition: inout Exposition) {
        let name = "weir_config_reloads_total"
        exposition.family(name, .counter, "How often the configuration was read again, and put in force or refused.")
        exposition.sample(name, reloads.value(at: 0), [("result", "success")])
        exposition.sample(name, reloads.value(at: 1), [("result", "refused")])
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
