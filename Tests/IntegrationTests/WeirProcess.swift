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
    /// Makes the file of what a test says and the two ports.
    private let complete: @Sendable (String, Int, Int) -> String
    private let process: Process
    private let directory: URL

    /// `configuration` is everything below `gateway:` and `control:`; `gateway` are further lines there. `files` is what `ulimit`
    /// is told before it starts, such as `-Sn 100`.
    static func serve(
        _ configuration: String, gateway: [String] = [], files: String? = nil
    ) async throws -> WeirProcess {
        try await start { try WeirProcess(configuration, limits: files) { Self.text($0, $1, $2, gateway) } }
    }

    /// `configuration` is a whole file, as people read it: only its listeners, on ports 8080 and 8081, are changed. `files` lie beside it.
    static func serve(asWritten configuration: String, files: [String: String] = [:]) async throws -> WeirProcess {
        try await start {
            try WeirProcess(configuration, files) { text, gateway, control in
                text.replacing("0.0.0.0:8080", with: "127.0.0.1:8080")
                    .replacing("listen: 127.0.0.1:8080", with: "listen: 127.0.0.1:\(gateway)")
                    .replacing("listen: 127.0.0.1:8081", with: "listen: 127.0.0.1:\(control)")
            }
        }
    }

    private static func start(_ make: () throws -> WeirProcess) async throws -> WeirProcess {
        // Another process may take a port between finding and using it.
        for _ in 0..<2 {
            do { return try await make().ready() } catch let error as Ended {
                guard ["is in use", "listens there"].contains(where: error.description.contains) else { throw error }
            }
        }
        return try await make().ready()
    }

    private func ready() async throws -> WeirProcess {
        do {
            try await eventually(within: .seconds(20), "weir is ready on port \(control)") {
                guard process.isRunning else { throw Ended(description: "weir ended: \(log)") }
                // Until it listens, connections are refused.
                return (try? await HTTP.get(control, "/readyz"))?.status == 200
            }
        } catch {
            stop()
            throw error
        }
        return self
    }

    private init(
        _ configuration: String, _ files: [String: String] = [:], limits: String? = nil,
        _ complete: @escaping @Sendable (String, Int, Int) -> String
    ) throws {
        (self.complete, process) = (complete, Process())
        let ports = try ServerProcess.freePorts(2)
        (gateway, control) = (ports[0], ports[1])
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("weir-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        configurationFile = directory.appendingPathComponent("weir.yaml")
        for (name, text) in files { try write(text, to: name) }
        try complete(configuration, gateway, control).write(to: configurationFile, atomically: true, encoding: .utf8)
        let log = directory.appendingPathComponent("log")
        try Data().write(to: log)
        let arguments = ["serve", "--config", configurationFile.path]
        if let limits {
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", "ulimit \(limits) && exec \"$0\" \"$@\"", Self.program.path] + arguments
        } else {
            process.executableURL = Self.program
            process.arguments = arguments
        }
        // One handle, so that neither writes over the other.
        let output = try FileHandle(forWritingTo: log)
        (process.standardError, process.standardOutput) = (output, output)
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

    /// Puts another file in the place of its configuration, with the same listeners.
    func reconfigure(_ configuration: String) throws {
        try complete(configuration, gateway, control).write(to: configurationFile, atomically: true, encoding: .utf8)
    }

    /// Puts a file beside its configuration.
    func write(_ text: String, to name: String) throws {
        try text.write(to: directory.appendingPathComponent(name), atomically: true, encoding: .utf8)
    }

    /// A file beside its configuration; empty: there is none.
    func file(_ name: String) -> String {
        (try? String(contentsOf: directory.appendingPathComponent(name), encoding: .utf8)) ?? ""
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
