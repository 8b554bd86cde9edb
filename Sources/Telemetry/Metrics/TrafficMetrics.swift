import Synchronization

/// What is counted of services and routes, all workers together: made of names, and addressed by their places.
package final class TrafficMetrics: Sendable {
    private let generations: Mutex<TrafficGenerations>

    package init(_ names: TrafficNames, workers: Int) {
        generations = Mutex(TrafficGenerations(names, workers: max(0, workers)))
    }

    /// Names of a configuration that takes the place of the one before. What was counted of those that stay goes on; the rest is shown no more.
    package func use(_ names: TrafficNames) { generations.withLock { $0.use(names) } }

    /// Of the latest names.
    package func worker(_ index: Int) -> WorkerTraffic { generations.withLock { $0.latest.workers[index] } }

    private static let quantiles: [(label: String, value: Double)] = [("0.5", 0.5), ("0.95", 0.95), ("0.99", 0.99)]

    func write(to exposition: inout Exposition, at now: Int64) {
        let generations = generations.withLock { $0 }
        let names = generations.latest.names
        guard !names.services.isEmpty else { return }
        writeServices(names.services.map { ($0, generations.sums(ofService: $0)) }, to: &exposition)
        let labels = names.routes.map { [(name: "service", value: $0.service), (name: "route", value: $0.name)] }
        writeRoutes(Array(zip(labels, names.routes.map { generations.sums(ofRoute: $0) })), to: &exposition)
        writeQuantiles(
            Array(zip(labels, names.routes.map { generations.recent(ofRoute: $0, at: now) })), to: &exposition)
    }

    private typealias Labels = [(name: String, value: String)]

    private func writeServices(
        _ services: [(label: String, sums: WorkerTraffic.Sums)], to exposition: inout Exposition
    ) {
        func family(
            _ name: String, _ kind: Exposition.Kind, _ help: String, _ value: (WorkerTraffic.Sums) -> Int
        ) {
            exposition.family(name, kind, help)
            for service in services { exposition.sample(name, value(service.sums), [("service", service.label)]) }
        }
        family("weir_requests_in_flight", .gauge, "Requests that are being answered, by service.") {
            max(0, $0.begun - $0.ended)
        }
        family("weir_received_bytes_total", .counter, "Bytes of requests' bodies, by service.", \.bytesIn)
        family("weir_sent_bytes_total", .counter, "Bytes of answers' bodies, by service.", \.bytesOut)

        let name = "weir_upstream_failures_total"
        exposition.family(
            name, .counter, "Attempts that got no whole answer of an upstream's, or one with 5xx, by service and cause."
        )
        for service in services {
            for cause in FailureCause.allCases where cause.isOfUpstream {
                let count = service.sums.failures(cause)
                guard count > 0 else { continue }
                exposition.sample(name, count, [("service", service.label), ("cause", "\(cause.name)")])
            }
        }
    }

    private func writeRoutes(_ routes: [(labels: Labels, sums: WorkerTraffic.Sums)], to exposition: inout Exposition) {
        let name = "weir_route_requests_total"
        exposition.family(name, .counter, "Requests answered, by service, route and class of status code.")
        for route in routes {
            for (index, statusClass) in WorkerTraffic.statusClasses.enumerated() {
                let count = route.sums.requests(statusClass: index)
                guard count > 0 else { continue }
                exposition.sample(name, count, route.labels + [("class", statusClass)])
            }
        }
        writeHistogram(
            "weir_request_duration_seconds",
            "From the head of a request until its answer was written, by service and route.",
            routes.map { ($0.labels, $0.sums.durations) }, to: &exposition)
        writeHistogram(
            "weir_route_upstream_duration_seconds",
            "From a request's forwarding until the head of the upstream's answer, by service and route.",
            routes.map { ($0.labels, $0.sums.upstreamDurations) }, to: &exposition)
    }

    private func writeHistogram(
        _ name: String, _ help: String, _ routes: [(labels: Labels, histogram: Histogram)],
        to exposition: inout Exposition
    ) {
        exposition.family(name, .histogram, help)
        // Routes that nobody has asked for are not worth their many series.
        for route in routes where route.histogram.total > 0 {
            exposition.samples(of: name, route.histogram, route.labels)
        }
    }

    private func writeQuantiles(_ routes: [(labels: Labels, counts: [Int])], to exposition: inout Exposition) {
        let name = "weir_request_duration_quantile_seconds"
        exposition.family(
            name, .gauge,
            "Quantiles of the durations of the last minute's requests to this replica, by service and route; none where there was no request."
        )
        for route in routes {
            for quantile in Self.quantiles {
                guard let value = SlidingQuantiles.quantile(quantile.value, of: route.counts) else { continue }
                exposition.sample(name, value / 1e9, route.labels + [("quantile", quantile.label)])
            }
        }
    }
}
