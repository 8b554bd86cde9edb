import Foundation
import TestSupport
import Testing

/// The built load tester as people call it, against gateways that are built too.
@Suite struct LoadTesterTests {
    private static func bench(_ arguments: String...) throws -> CommandRun {
        try CommandRun(
            arguments, of: WeirProcess.program.deletingLastPathComponent().appendingPathComponent("weir-bench"))
    }

    private static func configuration(upstream: Int) -> String {
        """
        identity:
          header: X-Tenant
        limits:
          - {name: quota, per: tenant, rate: 50/2s}
        services:
          - name: api
            routes: [{path: /}]
            upstreams: ["http://127.0.0.1:\(upstream)"]
        """
    }

    @Test func weirKeepsItsLimitAndTheTesterSaysSo() async throws {
        let upstream = try await Upstream.start()
        let weir = try await WeirProcess.serve(Self.configuration(upstream: upstream.port))
        defer { weir.stop() }
        let run = try Self.bench(
            "-c", "8", "-d", "5s", "--rate", "200", "--tenants", "uniform:2", "--tenant-name", "{run}-{n}", "--probes",
            "1",
            "--limit", "50/2s", "--assert",
            "over_admission==0,under_admission==0,retry_after_dishonest==0,errors==0,admitted>=100",
            "http://127.0.0.1:\(weir.gateway)/")
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        #expect(run.output.contains("kept in every window and interval"))
        #expect(run.errors.isEmpty, "there is no live line where nobody looks")
        try await upstream.stop()
    }

    @Test func aBrokenPromiseFailsTheRun() async throws {
        let upstream = try await Upstream.start()
        let weir = try await WeirProcess.serve(Self.configuration(upstream: upstream.port))
        defer { weir.stop() }
        // Half of what the gateway's limit is.
        let run = try Self.bench(
            "-n", "60", "--tenants", "acme", "--limit", "25/52w", "--assert", "over_admission==0", "-q",
            "http://127.0.0.1:\(weir.gateway)/")
        #expect(run.status == 1)
        #expect(run.output.isEmpty)
        #expect(run.errors.contains("over_admission==0 does not hold: "))
        try await upstream.stop()
    }

    /// A gateway that weir-bench launches, with a folder for what it leaves behind.
    private struct Launch {
        let gateway: Int
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("weir-bench-\(UUID().uuidString)")
        let command: String

        var json: URL { folder.appendingPathComponent("r.json") }
        var page: URL { folder.appendingPathComponent("r.html") }

        init(upstream: Int) throws {
            let ports = try ServerProcess.freePorts(2)
            gateway = ports[0]
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let file = folder.appendingPathComponent("weir.yaml")
            command = "\(WeirProcess.program.path) serve --config \(file.path) --redis {redis}"
            try """
            gateway:
              listen: 127.0.0.1:\(gateway)
              trusted_proxies: [127.0.0.0/8]
            control:
              listen: 127.0.0.1:\(ports[1])
            store:
              redis: redis://127.0.0.1:1
            \(LoadTesterTests.configuration(upstream: upstream))
            """.write(to: file, atomically: true, encoding: .utf8)
        }

        struct Mark: Decodable {
            let fault: String
            let fromSeconds: Double
            let toSeconds: Double
            let outcome: String?
        }

        func marks() throws -> [Mark] {
            struct Marks: Decodable { let chaos: [Mark] }
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try decoder.decode(Marks.self, from: Data(contentsOf: json)).chaos
        }
    }

    private static func expectNobody(at ports: [Int]) throws {
        for port in ports {
            #expect(try bench("-n", "1", "http://127.0.0.1:\(port)/").errors.contains("nothing answers"))
        }
    }

    @Test func aRedisOfItsOwnIsHarmedOnScheduleAndEndsWithTheRun() async throws {
        let upstream = try await Upstream.start()
        let redis = try ServerProcess.freePort()
        let launch = try Launch(upstream: upstream.port)
        defer { try? FileManager.default.removeItem(at: launch.folder) }
        let run = try Self.bench(
            "-d", "6s", "--rate", "50", "--tenants", "acme", "--limit", "50/2s", "--redis-port", "\(redis)",
            "--redis-fault", "flush@500ms", "--redis-fault", "pause@1s,300ms", "--redis-fault", "stop@1500ms,300ms",
            "--redis-fault", "slow@2s,200ms", "--launch", launch.command, "--assert", "errors==0", "--json",
            launch.json.path, "--html", launch.page.path, "http://127.0.0.1:\(launch.gateway)/")
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        #expect(run.errors == "weir-bench: Redis is at redis://127.0.0.1:\(redis)\n")
        let marks = try launch.marks()
        #expect(marks.map(\.fault) == ["flush", "pause", "stop", "slow"])
        for (mark, (from, to)) in zip(marks, [(0.5, 0.5), (1.0, 1.3), (1.5, 1.8), (2.0, 2.2)]) {
            #expect(mark.fromSeconds >= from)
            #expect(mark.toSeconds >= to)
        }
        #expect(try String(contentsOf: launch.page, encoding: .utf8).contains("Redis: pause"))
        try Self.expectNobody(at: [redis, launch.gateway])
        try await upstream.stop()
    }

