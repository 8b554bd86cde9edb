extension MetricTables {
    func writeResilience(_ breakers: [BreakerGauge], to exposition: inout Exposition) {
        for (event, name, help) in [
            (.retry, "retries", "Attempts that were repeated, by service."),
            (.retryDenied, "retries_denied", "Attempts that were not repeated, because the retry budget was spent."),
            (.stale, "stale", "Failures that were answered with the last good answer."),
            (.fallback, "fallback", "Failures for which another service was asked."),
            (.concurrencyRefused, "concurrency_refused", "Requests refused because too many were in flight."),
            (.circuitOpen, "breaker_refused", "Requests that found the circuit breaker open."),
        ] as [(ResilienceMetrics.Event, String, String)] {
            exposition.family("weir_\(name)_total", .counter, help)
            for (index, service) in services.enumerated() {
                let count = workers.reduce(0) { $0 + $1.resilience.value(event, service: index) }
                exposition.sample("weir_\(name)_total", count, [("service", service)])
            }
        }
        guard !breakers.isEmpty else { return }
        let name = "weir_breaker_state"
        exposition.family(
            name, .gauge,
            "0: closed, 1: half open, 2: open; by service, and by route where it has a breaker of its own.")
        for breaker in breakers {
            exposition.sample(
                name, breaker.state.rawValue, [("service", breaker.service), ("route", breaker.route ?? "")])
        }
    }
}
