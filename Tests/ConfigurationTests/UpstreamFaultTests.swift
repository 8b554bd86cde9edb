import Testing
import WeirConfiguration

@Suite struct UpstreamFaultTests {
    private static func service(_ rest: String, _ line: Int, _ fragment: String) -> WrongText {
        WrongText(
            alone: "services:\n  - name: a\n    routes: [{path: /a}]\n    \(rest)\n", line, fragment)
    }

    private static func upstream(_ entry: String, _ fragment: String) -> WrongText {
        service("upstreams:\n      - \(entry)", 5, fragment)
    }

    private static func balancing(_ rest: String, _ fragment: String, line: Int = 5) -> WrongText {
        service("upstreams: [http://b]\n    \(rest)", line, fragment)
    }

    private func check(_ wrong: WrongText) {
        let found = faults(of: wrong.yaml)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.line == wrong.line, "\(found)")
        #expect(found.first?.message.contains(wrong.fragment) == true, "\(found)")
    }

    @Test(arguments: [
        upstream("{weight: 2}", "with `url`, `dns`, `srv` or `file`"),
        upstream("[http://b]", "should be a URL"),
        upstream("{url: \"b:80\"}", "http:// or https://"),
        upstream("{url: \"http://b\", weight: 1001}", "between 0 and 1000"),
        upstream("{url: \"http://b\", weight: -1}", "between 0 and 1000"),
        upstream("{url: \"http://b\", weigth: 1}", "did you mean `weight`?"),
        upstream("{dns: \"http://10.0.0.1\"}", "needs no DNS"),
        upstream("{dns: orders}", "http:// or https://"),
        upstream("{dns: \"http://orders\", tls: true}", "not a key of `upstreams`"),
        upstream("{srv: orders.service.consul}", "write it like _http._tcp.orders"),
        upstream("{srv: _http._tcp}", "write it like _http._tcp.orders"),
        upstream("{srv: _http._tcp.orders, tls: maybe}", "true or false"),
        upstream("{srv: _http._tcp.orders, weight: 2}", "not a key of `upstreams`"),
        upstream("{file: nowhere.upstreams}", "`nowhere.upstreams` cannot be used: there is no such file"),
        service("upstreams:\n      - http://b\n      - {url: \"http://b\", weight: 2}", 6, "listed twice"),
        service("upstreams:\n      - {srv: _http._tcp.b}\n      - {srv: _HTTP._tcp.b}", 6, "listed twice"),
    ])
    func whatIsWrongWithAnUpstream(wrong: WrongText) { check(wrong) }

    @Test(arguments: [
        balancing("balance: random", "use least_requests, round_robin"),
        balancing("balance: round-robin", "did you mean `round_robin`?"),
        balancing("balance: {hash: cookie}", "use tenant, client_ip or header:<name>"),
        balancing("balance: {hash: \"header:\"}", "use tenant, client_ip or header:<name>"),
        balancing("balance: {hash: tenant}", "without an `identity`"),
        balancing("balance: {by: tenant}", "there are hash", line: 5),
        balancing("health: {interval: 1s}", "has no path"),
        balancing("health: {path: healthz}", "write it like /healthz"),
        balancing("health: {path: /a b}", "write it like /healthz"),
        balancing("health: {path: /, interval: 1}", "has no unit"),
        balancing("health: {path: /, timeout: 2h}", "between 10ms and 1h"),
        balancing("health: {path: /, unhealthy_after: 0}", "between 1 and 100"),
        balancing("health: {path: /, status: ok}", "write them like 200, or 200-299"),
        balancing("health: {path: /, status: [200, 99]}", "`99` in `services.health.status`"),
        balancing("health: {path: /, status: 299-200}", "write them like 200, or 200-299"),
        balancing("health: {path: /, status: []}", "names no status"),
        balancing("ejection: on", "should be off, or a mapping"),
        balancing("ejection: {consecutive_failures: 0}", "between 1 and 1000"),
        balancing("ejection: {duration: 6m}", "between 10ms and 5m"),
        balancing("ejection: {most: 50}", "from 0% to 100%"),
        balancing("ejection: {most: 101%}", "from 0% to 100%"),
        balancing("connections: {max: 0}", "between 1 and 100000"),
        balancing("connections: {waiting: -1}", "between 0 and"),
        balancing("connections: {min: 1}", "there are max, waiting"),
    ])
    func whatIsWrongWithTheChoiceAmongThem(wrong: WrongText) { check(wrong) }

    @Test(arguments: [
        WrongText("dns: {server: 10.0.0.1}", 1, "did you mean `servers`?"),
        WrongText("dns:\n  servers: [consul:8600]", 2, "write it like 10.0.0.2:53"),
        WrongText("dns:\n  servers: []", 2, "leave it out for those of /etc/resolv.conf"),
        WrongText("dns:\n  servers: [10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4]", 2, "3 at most"),
        WrongText("dns:\n  min_ttl: 10m", 2, "longer than `dns.max_ttl`"),
        WrongText("dns:\n  timeout: 1500ms", 2, "whole seconds"),
        WrongText("dns:\n  timeout: 500ms", 2, "between 1s and 30s"),
    ])
    func whatIsWrongWithDNS(wrong: WrongText) { check(wrong) }

    @Test func aFileOfUpstreamsIsRefusedAsAWholeWithItsLines() throws {
        let scratch = try Scratch()
        let list = try scratch.write(
            "orders.upstreams", "- http://10.0.0.1:80\n- {url: http://10.0.0.2, weight: 5000}\n- ftp://c\n")
        let file = try scratch.write(
            "weir.yaml",
            "services:\n  - name: a\n    routes: [{path: /a}]\n    upstreams: [{file: orders.upstreams}]\n")
        let errors = #expect(throws: ConfigurationErrors.self) { try Configuration.load(path: file) }
        #expect(errors?.errors.map(\.file) == [list, list])
        #expect(errors?.errors.map(\.line) == [2, 3])
        _ = try scratch.write("orders.upstreams", "{a: 1}\n")
        #expect(throws: ConfigurationErrors.self) { try Endpoint.load(path: list) }
        _ = try scratch.write("orders.upstreams", "- {dns: http://b}\n")
        #expect(throws: ConfigurationErrors.self) { try Endpoint.load(path: list) }
        _ = try scratch.write("orders.upstreams", "- http://10.0.0.1\n- {url: http://10.0.0.2, weight: 0}\n")
        #expect(
            try Endpoint.load(path: list) == [
                Endpoint(Upstream(usesTLS: false, host: "10.0.0.1", port: 80)),
                Endpoint(Upstream(usesTLS: false, host: "10.0.0.2", port: 80), weight: 0),
            ])
        _ = try scratch.write("orders.upstreams", "[]\n")
        #expect(try Endpoint.load(path: list).isEmpty)
        #expect(try Configuration.load(path: file).services[0].sources == [.file(list)])
    }

    @Test func everyKeyIsRead() throws {
        let configuration = try Configuration.parse(
            """
            dns: {servers: ["127.0.0.1:8600", "[::1]:53", 10.0.0.1], min_ttl: 2s, max_ttl: 10s, timeout: 3s}
            services:
              - name: orders
                routes: [{path: /}]
                upstreams:
                  - http://127.0.0.1:9001
                  - {url: http://127.0.0.1:9002, weight: 3}
                  - {dns: https://orders.default.svc, weight: 2}
                  - {srv: _http._tcp.Orders.service.consul, tls: true}
                balance: {hash: "header:X-Session"}
                health:
                  {path: /healthz, interval: 5s, timeout: 2s, unhealthy_after: 4, healthy_after: 1, status: [200, 300-399]}
                ejection: {consecutive_failures: 2, duration: 1s, most: 10%}
                connections: {max: 7, waiting: 0}
            """, file: "weir.yaml")
        #expect(
            configuration.dns.servers.map(\.description) == ["127.0.0.1:8600", "[::1]:53", "10.0.0.1:53"])
        #expect(configuration.dns.minimumTTL == .seconds(2))
        #expect(configuration.dns.maximumTTL == .seconds(10))
        #expect(configuration.dns.timeout == .seconds(3))
        let service = configuration.services[0]
        let srv = ServiceRecordName(name: "_http._tcp.orders.service.consul", usesTLS: true)
        #expect(
            service.sources == [
                .fixed(Endpoint(Upstream(usesTLS: false, host: "127.0.0.1", port: 9001))),
                .fixed(Endpoint(Upstream(usesTLS: false, host: "127.0.0.1", port: 9002), weight: 3)),
                .dns(Upstream(usesTLS: true, host: "orders.default.svc", port: 443), weight: 2),
                .srv(srv),
            ])
        #expect(srv.host == "orders.service.consul")
        var expected = BalancingSettings()
        expected.rule = .hash(.header("x-session"))
        var health = BalancingSettings.Health()
        (health.path, health.interval, health.timeout) = ("/healthz", .seconds(5), .seconds(2))
        (health.unhealthyAfter, health.healthyAfter, health.statuses) = (4, 1, [200...200, 300...399])
        expected.health = health
        var ejection = BalancingSettings.Ejection()
        (ejection.consecutiveFailures, ejection.duration, ejection.most) = (2, .seconds(1), 10)
        expected.ejection = ejection
        (expected.connections.maximum, expected.connections.waiting) = (7, 0)
        #expect(service.balancing == expected)
    }
}