    @Test func aPrimaryOfItsOwnIsKilledAndTheReportSaysWhenItsReplicaWasPromoted() async throws {
        let upstream = try await Upstream.start()
        let redis = try ServerProcess.freePort()
        let launch = try Launch(upstream: upstream.port)
        defer { try? FileManager.default.removeItem(at: launch.folder) }
        let run = try Self.bench(
            "-d", "20s", "--rate", "50", "--tenants", "acme", "--limit", "50/2s", "--redis-port", "\(redis)",
            "--redis-fault", "failover@1s", "--launch", launch.command, "--assert", "errors==0", "--json",
            launch.json.path, "--html", launch.page.path, "http://127.0.0.1:\(launch.gateway)/")
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        let mark = try #require(try launch.marks().first)
        #expect(mark.fault == "failover")
        #expect(mark.outcome == "the replica was promoted")
        #expect(mark.fromSeconds >= 1)
        #expect(mark.toSeconds > mark.fromSeconds + 0.4, "sentinels wait for 500 ms before they believe it")
        #expect(run.output.contains("the replica was promoted"))
        #expect(try String(contentsOf: launch.page, encoding: .utf8).contains("Redis: failover"))

        #expect(run.errors.hasPrefix("weir-bench: Redis is at redis+sentinel://127.0.0.1:"))
        let ports = run.errors.matches(of: /127\.0\.0\.1:([0-9]+)/).compactMap { Int($0.1) }
        #expect(ports.count == 3)
        try Self.expectNobody(at: ports + [redis, launch.gateway])
        try await upstream.stop()
    }

    @Test func aRunThatEndsBeforeAReplicaIsPromotedSaysSo() async throws {
        let upstream = try await Upstream.start()
        let run = try Self.bench(
            "-d", "300ms", "--rate", "50", "--redis-port", "\(ServerProcess.freePort())", "--redis-fault",
            "failover@100ms", "http://127.0.0.1:\(upstream.port)/")
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        #expect(run.output.contains("nobody was promoted by the end of the run"))
        try await upstream.stop()
    }

    @Test func whatIsLaunchedMustBeWhatAnswers() async throws {
        let upstream = try await Upstream.start()
        let taken = try Self.bench("-n", "1", "--launch", "sleep 60", "http://127.0.0.1:\(upstream.port)/")
        #expect(taken.status == 1)
        #expect(taken.errors.contains("already, before anything was launched"))
        try await upstream.stop()
        let port = try ServerProcess.freePort()
        let broken = try Self.bench(
            "-n", "1", "--launch", "sh -c 'echo no such gateway; exit 3'", "http://127.0.0.1:\(port)/")
        #expect(broken.status == 1)
        #expect(broken.errors.contains("ended with 3:\nno such gateway"))
    }

    @Test func aRunWithoutAnAnswerFails() async throws {
        let redis = try await RedisServer.start()
        let run = try Self.bench("-n", "4", "http://127.0.0.1:\(redis.port)/")
        #expect(run.status == 1)
        #expect(run.output.contains("closed before the answer was complete"))
        #expect(run.errors == "weir-bench: no request was answered\n")
        redis.stop()
    }

    @Test func helpNamesEveryOption() throws {
        let run = try Self.bench("--help")
        #expect(run.status == 0)
        #expect(run.errors.isEmpty)
        for option in [
            "--connections", "--threads", "--duration", "--requests", "--rate", "--phase", "--stop-when", "--seed",
            "--method",
            "--header", "--body", "--tenants", "--cost", "--http2", "--limit", "--probes", "--redis-port",
            "--redis-fault",
            "--launch", "--assert", "--json", "--html",
        ] { #expect(run.output.contains(option), "\(option)") }
        #expect(try Self.bench("--list-figures").output.contains("over_admission"))
    }

    @Test(arguments: [
        ([], "at least one URL"), (["nonsense"], "does not begin with http"),
        (["--frobnicate", "http://a"], "--frobnicate"),
        (["--assert", "p98<1ms", "http://a"], "did you mean"), (["--limit", "100", "http://a"], "--limit"),
        (["-c", "1", "-t", "2", "http://a"], "--threads"), (["--probes", "1", "http://a"], "--probes needs --limit"),
        (["--redis-fault", "stop", "http://a"], "--redis-fault needs --redis-port"),
        (["--redis-fault", "failover", "http://a"], "--redis-fault needs --redis-port"),
        (["--redis-port", "6390", "--redis-fault", "failover@5s,2s", "http://a"], "failover has no length"),
        (
            ["--redis-port", "6390", "--redis-fault", "failover@5s", "--redis-fault", "flush@1s", "http://a"],
            "failover stands alone"
        ),
        (["--launch", "x {redis}", "http://a"], "--redis-port is needed"),
        (["--rate", "fast", "http://a"], "not a rate"),
        (["--json", "/nowhere/x.json", "http://a"], "there is no folder"),
        (["--body", "@/nowhere", "http://a"], "cannot be read"),
        (["--phase", "hold:1s", "-d", "1s", "http://a"], "--phase takes the place"),
        (["--tenants", "file:/nowhere", "http://a"], "cannot be read"),
    ])
    func badUsageIsNamedOnStandardError(_ arguments: [String], _ named: String) throws {
        let run = try CommandRun(
            arguments, of: WeirProcess.program.deletingLastPathComponent().appendingPathComponent("weir-bench"))
        #expect(run.status == 2)
        #expect(run.output.isEmpty)
        #expect(run.errors.contains(named), "\(run.errors)")
    }
}
