import Foundation
import LimiterCore
import TestSupport
import Testing
import WeirConfiguration

@Suite struct LoadTests {
    private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    @Test func theSampleHoldsTheDemosLimitsAndIdentities() throws {
        let configuration = try Configuration.load(path: "\(root)/weir.yaml")
        #expect(configuration.gateway.listen == ListenAddress(host: "127.0.0.1", port: 8080))
        #expect(configuration.gateway.workers >= 1)
        #expect(configuration.gateway.headers == .standard)
        #expect(configuration.gateway.accessLog.destination == .off)
        #expect(configuration.control.listen == ListenAddress(host: "127.0.0.1", port: 8081))
        #expect(configuration.control.token == nil)
        #expect(configuration.store == nil)
        #expect(configuration.services.map(\.name) == ["product", "payment", "catalog"])
        #expect(configuration.services.flatMap(\.routes).map(\.path) == ["/product", "/payment", "/catalog"])
        #expect(configuration.services[1].upstreams == [Upstream(usesTLS: false, host: "127.0.0.1", port: 9002)])

        let keys = try #require(configuration.identity.apiKeys)
        #expect(keys.header == "x-api-key")
        #expect(keys.keys.values.map(\.tenant).sorted() == ["acme", "globex"])

        let services = configuration.limits.services
        #expect(services.map { $0.whole.limits.map(\.name) } == [["global"], ["global", "payment"], ["global"]])
        let rates = services.map { $0.whole.limits.map(\.limit.rate.description) }
        #expect(rates == [["1000/minute"], ["100/minute", "10/minute"], ["100/minute"]])
        #expect(services[0].whole.limits[0].owner == .service("product"))
        #expect(services[2].whole.limits[0].owner == .global)
        #expect(services[1].whole.limits[1].limit.algorithm == .tokenBucket(burst: 10))
    }

