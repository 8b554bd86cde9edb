import Foundation
import Testing

@testable import Telemetry

@Suite struct MetricsTests {
    private func scrape(_ metrics: Metrics, _ gauges: [(name: String, value: Double)] = []) throws -> ParsedExposition {
        var text = ""
        metrics.render(store: gauges, into: &text)
        return try ParsedExposition(text)
    }

    @Test func requestsAreSummedOverWorkersByServiceAndStatus() throws {
        let metrics = Metrics(services: ["product", "payment"], limits: [], workers: 2)
        metrics.worker(0).countRequest(service: 0, status: 200)
        metrics.worker(1).countRequest(service: 0, status: 200)
        metrics.worker(2).countRequest(service: 1, status: 429)
        metrics.worker(1).countRequest(service: -1, status: 404)
        metrics.worker(1).countRequest(service: 7, status: 99)
        let page = try scrape(metrics)
        #expect(page["weir_requests_total", ["service": "product", "status": "200"]] == 2)
        #expect(page["weir_requests_total", ["service": "payment", "status": "429"]] == 1)
        #expect(page["weir_requests_total", ["service": "", "status": "404"]] == 1)
        #expect(page["weir_requests_total", ["service": "", "status": "other"]] == 1)
        #expect(page.samples(of: "weir_requests_total").count == 4)
    }

    @Test func laterNamesAreCountedBesideThoseBeforeWhichKeepTheirPlaces() throws {
        let metrics = Metrics(services: ["payment"], limits: [("global", nil)], workers: 1)
        let before = metrics.worker(0)
        before.countRequest(service: metrics.index(ofService: "payment"), status: 200)
        metrics.use(services: ["product", "payment"], limits: [("global", nil), ("payment", "payment")])
        metrics.worker(0).countRequest(service: metrics.index(ofService: "payment"), status: 200)
        metrics.worker(0).countRequest(service: metrics.index(ofService: "product"), status: 200)
        metrics.worker(0).countDecision(limit: 1, outcome: .denied, isDegraded: false)
        // A request that began before.
        before.countRequest(service: metrics.index(ofService: "payment"), status: 200)
        let page = try scrape(metrics)
        #expect(page["weir_requests_total", ["service": "payment", "status": "200"]] == 3)
        #expect(page["weir_requests_total", ["service": "product", "status": "200"]] == 1)
        let denied = ["limit": "payment", "service": "payment", "outcome": "denied", "degraded": "false"]
        #expect(page["weir_decisions_total", denied] == 1)
        #expect(metrics.index(ofService: "other") == -1)
        metrics.use(services: ["payment"], limits: [("global", nil)])
        #expect(metrics.index(ofService: "product") == 1)
    }

    @Test func aLimitShowsBothAnswersFromTheStartAndTheRareOnesWhenTheyCome() throws {
        let metrics = Metrics(services: ["payment"], limits: [("global", nil), ("payment", "payment")], workers: 1)
        #expect(try scrape(metrics).samples(of: "weir_decisions_total").count == 4)
        let worker = metrics.worker(0)
        worker.countDecision(limit: 0, outcome: .allowed, isDegraded: false)
        worker.countDecision(limit: 1, outcome: .denied, isDegraded: true)
        worker.countDecision(limit: 1, outcome: .shadowDenied, isDegraded: false)
        worker.countDecision(limit: 1, outcome: .unavailable, isDegraded: true)
        worker.countDecision(limit: 2, outcome: .allowed, isDegraded: false)
        worker.countDecision(limit: -1, outcome: .allowed, isDegraded: false)
        let page = try scrape(metrics)
        func value(_ limit: String, _ service: String, _ outcome: String, _ degraded: String) -> Double? {
            page[
                "weir_decisions_total",
                ["limit": limit, "service": service, "outcome": outcome, "degraded": degraded]]
        }
        #expect(value("global", "", "allowed", "false") == 1)
        #expect(value("global", "", "denied", "false") == 0)
        #expect(value("payment", "payment", "denied", "true") == 1)
        #expect(value("payment", "payment", "shadow_denied", "false") == 1)
        #expect(value("payment", "payment", "unavailable", "true") == 1)
        #expect(page.samples(of: "weir_decisions_total").count == 7)
    }

    @Test func limitsOfOneNameAndServiceAreOneSeries() throws {
        let metrics = Metrics(services: ["a"], limits: [("global", "a"), ("other", "a"), ("global", "a")], workers: 1)
        metrics.worker(0).countDecision(limit: 0, outcome: .denied, isDegraded: false)
        metrics.worker(0).countDecision(limit: 2, outcome: .denied, isDegraded: false)
        let page = try scrape(metrics)
        let labels = ["limit": "global", "service": "a", "outcome": "denied", "degraded": "false"]
        #expect(page["weir_decisions_total", labels] == 2)
        #expect(page.samples(of: "weir_decisions_total").count == 4)
    }

