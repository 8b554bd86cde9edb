/// What is counted of services and routes, all workers together: made of names, and addressed by their places.
package final class TrafficMetrics: Sendable {
    private let names: TrafficNames
    private let workers: [WorkerTraffic]

    package init(_ names: TrafficNames, workers: Int) {
        self.names = names
        self.workers = (0..<max(0, workers)).map { _ in WorkerTraffic(names) }
    }

    package func worker(_ index: Int) -> WorkerTraffic { workers[index] }

    private static let quantiles: [(label: String, value: Double)] = [("0.5", 0.5), ("0.95", 0.95), ("0.99", 0.99)]

    func write(to exposition: inout Exposition, at now: Int64) {
        guard !names.services.isEmpty else { return }
        writeServices(to: &exposition)
        writeRoutes(to: &exposition)
        writeQuantiles(to: &exposition, at: now)
    }

    private func writeServices(to exposition: inout Exposition) {
        let figures = names.services.indices.map { service in
            workers.reduce(into: (ended: 0, begun: 0, bytesIn: 0, bytesOut: 0)) { sum, worker in
                let more = worker.figures(ofService: service)
                sum = (
                    sum.ended + more.ended, sum.begun + more.begun, sum.bytesIn + more.bytesIn,
                    sum.bytesOut + more.bytesOut
                )
            }
        }
        func family(
            _ name: String, _ kind: Exposition.Kind, _ help: String,
            _ value: ((ended: Int, begun: Int, bytesIn: Int, bytesOut: Int)) -> Int
        ) {
            exposition.family(name, kind, help)
            for (service, figures) in zip(names.services, figures) {
                exposition.sample(name, value(figures), [("service", service)])
            }
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
        for (service, label) in names.services.enumerated() {
            for cause in FailureCause.allCases where cause.isOfUpstream {
                let count = workers.reduce(0) { $0 + $1.failures(ofService: service, cause) }
                guard count > 0 else { continue }
                exposition.sample(name, count, [("service", label), ("cause", "\(cause.name)")])
            }
        }
    }

    private func writeRoutes(to exposition: inout Exposition) {
        let name = "weir_route_requests_total"
        exposition.family(name, .counter, "Requests answered, by service, route and class of status code.")
        for (route, labels) in labels.enumerated() {
            for (index, statusClass) in WorkerTraffic.statusClasses.enumerated() {
                let count = workers.reduce(0) { $0 + $1.requests(ofRoute: route, statusClass: index) }
                guard count > 0 else { continue }
                exposition.sample(name, count, labels + [("class", statusClass)])
            }
        }
        writeHistogram(
            "weir_request_duration_seconds",
            "From the head of a request until its answer was written, by service and route.", to: &exposition
        ) { $0.addDurations(ofRoute: $1, to: &$2) }
        writeHistogram(
            "weir_route_upstream_duration_seconds",
            "From a request's forwarding until the head of the upstream's answer, by service and route.",
            to: &exposition
        ) { $0.addUpstreamDurations(ofRoute: $1, to: &$2) }
    }

    private var labels: [[(name: String, value: String)]] {
        names.routes.map { [("service", $0.service), ("route", $0.name)] }
    }

    private func writeHistogram(
        _ name: String, _ help: String, to exposition: inout Exposition,
        _ add: (WorkerTraffic, Int, inout Histogram) -> Void
    ) {
        exposition.family(name, .histogram, help)
        for (route, labels) in labels.enumerated() {
            var histogram = Histogram()
            for worker in workers { add(worker, route, &histogram) }
            // Routes that nobody has asked for are not worth their many series.
            if histogram.total > 0 { exposition.samples(of: name, histogram, labels) }
        }
    }

    private func writeQuantiles(to exposition: inout Exposition, at now: Int64) {
        let name = "weir_request_duration_quantile_seconds"
        exposition.family(
            name, .gauge,
            "Quantiles of the durations of the last minute's requests to this replica, by service and route; none where there was no request."
        )
        for (route, labels) in labels.enumerated() {
            var counts = [Int](repeating: 0, count: SlidingQuantiles.buckets)
            for worker in workers { worker.addRecent(ofRoute: route, at: now, to: &counts) }
            for quantile in Self.quantiles {
                guard let value = SlidingQuantiles.quantile(quantile.value, of: counts) else { continue }
                exposition.sample(name, value / 1e9, labels + [("quantile", quantile.label)])
            }
        }
    }
}
