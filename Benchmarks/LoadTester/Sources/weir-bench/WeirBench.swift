import ArgumentParser
import Foundation
import LoadTester

@main
struct WeirBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weir-bench",
        abstract: "A load tester for rate limits: how fast, and was the limit kept?",
        discussion: """
            weir-bench -c 64 -d 30s --tenants uniform:10 --limit 100/minute --assert 'over_admission==0,p99<5ms' http://127.0.0.1:8080/payment

            Exit codes: 0 fine, 1 an assertion does not hold or the run failed, 2 bad usage.
            """)

    @Argument(
        help: ArgumentHelp("Where to: http:// or https:// URLs; several are replicas of one service.", valueName: "url")
    )
    var urls: [String] = []

    @OptionGroup(title: "Load") var load: LoadOptions
    @OptionGroup(title: "Requests") var requests: RequestOptions
    @OptionGroup(title: "The limit") var limit: LimitOptions
    @OptionGroup(title: "Chaos") var chaos: ChaosOptions
    @OptionGroup(title: "Report") var output: OutputOptions

    static func main() async {
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parse()
            try await command.run()
        } catch let error as LoadError {
            Terminal.error(error.message)
            Foundation.exit(error.code.rawValue)
        } catch {
            let code = exitCode(for: error)
            let message = fullMessage(for: error) + "\n"
            if !message.isEmpty { code.isSuccess ? Terminal.print(message) : Terminal.note(message) }
            Foundation.exit(code == .validationFailure ? LoadError.Code.usage.rawValue : code.rawValue)
        }
    }

    mutating func run() async throws {
        if output.listFigures {
            Terminal.print(
                "--assert:\n\(Figure.list(Report.figures))\n\n--stop-when:\n\(Figure.list(Snapshot.figures))\n")
            return
        }
        let conditions = try output.conditions()
        try output.check()
        let run = String(UInt64(Date().timeIntervalSince1970 * 1000), radix: 36)
        let test = try LoadTest(try makePlan(run: run), probeNames: limit.probeNames(run: run))
        let stage = try await Stage(chaos, faults: test.plan.faults, targets: test.plan.targets)
        defer { stage.end() }
        let interrupt = Interrupt { test.stop() }
        defer { interrupt.cancel() }
        var live = LiveLine(test.plan)
        let isLive = Terminal.hasLiveLine && !output.quiet
        let result = try await test.run(
            redis: stage.redis,
            watch: { snapshot, now in
                if isLive, let line = live.next(snapshot, at: now) { Terminal.live(line) }
            })
        if isLive { Terminal.live("") }
        let report = Report(result, assertions: conditions)
        try output.write(report)
        try stage.check()
        guard report.requests.answered > 0 else { throw LoadError(.failed, "no request was answered") }
        guard report.isPassed else {
            if output.quiet {
                for failed in report.assertions where !failed.holds {
                    Terminal.error("\(failed.assertion) does not hold: \(failed.shown)")
                }
            }
            throw ExitCode(LoadError.Code.failed.rawValue)
        }
    }

    private func makePlan(run: String) throws(LoadError) -> LoadPlan {
        guard !urls.isEmpty else {
            throw LoadError(.usage, "give at least one URL, like http://127.0.0.1:8080/payment; see --help")
        }
        let targets = try urls.map { text throws(LoadError) in try Target(parsing: text) }
        let phases = try load.makePhases()
        var plan = LoadPlan(
            targets: targets, requests: try requests.makeRequests(), phases: phases,
            seed: load.seed ?? .random(in: 0...UInt64(UInt32.max)))
        plan.tenants = try requests.makeTenants(run: run)
        plan.connections = load.connections
        plan.threads = load.threads
        plan.wire = requests.http2 ? .http2(streams: requests.streams) : .http1
        plan.pace = try load.makePace(phases)
        plan.requestCount = load.requests
        plan.timeout = try TimeText.parse(load.timeout, "--timeout")
        plan.verifiesCertificates = !requests.insecure
        plan.faults = try chaos.makeFaults(runLength: plan.length)
        plan.limit = try limit.makeClaim(targets: targets, tenants: plan.tenants)
        if let stopWhen = load.stopWhen {
            plan.stop = try Condition.parse(stopWhen, "--stop-when", known: Snapshot.figures)
        }
        return plan
    }
}
