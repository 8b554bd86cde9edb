import Testing
import WeirConfiguration

/// What services and routes may say about upstreams that fail.
@Suite struct ResilienceTests {
    private func services(_ yaml: String) throws -> [Service] {
        try Configuration.parse(yaml, file: "weir.yaml").services
    }

    private static func service(_ keys: String, _ route: String = "") -> String {
        """
        services:
          - name: a
            routes: [{path: /a, name: r\(route)}]
            upstreams: [http://127.0.0.1:9001]
            \(keys)
          - name: b
            routes: [{path: /b}]
            upstreams: [http://127.0.0.1:9002]

        """
    }

    @Test func everythingCanBeDeclared() throws {
        let all = try services(
            Self.service(
                """
                timeouts: {connect: 1s, try: 2s, total: 5s}
                    retries: {attempts: 4, on: [connect, timeout, 429, 5xx], methods: [GET, POST], backoff: 10ms, max_backoff: 1s, budget: 10%, max_body: 1KiB}
                    breaker: {window: 20s, min_requests: 5, error_ratio: 25%, consecutive_failures: 7, slow: {over: 1s, ratio: 75%}, failures: [500, 4xx], open: 1s, max_open: 9s, probes: 2}
                    on_failure: [stale, {fallback: b}]
                    stale: {max_entries: 5, max_bytes: 1MiB, max_body: 2KiB, max_age: 1m, vary: [X-Kind], shared: true}
                    concurrency: {max: 9}
                """))
        let found = all[0].resilience
        #expect(found.timeouts?.connect == .seconds(1))
        #expect(found.timeouts?.attempt == .seconds(2))
        #expect(found.timeouts?.total == .seconds(5))
        let retries = try #require(found.retries?.rules)
        #expect(retries.attempts == 4)
        #expect(retries.failures == [.connect, .timeout])
        #expect([429, 500, 599].allSatisfy { retries.statuses.contains($0) } && !retries.statuses.contains(428))
        #expect(retries.methods == ["GET", "POST"])
        #expect(retries.backoff == .milliseconds(10) && retries.maximumBackoff == .seconds(1))
        #expect(retries.budgetPercent == 10 && retries.maximumBodyBytes == 1024)
        let breaker = try #require(found.breaker?.rules)
        #expect(breaker.window == .seconds(20) && breaker.minimumRequests == 5 && breaker.errorPercent == 25)
        #expect(breaker.consecutiveFailures == 7 && breaker.slow == .init(over: .seconds(1), percent: 75))
        #expect([500, 400, 499].allSatisfy { breaker.failures.contains($0) } && !breaker.failures.contains(503))
        #expect(breaker.open == .seconds(1) && breaker.longestOpen == .seconds(9) && breaker.probes == 2)
        #expect(found.onFailure == [.stale, .fallback("b")])
        let stale = try #require(found.stale)
        #expect(stale.maximumEntries == 5 && stale.maximumBytes == 1 << 20 && stale.maximumBodyBytes == 2048)
        #expect(stale.maximumAge == .seconds(60) && stale.vary == ["x-kind"] && stale.isShared)
        #expect(found.concurrency?.rules == 9)
        #expect(all[1].resilience.isEmpty)
    }

    @Test func aRoutesKeyReplacesItsServices() throws {
        let all = try services(
            Self.service(
                "breaker: {}\n    retries: {attempts: 2}\n    on_failure: stale",
                ", breaker: off, retries: {budget: 5%}, on_failure: fail"))
        let both = all[0].resilience.replaced(by: all[0].routes[0].resilience)
        #expect(all[0].resilience.breaker == .on(BreakerRules()))
        #expect(both.breaker == .off)
        #expect(both.breaker?.rules == nil)
        // The whole key: what it leaves out is the default.
        #expect(both.retries?.rules?.attempts == 3)
        #expect(both.retries?.rules?.budgetPercent == 5)
        #expect(both.onFailure == [])
    }