    @Test func everySettingReachesItsPlace() throws {
        let scratch = try Scratch()
        let key = String(repeating: "ab", count: 32)
        _ = try scratch.write("keys.yaml", "- {tenant: \"7\", sha256: \(String(repeating: "CD", count: 32))}\n")
        _ = try scratch.write("token", "  secret-token\n")
        let file = try scratch.write(
            "weir.yaml",
            """
            gateway:
              listen: "[::1]:0"
              workers: 3
              trusted_proxies: [10.0.0.0/8, "2001:db8::/32", 192.0.2.1]
              headers: legacy
              timeouts: {header: 1s, idle: 2m, body: 1500ms, connect: 250ms, upstream: 1h, drain: 0s}
              max_header_bytes: 64KiB
              max_header_fields: 50
              max_body_bytes: 1GB
              min_body_rate: 500
              max_connections: 10
              max_upstream_connections: 5
              access_log: logs/access.log
            control:
              listen: 0.0.0.0:9000
              token_file: token
            store:
              redis: redis://weir:p%40ss@redis.example:6380/2
              deadline: 5ms
              replicas: 3
            identity:
              header: X-Tenant
              api_keys:
                header: X-Key
                file: keys.yaml
                keys: [{tenant: acme, sha256: "\(key)"}]
            limits:
              - name: all
                per: [client_ip, "header:X-App", method, service, route]
                rate: 5/s
                cost: {GET: 1, POST: 5, other: 2}
                on_store_failure: deny
                shadow: true
                max_keys: 7
                mode: exact
              - {name: sized, per: everyone, rate: 1000/30s, cost: {header: X-Cost, otherwise: 3}}
              - {name: fixed, per: tenant, rate: 10/h, cost: 4, algorithm: token_bucket, on_store_failure: allow}
            services:
              - name: a
                routes:
                  - {path: /, host: API.Example.com}
                  - {path: /a/b%20c, name: deep, limits: [{name: fixed, rate: 20/h}]}
                upstreams: ["https://up.example/", "http://[2001:db8::1]:81"]
            """)
        let configuration = try Configuration.load(path: file)
        let gateway = configuration.gateway
        #expect(gateway.listen == ListenAddress(host: "::1", port: 0))
        #expect(gateway.workers == 3)
        #expect(gateway.trustedProxies.count == 3)
        #expect(gateway.headers == .legacy)
        #expect(gateway.timeouts.header == .seconds(1))
        #expect(gateway.timeouts.idle == .seconds(120))
        #expect(gateway.timeouts.body == .milliseconds(1500))
        #expect(gateway.timeouts.connect == .milliseconds(250))
        #expect(gateway.timeouts.upstream == .seconds(3600))
        #expect(gateway.timeouts.drain == .zero)
        #expect(gateway.maximumHeaderBytes == 65_536)
        #expect(gateway.maximumHeaderFields == 50)
        #expect(gateway.maximumBodyBytes == 1_000_000_000)
        #expect(gateway.minimumBodyRate == 500)
        #expect(gateway.maximumConnections == 10)
        #expect(gateway.maximumUpstreamConnections == 5)
        #expect(gateway.accessLog == AccessLogSettings(.file("\(scratch.path)/logs/access.log")))
        #expect(configuration.control.token == "secret-token")
        let store = try #require(configuration.store)
        #expect(
            store.redis
                == RedisAddress(host: "redis.example", port: 6380, user: "weir", password: "p@ss", database: 2))
        #expect(store.deadline == .milliseconds(5))
        #expect(store.replicas == 3)
        #expect(configuration.identity.header == "x-tenant")
        let keys = try #require(configuration.identity.apiKeys)
        #expect(keys.header == "x-key")
        #expect(
            keys.keys.mapValues(\.tenant) == [
                [UInt8](repeating: 0xAB, count: 32): "acme", [UInt8](repeating: 0xCD, count: 32): "7",
            ])
        let routes = configuration.services[0].routes
        #expect(routes.map(\.name) == ["/", "deep"])
        #expect(routes.map(\.host) == ["api.example.com", nil])
        #expect(
            configuration.services[0].upstreams == [
                Upstream(usesTLS: true, host: "up.example", port: 443),
                Upstream(usesTLS: false, host: "2001:db8::1", port: 81),
            ])
        let limits = configuration.limits.services[0].routes[1].limits
        let all = limits[0].limit
        #expect(all.per == [.clientIP, .header("x-app"), .method, .service, .route])
        #expect(all.cost == .byMethod(["GET": 1, "POST": 5], other: 2))
        #expect(all.onStoreFailure == .deny)
        #expect(all.isShadow)
        #expect(all.maximumKeys == 7)
        #expect(limits[1].limit.cost == .header("x-cost", otherwise: 3))
        #expect(limits[1].limit.per.isEmpty)
        #expect(limits[2].limit.cost == .fixed(4))
        #expect(limits[2].limit.algorithm == .tokenBucket(burst: 20))
        #expect(limits[2].limit.onStoreFailure == .allow)
        #expect(limits[2].owner == .route(service: "a", route: "deep"))
    }

    @Test func aCalendarQuotaCountsInTheMonthsOfItsZone() throws {
        let configuration = try Configuration.parse(
            """
            limits:
              - {name: monthly, per: everyone, rate: 1000000/month, algorithm: calendar, time_zone: America/New_York, anchor_day: 15}
            services:
              - name: a
                routes: [{path: /a}]
                upstreams: [http://127.0.0.1:1]
                limits:
                  - {name: monthly, rate: 5/week, anchor_day: sunday}
            """, file: "test")
        let own = try #require(configuration.limits.services[0].whole.limits[0].limit.calendar)
        #expect(own.unit == .week && own.anchorDay == 7 && own.zone.name == "America/New_York")
        let counters = configuration.limits.sharedCounters.limits
        let shared = try #require(counters.first { $0.service == nil }?.limit.calendar)
        // 2026-07-15 begins at 04:00 UTC there, and 2026-12-15 at 05:00.
        #expect(shared.span(at: 1_784_100_000).start == 1_784_088_000)
        #expect(shared.span(at: 1_797_400_000).start == 1_797_310_800)
    }

    @Test(arguments: [
        "{name: a, per: everyone, rate: 1/s, mode: exact}",
        "{name: a, per: everyone, rate: 1/s}\n  - {name: b, per: tenant, rate: 1/s}",
        "{name: a, per: client_ip, rate: 1/s, mode: leased}\n  - {name: b, per: tenant, rate: 1/s}",
        "{name: a, per: client_ip, rate: 1/s, mode: local}\n  - {name: b, per: tenant, rate: 1/s}",
        "{name: a, per: everyone, rate: 1/s, guard: true}\n  - {name: b, per: client_ip, rate: 1/s}",
        "{name: a, per: tenant, rate: 1/s}\n  - {name: b, per: [tenant, client_ip], rate: 1/s}",
    ])
    func limitsThatLieInOneSlotMayBeKeptInACluster(limits: String) {
        let key = String(repeating: "ab", count: 32)
        let text = """
            store:
              redis: redis+cluster://a
            identity: {api_keys: {keys: [{tenant: a, sha256: "\(key)"}]}}
            limits:
              - \(limits)

            """
        #expect(faults(of: text + leastServices).isEmpty)
    }

    @Test func filesForTLSToRedisAreLookedInto() throws {
        let scratch = try Scratch()
        let certificate = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
        _ = try scratch.write("ca.pem", certificate)
        _ = try scratch.write("weir.pem", certificate)
        _ = try scratch.write("weir.key", "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n")
        _ = try scratch.write("locked.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n")
        func yaml(_ authority: String, _ key: String) throws -> String {
            try scratch.write(
                "weir.yaml",
                """
                store:
                  redis: rediss://a
                  tls:
                    ca_file: \(authority)
                    certificate_file: weir.pem
                    key_file: \(key)

                """ + leastServices)
        }
        let store = try #require(try Configuration.load(path: yaml("ca.pem", "weir.key")).store)
        #expect(store.redis.usesTLS)
        let folder = scratch.path
        #expect(
            store.tls
                == TLSSettings(
                    authorityFile: "\(folder)/ca.pem", certificateFile: "\(folder)/weir.pem",
                    keyFile: "\(folder)/weir.key"))
        let file = try yaml("weir.key", "locked.key")
        let found = #expect(throws: ConfigurationErrors.self) { try Configuration.load(path: file) }
        let errors = try #require(found).errors
        #expect(errors.map(\.line) == [4, 6])
        #expect(errors[0].message.contains("`weir.key` does not hold authorities' certificates in PEM form"))
        #expect(errors[1].message.contains("the key has a passphrase"))

        for (alone, other) in [("certificate_file: weir.pem", "key_file"), ("key_file: weir.key", "certificate_file")] {
            let text = "store:\n  redis: rediss://a\n  tls: {\(alone)}\n" + leastServices
            let errors = faults(of: text, file: "\(folder)/weir.yaml")
            #expect(errors.map(\.line) == [3])
            #expect(errors.first?.message.contains("needs `store.tls.\(other)` beside it") == true)
        }
    }

    @Test func aFileThatCannotBeReadIsNamed() throws {
        let scratch = try Scratch()
        func message(_ path: String) -> String {
            do {
                _ = try Configuration.load(path: path)
                return ""
            } catch {
                return error.description
            }
        }
        #expect(
            message("\(scratch.path)/none.yaml") == "\(scratch.path)/none.yaml: there is no such file; check the path")
        #expect(message(scratch.path).contains("this is a directory"))
        let binary = try scratch.write("binary.yaml", Data("a: b\nc: ".utf8) + Data([0xFF, 0xFE, 0x0A]))
        #expect(message(binary) == "\(binary):2: there are bytes that are not UTF-8; save the file as UTF-8")
        let large = try scratch.write("large.yaml", Data(repeating: 0x23, count: Configuration.maximumFileBytes + 1))
        #expect(message(large).contains("larger than 4 MiB"))
    }

    @Test func faultsOfAKeyFileCarryItsNameAndLines() throws {
        let scratch = try Scratch()
        let keys = try scratch.write("keys.yaml", "- {tenant: a, sha256: \"00\"}\n- {tenant: b, sha: x}\n")
        let file = try scratch.write(
            "weir.yaml", "identity:\n  api_keys: {file: keys.yaml}\nworker: 1\n" + leastServices)
        let found = #expect(throws: ConfigurationErrors.self) { try Configuration.load(path: file) }
        let errors = try #require(found).errors
        #expect(errors.map(\.file) == [file, keys, keys, keys])
        #expect(errors.map(\.line) == [3, 1, 2, 2])
        #expect(!errors.contains { $0.message.contains("\"00\"") })
    }

    @Test func aMissingTokenOrKeyFileIsAFaultOfTheLineThatNamesIt() throws {
        let yaml = "control:\n  token_file: no.token\nidentity:\n  api_keys:\n    file: no.yaml\n" + leastServices
        let errors = faults(of: yaml)
        #expect(errors.map(\.line) == [2, 5])
        #expect(errors[0].message.contains("`no.token` cannot be used: there is no such file"))
        #expect(errors[1].message.contains("`no.yaml` cannot be used: there is no such file"))
    }

    @Test func aDamagedFileIsRefusedWithFaultsAndNeverACrash() throws {
        let sample = Array(try String(contentsOfFile: "\(root)/weir.yaml", encoding: .utf8).unicodeScalars)
        let pieces = Array("{}[]:,-#&*!|>'\"%@` \n\t\u{0}éx0".unicodeScalars)
        var generator = SeededGenerator()
        for round in 0..<300 {
            var scalars = sample
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let index = Int.random(in: 0..<scalars.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: scalars[index] = pieces.randomElement(using: &generator)!
                case 1: scalars.insert(pieces.randomElement(using: &generator)!, at: index)
                case 2: scalars.removeSubrange(index..<min(scalars.count, index + 20))
                default: scalars.insert(contentsOf: scalars[index..<min(scalars.count, index + 60)], at: index)
                }
            }
            let text = String(String.UnicodeScalarView(scalars))
            let lines = text.count { $0.isNewline } + 1
            for error in faults(of: text) {
                #expect(error.file == "weir.yaml", "round \(round)")
                // What ends too early is at fault behind its last line.
                #expect(1...(lines + 1) ~= error.line ?? 0, "round \(round): \(error)")
            }
        }
    }
}
