import Foundation
import TestSupport

/// A `weir serve` of the test's own: the built program on free ports, ended with the test.
final class WeirProcess: Sendable {
    struct Ended: Error, CustomStringConvertible {
        let description: String
    }

    let gateway: Int
    let control: Int
    let configurationFile: URL
    private let gatewayLines: [String]
    private let process: Process
    private let directory: URL

    /// `configuration` is everything below `gateway:` and `control:`; `gateway` are further lines there. `files` is what `ulimit`
    /// is told before it starts, such as `-Sn 100`.
    static func serve(
        _ configuration: String, gateway: [String] = [], files: String? = nil
    ) async throws -> WeirProcess {
        let weir = try WeirProcess(configuration, gateway, files)
        do {
            try await eventually(within: .seconds(20), "weir is ready on port \(weir.control)") {
                guard weir.process.isRunning else { throw Ended(description: "weir ended: \(weir.log)") }
                // Until it listens, connections are refused.
                return (try? await HTTP.get(weir.control, "/readyz"))?.status == 200
            }
        } catch {
            weir.stop()
            throw error
        }
        return weir
    }

    private init(_ configuration: String, _ gatewayLines: [String], _ files: String?) throws {
        self.gatewayLines = gatewayLines
        gateway = try RedisServer.freePort()
        control = try RedisServer.freePort()
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("weir-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        configurationFile = directory.appendingPathComponent("weir.yaml")
        try Self.text(configuration, gateway, control, gatewayLines).write(
            to: configurationFile, atomically: true, encoding: .utf8)
        let log = directory.appendingPathComponent("log")
        try Data().write(to: log)
        process = Process()
        let arguments = ["serve", "--config", configurationFile.path]
        if let files {
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", "ulimit \(files) && exec \"$0\" \"$@\"", Self.program.path] + arguments
        } else {
            process.executableURL = Self.program
            process.arguments = arguments
        }
        process.standardError = try FileHandle(forWritingTo: log)
        process.standardOutput = try FileHandle(forWritingTo: log)
        try process.run()
    }

    deinit { stop() }

    private static func text(
        _ configuration: String, _ gateway: Int, _ control: Int, _ gatewayLines: [String]
    ) -> String {
        """
        gateway:
          listen: 127.0.0.1:\(gateway)
          workers: 1
          trusted_proxies: [127.0.0.0/8]
        \(gatewayLines.map { "  \($0)" }.joined(separator: "\n"))
        control:
          listen: 127.0.0.1:\(control)
        \(configuration)
        """
    }

    /// Puts another file in the place of its configuration, below the same listeners.
    func reconfigure(_ configuration: String) throws {
        try Self.text(configuration, gateway, control, gatewayLines).write(
            to: configurationFile, atomically: true, encoding: .utf8)
    }

    func hangUp() { kill(process.processIdentifier, SIGHUP) }

    /// Memory that it has in use, in bytes.
    var residentBytes: Int {
        let fields = try? String(contentsOfFile: "/proc/\(process.processIdentifier)/statm", encoding: .utf8).split(
            separator: " ")
        return (fields.flatMap { Int($0[1]) } ?? 0) * sysconf(Int32(_SC_PAGESIZE))
    }

    /// Built beside the tests.
    static var program: URL {
        Bundle.main.executableURL!.deletingLastPathComponent().appendingPathComponent("weir")
    }

    var log: String {
        (try? String(contentsOf: directory.appendingPathComponent("log"), encoding: .utf8)) ?? "no log"
    }

    /// Asks it to stop as an operator would, and returns its exit status.
    @discardableResult
    func terminate() -> Int32 {
        process.terminate()
        process.waitUntilExit()
        return process.terminationStatus
    }

    func stop() {
        if process.isRunning { terminate() }
        try? FileManager.default.removeItem(at: directory)
    }

    /// The value of one series of its metrics; 0 where there is none.
    func metric(_ series: String) async throws -> Double {
        let text = try await HTTP.get(control, "/metrics").body
        return text.split(separator: "\n").filter { $0.hasPrefix(series) }
            .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
    }

    /// Decisions that Redis should have made and did not.
    func degradedDecisions() async throws -> Double {
        let text = try await HTTP.get(control, "/metrics").body
        return text.split(separator: "\n").filter {
            $0.hasPrefix("weir_decisions_total{") && $0.contains("degraded=\"true\"")
        }
        .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
    }
}
