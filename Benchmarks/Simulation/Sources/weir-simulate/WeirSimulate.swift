import ArgumentParser
import Foundation
import Simulation
import Synchronization

@main
struct WeirSimulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weir-simulate",
        abstract: "Runs fleets of the real limiter in simulated worlds, and checks that no promise is broken.",
        discussion: "Exits with 1 where an invariant did not hold, with 2 where it was called wrongly.")

    @Option(help: "How many seeds to run.") var seeds: UInt64 = 1000
    @Option(help: "The first of them.") var from: UInt64 = 1
    @Option(help: "Run the world of this seed alone.") var seed: UInt64?
    @Flag(help: "With --seed: print everything that happens.") var trace = false
    @Flag(help: "Say which invariants are checked, and where.") var invariants = false
    @Option(help: "Worlds at a time.") var threads = ProcessInfo.processInfo.activeProcessorCount
    @Flag(help: "Compare exact and leased decisions with other schemes.") var figures = false
    @Flag(help: "Measure fleets of 10, 100 and 1,000 replicas, and a million tenants.") var fleet = false
    @Option(help: "Virtual seconds of each figure.") var seconds: Int64 = 60
    @Flag(help: "Put figures into Benchmarks/README.md.") var write = false
    @Flag(help: "Stop at the first seed that fails.") var first = false

    func validate() throws {
        guard threads >= 1 else { throw ValidationError("--threads must be at least 1") }
        guard seconds >= 1 else { throw ValidationError("--seconds must be at least 1") }
        guard !write || figures || fleet else { throw ValidationError("--write needs --figures or --fleet") }
        guard !trace || seed != nil else { throw ValidationError("--trace needs a --seed") }
    }

    func run() async throws {
        if invariants { return listInvariants() }
        if figures || fleet { return try takeFigures() }
        if let seed { return try replay(seed) }
        try await runSeeds()
    }

    private func listInvariants() {
        for invariant in Invariant.allCases {
            print("\(invariant.rawValue). \(invariant.sentence) (\(invariant.place))")
        }
    }

    private func takeFigures() throws {
        let tables = FigureTables(seconds: seconds) { Self.say("simulate: \($0)", to: .standardError) }
        if figures { try publish(tables.schemes(), as: "simulation", by: "--figures") }
        if fleet { try publish(tables.fleets(), as: "simulation-fleet", by: "--fleet") }
    }

    private func publish(_ text: String, as block: String, by flag: String) throws {
        let text = "`scripts/simulate \(flag) --seconds \(seconds)`\n\n\(text)"
        print(text)
        if write { try FigurePage(path: "Benchmarks/README.md").put(text, into: block) }
    }

    private func replay(_ seed: UInt64) throws {
        let outcome = try Outcome(seed: seed, write: trace ? { print($0) } : nil)
        print("seed \(seed): \(outcome.summary)")
        for violation in outcome.violations { print(violation) }
        print("\(outcome.steps) events, \(outcome.decisions) decisions, digest \(String(outcome.digest, radix: 16))")
        if !outcome.violations.isEmpty { throw ExitCode.failure }
    }

    private func runSeeds() async throws {
        let progress = Progress(seeds: seeds, stopsAtFirst: first)
        await SeedRun(first: from, count: seeds) { progress.note($0) }.perform(threads: threads)
        if progress.finish() { throw ExitCode.failure }
    }

    static func main() async {
        do {
            let command = try parse()
            try await command.run()
        } catch {
            let code = exitCode(for: error)
            let text = fullMessage(for: error)
            if !text.isEmpty { say(text, to: code.isSuccess ? .standardOutput : .standardError) }
            Foundation.exit(code == .validationFailure ? 2 : code.rawValue)
        }
    }

    private static func say(_ text: String, to file: FileHandle) { file.write(Data((text + "\n").utf8)) }
}