    @Test func aHistogramIsCumulativeAndItsBoundsAreInclusive() throws {
        let metrics = Metrics(services: [], limits: [], workers: 2)
        for nanoseconds in [-5, 0, 50_000, 50_001, 3_000_000, 10_000_000_000, 10_000_000_001] as [Int64] {
            metrics.worker(0).recordDecision(nanoseconds: nanoseconds)
        }
        metrics.worker(1).recordUpstream(nanoseconds: 1_500_000_000)
        let page = try scrape(metrics)
        func bucket(_ bound: String) -> Double? { page["weir_decision_duration_seconds_bucket", ["le": bound]] }
        #expect(bucket("5e-05") == 3)
        #expect(bucket("0.0001") == 4)
        #expect(bucket("0.0025") == 4)
        #expect(bucket("0.005") == 5)
        #expect(bucket("10") == 6)
        #expect(bucket("+Inf") == 7)
        #expect(page["weir_decision_duration_seconds_count", [:]] == 7)
        #expect(abs(page["weir_decision_duration_seconds_sum", [:]]! - 20.003100002) < 1e-9)
        #expect(page["weir_upstream_duration_seconds_bucket", ["le": "1"]] == 0)
        #expect(page["weir_upstream_duration_seconds_bucket", ["le": "2.5"]] == 1)
        #expect(page["weir_upstream_duration_seconds_sum", [:]] == 1.5)
        let counts = page.samples(of: "weir_decision_duration_seconds_bucket").map(\.value)
        #expect(counts.count == Histogram.bounds.count + 1)
        #expect(counts == counts.sorted())
    }

    @Test func connectionsAreThoseThatHaveNotClosed() throws {
        let metrics = Metrics(services: [], limits: [], workers: 2)
        for _ in 0..<3 { metrics.worker(0).connectionOpened() }
        metrics.worker(1).connectionClosed()
        let page = try scrape(metrics)
        #expect(page["weir_connections", [:]] == 2)
        #expect(page["weir_connections_total", [:]] == 3)
    }

    @Test func theStoreCountsBatchesAndErrorsByCode() throws {
        let metrics = Metrics(services: [], limits: [], workers: 1)
        metrics.store.countBatch(decisions: 5)
        metrics.store.countBatch(decisions: 1)
        metrics.store.countError("timeout")
        metrics.store.countError("refused")
        metrics.store.countError("something else")
        metrics.store.countLateReply()
        metrics.store.countReconnect()
        metrics.store.countLeaseCall()
        metrics.store.countClockRegression()
        let page = try scrape(metrics)
        #expect(page["weir_store_batches_total", [:]] == 2)
        #expect(page["weir_store_decisions_total", [:]] == 6)
        #expect(page["weir_store_errors_total", ["code": "timeout"]] == 1)
        #expect(page["weir_store_errors_total", ["code": "refused"]] == 1)
        #expect(page["weir_store_errors_total", ["code": "other"]] == 1)
        #expect(page["weir_store_errors_total", ["code": "disconnected"]] == 0)
        for name in ["timeouts", "late_replies", "reconnects", "lease_calls", "clock_regressions"] {
            #expect(page["weir_store_\(name)_total", [:]] == 1, "\(name)")
        }
    }

    @Test func callersGaugesKeepTheirLabels() throws {
        let metrics = Metrics(services: [], limits: [], workers: 1)
        let page = try scrape(
            metrics,
            [
                ("weir_store_degraded", 1), ("weir_store_phase{phase=\"memory\"}", 0),
                ("weir_store_phase{phase=\"fallback\"}", 1), ("weir_ratio", .nan), ("weir_bound", .infinity),
            ])
        #expect(page["weir_store_degraded", [:]] == 1)
        #expect(page["weir_store_phase", ["phase": "fallback"]] == 1)
        #expect(page["weir_ratio", [:]]?.isNaN == true)
        #expect(page["weir_bound", [:]] == .infinity)
        #expect(page.types["weir_store_phase"] == "gauge")
    }

    @Test func labelValuesAreEscaped() throws {
        let nasty = "a\\b\"c\nd"
        let metrics = Metrics(services: [nasty], limits: [], workers: 1)
        metrics.worker(0).countRequest(service: 0, status: 200)
        #expect(try scrape(metrics)["weir_requests_total", ["service": nasty, "status": "200"]] == 1)
        var exposition = Exposition()
        exposition.family("x", .gauge, "a\\b\nc")
        #expect(exposition.text == "# HELP x a\\\\b\\nc\n# TYPE x gauge\n")
    }

    @Test func theProcessDescribesItself() throws {
        let page = try scrape(Metrics(services: [], limits: [], workers: 1))
        let now = Date().timeIntervalSince1970
        #expect(page["process_cpu_seconds_total", [:]]! >= 0)
        #expect(page["process_resident_memory_bytes", [:]]! > 1_000_000)
        #expect(page["process_open_fds", [:]]! >= 3)
        // The boot time has a resolution of a second, and a container may have started it long ago.
        let start = page["process_start_time_seconds", [:]]!
        #expect(start > now - 86_400 * 365 && start < now + 2)
        #expect(page["weir_uptime_seconds", [:]]! >= 0)
        #expect(page["weir_build_info", ["version": Metrics.version]] == 1)
    }

    @Test func countsFromManyThreadsAreExact() async throws {
        let metrics = Metrics(services: ["a"], limits: [("global", nil)], workers: 2)
        let (tasks, rounds) = (8, 20_000)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<tasks {
                group.addTask {
                    let worker = metrics.worker(task % 3)
                    for _ in 0..<rounds {
                        worker.countRequest(service: 0, status: 200)
                        worker.countDecision(limit: 0, outcome: .allowed, isDegraded: false)
                        worker.recordDecision(nanoseconds: 1000)
                        metrics.store.countBatch(decisions: 2)
                    }
                }
            }
        }
        let page = try scrape(metrics)
        let total = Double(tasks * rounds)
        #expect(page["weir_requests_total", ["service": "a", "status": "200"]] == total)
        #expect(page["weir_decision_duration_seconds_count", [:]] == total)
        #expect(page["weir_store_decisions_total", [:]] == total * 2)
    }
}
