import Discovery
import Foundation
import Logging
import Synchronization
import TestSupport
import Testing
import WeirConfiguration

/// Names that a real resolver looks up at a real server, and files that are really replaced.
struct DiscoveryTests {
    /// What was published last for each source, and how often.
    private final class Findings: Sendable {
        private let latest = Mutex<[UpstreamSource: [Endpoint]]>([:])
        private let lines = Mutex<[String]>([])

        func publish(_ endpoints: [Endpoint], of source: UpstreamSource) {
            latest.withLock { $0[source] = endpoints }
        }

        /// Address, port, weight and priority of each.
        func texts(_ source: UpstreamSource) -> [String]? {
            latest.withLock { $0[source] }?.map {
                "\($0.upstream.destination):\($0.upstream.port) \($0.weight) \($0.priority)"
            }
        }

        func endpoints(_ source: UpstreamSource) -> [Endpoint]? { latest.withLock { $0[source] } }

        var logger: Logger {
            Logger(label: "discovery-tests") { _ in Recorder { line in self.lines.withLock { $0.append(line) } } }
        }

        func logged(_ text: String) -> Int { lines.withLock { $0.count { $0.contains(text) } } }
    }

    private struct Recorder: LogHandler {
        let record: @Sendable (String) -> Void
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        init(_ record: @escaping @Sendable (String) -> Void) { self.record = record }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let values = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted()
            record(([event.message.description] + values).joined(separator: " "))
        }
    }

    private func withDiscovery(
        _ sources: [UpstreamSource], _ server: DNSServer? = nil, timeout: Duration = .seconds(1),
        _ body: (Findings, Discovery) async throws -> Void
    ) async throws {
        var settings = DNSSettings()
        if let server { settings.servers = [ListenAddress(host: "127.0.0.1", port: server.port)] }
        settings.timeout = timeout
        let findings = Findings()
        let discovery = Discovery(logger: findings.logger) { findings.publish($0, of: $1) }
        discovery.use([Service(name: "s", routes: [], sources: sources)], settings)
        await discovery.settle(within: .seconds(10))
        defer {
            discovery.stop()
            server?.stop()
        }
        try await body(findings, discovery)
    }

    private func dns(_ name: String, weight: Int = 1, tls: Bool = false) -> UpstreamSource {
        .dns(Upstream(usesTLS: tls, host: name, port: 8080), weight: weight)
    }

    private func srv(_ name: String, tls: Bool = false) -> UpstreamSource {
        .srv(ServiceRecordName(name: name, usesTLS: tls))
    }

    // MARK: Addresses

    @Test func everyAddressOfANameIsAnEndpoint() async throws {
        let server = try DNSServer()
        server.set("orders.test", [.a("10.0.0.1"), .a("10.0.0.2"), .aaaa("2001:db8::1")])
        let source = dns("orders.test", weight: 4, tls: true)
        try await withDiscovery([source], server) { findings, _ in
            #expect(findings.texts(source) == ["10.0.0.1:8080 4 0", "10.0.0.2:8080 4 0", "2001:db8::1:8080 4 0"])
            let upstream = try #require(findings.endpoints(source)?.first?.upstream)
            #expect(upstream.host == "orders.test")
            #expect(upstream.usesTLS)
            #expect(upstream.authority == "orders.test:8080")
        }
    }

    @Test func aServerMayHaveAnIPv6Address() async throws {
        let server = try DNSServer(isIPv6: true)
        defer { server.stop() }
        server.set("orders.test", (1...100).map { .a("10.0.0.\($0)") })
        let source = dns("orders.test")
        var settings = DNSSettings()
        settings.servers = [ListenAddress(host: "::1", port: server.port)]
        let findings = Findings()
        let discovery = Discovery(logger: findings.logger) { findings.publish($0, of: $1) }
        defer { discovery.stop() }
        discovery.use([Service(name: "s", routes: [], sources: [source])], settings)
        try await eventually("it answers") { findings.endpoints(source)?.count == 100 }
    }

    @Test func aliasesAreFollowed() async throws {
        let server = try DNSServer()
        server.set("orders.test", [.cname("real.test")], ttl: 1)
        server.set("real.test", [.a("10.0.0.1")], ttl: 100)
        try await withDiscovery([dns("orders.test")], server) { findings, _ in
            #expect(findings.texts(dns("orders.test")) == ["10.0.0.1:8080 1 0"])
        }
    }

    /// More than fit a datagram come over TCP.
    @Test func aLongAnswerComesWhole() async throws {
        let server = try DNSServer()
        server.set("many.test", (1...200).map { .a("10.0.1.\($0)") }, ttl: 60)
        try await withDiscovery([dns("many.test")], server) { findings, _ in
            #expect(findings.endpoints(dns("many.test"))?.count == 200)
            #expect(server.queries("many.test", 1).contains { $0.isTCP })
        }
    }

    /// A change is seen once the time to live has passed, and nobody asks before.
    @Test func aNameIsAskedForAgainWhenItsTimeHasPassed() async throws {
        let server = try DNSServer()
        server.set("orders.test", [.a("10.0.0.1")], ttl: 2)
        server.set("slow.test", [.a("10.0.9.9")], ttl: 3600)
        let (source, slow) = (dns("orders.test"), dns("slow.test"))
        try await withDiscovery([source, slow], server, timeout: .seconds(5)) { findings, _ in
            #expect(findings.texts(source) == ["10.0.0.1:8080 1 0"])
            server.set("orders.test", [.a("10.0.0.7")], ttl: 2)
            try await eventually("the change is seen") { findings.texts(source) == ["10.0.0.7:8080 1 0"] }
            try await eventually("asked three times") { server.queries("orders.test", 1).count >= 3 }
            let times = server.queries("orders.test", 1).map(\.time)
            for (earlier, later) in zip(times, times.dropFirst()) { #expect(later - earlier >= .seconds(2)) }
            #expect(server.queries("slow.test", 1).count == 1)
        }
    }

    @Test(arguments: [DNSServer.Silence.unanswered, .serverFailure])
    func whenTheServerIsAwayTheLastSetStays(silence: DNSServer.Silence) async throws {
        let server = try DNSServer()
        server.set("orders.test", [.a("10.0.0.1")], ttl: 1)
        let source = dns("orders.test")
        try await withDiscovery([source], server) { findings, _ in
            server.set(silence)
            try await eventually("it is said") {
                findings.logged("no DNS server gave an answer") == 1 && findings.logged("upstreams_kept=1") == 1
            }
            let asked = server.queries.count
            try await eventually(within: .seconds(20), "it is asked again") { server.queries.count > asked + 2 }
            #expect(findings.texts(source) == ["10.0.0.1:8080 1 0"])
            #expect(findings.logged("cannot be used") == 1)
            server.set("orders.test", [.a("10.0.0.2")], ttl: 1)
            server.set(nil as DNSServer.Silence?)
            try await eventually(within: .seconds(20), "it is back") {
                findings.texts(source) == ["10.0.0.2:8080 1 0"]
            }
            #expect(findings.logged("can be used again") == 1)
        }
    }

    @Test func aNameThatIsNotThereHasNoEndpointsUntilItAppears() async throws {
        let server = try DNSServer()
        let source = dns("later.test")
        try await withDiscovery([source], server) { findings, _ in
            #expect(findings.texts(source) == nil)
            #expect(findings.logged("there is nothing at this name") == 1)
            server.set("later.test", [.aaaa("::1")])
            try await eventually("it appears") { findings.texts(source) == ["::1:8080 1 0"] }
            // And when it goes again, what it was stays.
            server.set("later.test", [])
            try await eventually("it is said") { findings.logged("there is nothing at this name") == 2 }
            #expect(findings.texts(source) == ["::1:8080 1 0"])
        }
    }

    // MARK: Services

    @Test func serviceRecordsNamePortsWeightsAndPriorities() async throws {
        let server = try DNSServer()
        server.set(
            "_http._tcp.orders.test",
            [
                .srv(priority: 1, weight: 3, port: 9001, target: "one.test"),
                .srv(priority: 1, weight: 0, port: 9002, target: "two.test"),
                .srv(priority: 2, weight: 5, port: 9003, target: "both.test"),
                .srv(priority: 2, weight: 5, port: 9004, target: "nowhere.test"),
            ])
        server.set("one.test", [.a("10.0.0.1")])
        server.set("two.test", [.a("10.0.0.2")])
        server.set("both.test", [.a("10.0.0.3"), .aaaa("2001:db8::3")])
        let source = srv("_http._tcp.orders.test", tls: true)
        try await withDiscovery([source], server) { findings, _ in
            #expect(
                findings.texts(source) == [
                    "10.0.0.1:9001 3 1", "10.0.0.2:9002 0 1", "10.0.0.3:9003 5 2", "2001:db8::3:9003 5 2",
                ])
            #expect(findings.endpoints(source)?.allSatisfy { $0.upstream.host == "orders.test" } == true)
            #expect(findings.endpoints(source)?.allSatisfy { $0.upstream.usesTLS } == true)
        }
    }

    @Test func serviceRecordsWithoutWeightsShareEvenly() async throws {
        let server = try DNSServer()
        server.set(
            "_a._tcp.test", [.srv(weight: 0, port: 1, target: "x.test"), .srv(weight: 0, port: 2, target: "x.test")])
        server.set("x.test", [.a("10.0.0.1")])
        try await withDiscovery([srv("_a._tcp.test")], server) { findings, _ in
            #expect(findings.texts(srv("_a._tcp.test")) == ["10.0.0.1:1 1 0", "10.0.0.1:2 1 0"])
        }
    }

    // MARK: Files

    @Test func aFileThatIsReplacedIsReadAgainAndAWrongOneIsRefusedAsAWhole() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("orders-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        func replace(_ text: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path + ".new"))
            #expect(rename(path + ".new", path) == 0)
        }
        try replace("- http://10.0.0.1\n")
        let source = UpstreamSource.file(path)
        try await withDiscovery([source]) { findings, discovery in
            #expect(findings.texts(source) == ["10.0.0.1:80 1 0"])
            try replace("- {url: http://10.0.0.1, weight: 3}\n- http://10.0.0.2:81\n")
            try await eventually("the change is seen") {
                findings.texts(source) == ["10.0.0.1:80 3 0", "10.0.0.2:81 1 0"]
            }
            try replace("- http://10.0.0.5\n- {url: nonsense}\n")
            try await eventually("the fault is told") { findings.logged("\(path):2:") == 1 }
            #expect(findings.texts(source) == ["10.0.0.1:80 3 0", "10.0.0.2:81 1 0"])
            try FileManager.default.removeItem(atPath: path)
            try await eventually("its absence is told") { findings.logged("no such file") == 1 }
            #expect(findings.texts(source)?.count == 2)
            try replace("[]\n")
            try await eventually("it is empty") { findings.texts(source) == [] }
            // Another configuration has other sources.
            discovery.use([], DNSSettings())
            try replace("- http://10.0.0.9\n")
            discovery.use([Service(name: "s", routes: [], sources: [source])], DNSSettings())
            try await eventually("it is read anew") { findings.texts(source) == ["10.0.0.9:80 1 0"] }
        }
    }
}
