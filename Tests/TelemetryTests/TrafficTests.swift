import TestSupport
import Testing

@testable import Telemetry

@Suite struct TrafficTests {
    private static let second: Int64 = 1_000_000_000

    private func metrics(_ services: [TrafficNames.Service], mostRoutes: Int = 200, workers: Int = 2) -> Metrics {
        Metrics(
            services: [], limits: [], workers: workers, traffic: TrafficNames(services, mostRoutes: mostRoutes))
    }

    private func end(
        _ status: Int = 200, _ nanoseconds: Int64 = 1_000_000, upstream: Int64 = -1, bytesIn: Int64 = 0,
        bytesOut: Int64 = 0
    ) -> WorkerTraffic.End {
        WorkerTraffic.End(
            status: status, nanoseconds: nanoseconds, upstreamNanoseconds: upstream, bytesIn: bytesIn,
            bytesOut: bytesOut)
    }

    private func scrape(_ metrics: Metrics, at now: Int64 = 0) throws -> ParsedExposition {
        var text = ""
        metrics.render(store: [], at: now, into: &text)
        return try ParsedExposition(text)
    }

    @Test func routesAreCountedByClassAndServicesByBytes() throws {
        let metrics = metrics([.init("shop", routes: ["/a", "/b"]), .init("pay", routes: ["/c"])])
        let (one, other) = (metrics.traffic.worker(0), metrics.traffic.worker(1))
        for worker in [one, other] {
            worker.began(service: 0)
            worker.ended(service: 0, route: 1, end(204, bytesIn: 10, bytesOut: 100), at: 0)
        }
        one.began(service: 1)
        one.ended(service: 1, route: 0, end(503, upstream: 2_000_000), at: 0)
        one.ended(service: 1, route: 0, end(0), at: 0)
        one.began(service: 1)
        one.countFailure(service: 1, .timeout)
        // What there is no place for is counted nowhere.
        one.began(service: 2)
        one.ended(service: 2, route: 0, end(), at: 0)
        one.ended(service: 0, route: 2, end(), at: 0)
        let page = try scrape(metrics)
        #expect(page["weir_route_requests_total", ["service": "shop", "route": "/b", "class": "2xx"]] == 2)
        #expect(page["weir_route_requests_total", ["service": "pay", "route": "/c", "class": "5xx"]] == 1)
        #expect(page["weir_route_requests_total", ["service": "pay", "route": "/c", "class": "other"]] == 1)
        #expect(page.samples(of: "weir_route_requests_total").count == 3)
        #expect(page["weir_received_bytes_total", ["service": "shop"]] == 20)
        #expect(page["weir_sent_bytes_total", ["service": "shop"]] == 200)
        #expect(page["weir_requests_in_flight", ["service": "shop"]] == 0)
        #expect(page["weir_upstream_failures_total", ["service": "pay", "cause": "timeout"]] == 1)
        #expect(page.samples(of: "weir_upstream_failures_total").count == 1)
        let labels = ["service": "pay", "route": "/c"]
        #expect(page["weir_request_duration_seconds_count", labels] == 2)
        #expect(page["weir_route_upstream_duration_seconds_count", labels] == 1)
        #expect(page["weir_route_upstream_duration_seconds_sum", labels] == 0.002)
        #expect(page["weir_request_duration_seconds_count", ["service": "shop", "route": "/a"]] == nil)
    }

    @Test func whatIsInFlightIsTheDifference() throws {
        let metrics = metrics([.init("shop", routes: ["/"])])
        for _ in 0..<3 { metrics.traffic.worker(0).began(service: 0) }
        metrics.traffic.worker(0).ended(service: 0, route: 0, end(), at: 0)
        #expect(try scrape(metrics)["weir_requests_in_flight", ["service": "shop"]] == 2)
    }

    @Test func routesPastTheBoundAreOneSeriesAService() throws {
        let routes = (0..<5).map { "/\($0)" }
        let metrics = metrics([.init("a", routes: routes), .init("b", routes: routes)], mostRoutes: 3)
        for service in 0..<2 {
            for route in 0..<5 { metrics.traffic.worker(0).ended(service: service, route: route, end(), at: 0) }
        }
        let page = try scrape(metrics)
        #expect(page.samples(of: "weir_route_requests_total").count == 5)
        #expect(page["weir_route_requests_total", ["service": "a", "route": "other", "class": "2xx"]] == 2)
        #expect(page["weir_route_requests_total", ["service": "b", "route": "other", "class": "2xx"]] == 5)
        #expect(page["weir_route_requests_total", ["service": "a", "route": "/2", "class": "2xx"]] == 1)
    }

