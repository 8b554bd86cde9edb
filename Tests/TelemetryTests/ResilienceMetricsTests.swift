import Testing

@testable import Telemetry

@Suite struct ResilienceMetricsTests {
    @Test func eventsAreSummedOverWorkersByServiceAndShownFromTheStart() throws {
        let metrics = Metrics(services: ["product", "payment"], limits: [], workers: 2)
        for (worker, service) in [(0, 1), (1, 1), (2, 0)] {
            metrics.worker(worker).resilience.count(.retry, service: service)
        }
        metrics.worker(0).resilience.count(.stale, service: 1)
        metrics.worker(0).resilience.count(.stale, service: 2)
        metrics.worker(0).resilience.count(.stale, service: -1)
        var text = ""
        metrics.render(store: [], into: &text)
        let page = try ParsedExposition(text)
        #expect(page["weir_retries_total", ["service": "product"]] == 1)
        #expect(page["weir_retries_total", ["service": "payment"]] == 2)
        #expect(page["weir_stale_total", ["service": "payment"]] == 1)
        #expect(page["weir_fallback_total", ["service": "payment"]] == 0)
        #expect(page.samples(of: "weir_stale_total").count == 2)
        #expect(page.samples(of: "weir_breaker_state").isEmpty)
    }

    @Test func theBreakersThatThereAreShowTheirState() throws {
        let metrics = Metrics(services: ["a"], limits: [], workers: 1)
        let gauges = [BreakerGauge(service: "a", route: nil), BreakerGauge(service: "a", route: "orders")]
        metrics.show(gauges)
        gauges[1].state = .halfOpen
        var text = ""
        metrics.render(store: [], into: &text)
        let page = try ParsedExposition(text)
        #expect(page["weir_breaker_state", ["service": "a", "route": ""]] == 0)
        #expect(page["weir_breaker_state", ["service": "a", "route": "orders"]] == 1)
        metrics.show([gauges[0]])
        text = ""
        metrics.render(store: [], into: &text)
        #expect(try ParsedExposition(text).samples(of: "weir_breaker_state").count == 1)
    }
}