    @Test(
        arguments: [
            ("retries: 3", "`services.retries` should be a mapping"), ("retries: {attempts: 1}", "between 2 and 10"),
            ("retries: {tries: 3}", "is not a key of `services.retries`"),
            ("retries: {on: [conect]}", "`conect` is no value of `services.retries.on`"),
            ("retries: {on: []}", "write `retries: off`"),
            ("retries: {on: [200]}", "statuses from 400 on"), ("retries: {on: [6xx]}", "`6xx` is no value"),
            ("retries: {methods: [get]}", "`get` in `services.retries.methods` is not a method that can be repeated"),
            ("retries: {methods: [LOCK]}", "`LOCK` in `services.retries.methods`"),
            ("retries: {backoff: 1s, max_backoff: 10ms}", "less than `backoff`, which is 1s"),
            ("retries: {budget: 20}", "`services.retries.budget` should be a share like 20%"),
            ("retries: {budget: 120%}", "between 0% and 100%"),
            ("retries: {max_body: 1GiB}", "`services.retries.max_body` is 1GiB"),
            ("breaker: {error_ratio: 0%}", "between 1% and 100%"), ("breaker: {probes: 0}", "between 1 and 1000"),
            ("breaker: {slow: {over: 1s}}", "`services.breaker.slow` says no `ratio`"),
            ("breaker: {failures: [ok]}", "`ok` in `services.breaker.failures` is not a status"),
            ("breaker: {open: 1m, max_open: 5s}", "less than `open`, which is 1m"),
            ("breaker: {window: 1h}", "between 100ms and 10m"),
            ("timeouts: {connect: 10s}", "`gateway.timeouts.connect` ends it after 5s"),
            ("timeouts: {try: 3s, total: 2s}", "less than the 3s that a part of it may take"),
            ("timeouts: {read: 1s}", "there are connect, try, total"),
            ("on_failure: retry", "`retry` is no value of `services.on_failure`"),
            ("on_failure: []", "`services.on_failure` is empty"),
            ("on_failure: [stale, stale]", "may name `stale` once"),
            ("on_failure: {fallback: orders}", "there are a, b"), ("on_failure: {fallback: B}", "did you mean `b`?"),
            ("on_failure: {fallback: a}", "cannot be its own fallback"),
            ("on_failure: {service: b}", "there are fallback"),
            ("stale: {}", "add `on_failure: stale`"), ("on_failure: stale\n    stale: {max_body: 32MiB}", "lower it"),
            ("on_failure: stale\n    stale: {vary: [\"a b\"]}", "cannot be a header's name"),
            ("concurrency: {}", "says no `max`"), ("concurrency: {max: 0}", "between 1 and 1000000"),
            ("concurrency: {max: 2, per_tenant: 1}", "`per_tenant` is not a key of `services.concurrency`"),
            ("brake: {}", "is not a key of `services`"),
        ] as [(String, String)])
    func whatIsWrongIsSaid(keys: String, fragment: String) {
        let found = faults(of: Self.service(keys))
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.message.contains(fragment) == true, "\(found)")
        #expect([5, 6].contains(found.first?.line), "\(found)")
    }

    @Test func fallbacksInACircleAreFound() {
        let circle = """
            services:
              - {name: a, routes: [{path: /a}], upstreams: [http://127.0.0.1:1], on_failure: {fallback: b}}
              - {name: b, routes: [{path: /b, on_failure: [{fallback: c}]}], upstreams: [http://127.0.0.1:2]}
              - {name: c, routes: [{path: /c}], upstreams: [http://127.0.0.1:3], on_failure: {fallback: a}}

            """
        let found = faults(of: circle)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.message.contains("each other's fallback") == true, "\(found)")
        // A chain is none: it is not followed beyond its first link.
        #expect(
            faults(
                of: circle.replacing("fallback: a", with: "fallback: d")
                    + "  - {name: d, routes: [{path: /d}], upstreams: [http://127.0.0.1:4]}\n"
            ).isEmpty)
    }
}