    @Test func aRouteThatIsCalledOtherItselfIsNoSecondSeries() throws {
        let metrics = metrics([.init("a", routes: ["other", "/1", "/2"])], mostRoutes: 1)
        for route in 0..<3 { metrics.traffic.worker(0).ended(service: 0, route: route, end(), at: 0) }
        #expect(
            try scrape(metrics)["weir_route_requests_total", ["service": "a", "route": "other", "class": "2xx"]] == 3)
    }

    @Test func quantilesAreNearThoseOfTheTimesThemselves() throws {
        var random = SeededGenerator()
        let metrics = metrics([.init("a", routes: ["/"])])
        // Spread evenly over the logarithm, from 100 µs to 1 s.
        var times: [Double] = []
        for index in 0..<20_000 {
            let seconds = Double.random(in: 0..<1, using: &random) * 4
            let time =
                1e-4 * (0..<Int(seconds)).reduce(1.0) { product, _ in product * 10 }
                * (1 + 9 * (seconds - seconds.rounded(.down)))
            times.append(time)
            metrics.traffic.worker(index % 2).ended(service: 0, route: 0, end(200, Int64(time * 1e9)), at: Self.second)
        }
        times.sort()
        let page = try scrape(metrics, at: Self.second)
        for (label, share) in [("0.5", 0.5), ("0.95", 0.95), ("0.99", 0.99)] {
            let exact = times[Int(share * Double(times.count))]
            let told = try #require(
                page[
                    "weir_request_duration_quantile_seconds", ["service": "a", "route": "/", "quantile": label]])
            #expect(abs(told - exact) < exact / 8, "\(label): \(told) for \(exact)")
        }
    }

    @Test func quantilesForgetWhatIsOlderThanAMinute() throws {
        let metrics = metrics([.init("a", routes: ["/"])])
        let worker = metrics.traffic.worker(0)
        func quantile(at seconds: Int64) throws -> Double? {
            try scrape(metrics, at: seconds * Self.second)[
                "weir_request_duration_quantile_seconds", ["service": "a", "route": "/", "quantile": "0.99"]]
        }
        #expect(try quantile(at: 0) == nil)
        worker.ended(service: 0, route: 0, end(200, 5 * Self.second), at: 5 * Self.second)
        #expect((try quantile(at: 5) ?? .nan) > 4)
        worker.ended(service: 0, route: 0, end(200, 1_000_000), at: 30 * Self.second)
        #expect((try quantile(at: 60) ?? .nan) > 4)
        #expect((try quantile(at: 70) ?? .nan) < 0.002)
        #expect(try quantile(at: 100) == nil)
        // The part that counted the first one counts again.
        worker.ended(service: 0, route: 0, end(200, 2_000_000), at: 75 * Self.second)
        #expect((try quantile(at: 76) ?? .nan) < 0.003)
        #expect(try quantile(at: 75 + 3600) == nil)
    }

    @Test func bucketsFollowOneAnother() {
        #expect(
            SlidingQuantiles.bucket(of: -1) == 0 && SlidingQuantiles.bucket(of: .max) == SlidingQuantiles.buckets - 1)
        for bucket in 1..<SlidingQuantiles.buckets {
            let bound = SlidingQuantiles.lowerBound(of: bucket)
            #expect(SlidingQuantiles.bucket(of: bound) == bucket)
            #expect(SlidingQuantiles.bucket(of: bound - 1) == bucket - 1)
            if bucket > 1 { #expect(Double(bound) / Double(SlidingQuantiles.lowerBound(of: bucket - 1)) <= 1.25) }
        }
    }

    @Test func histogramBoundsAreNearEnoughForQuantiles() {
        for (lower, upper) in zip(Histogram.bounds, Histogram.bounds.dropFirst()) {
            #expect(Double(upper) / Double(lower) < 1.67)
        }
    }
}
