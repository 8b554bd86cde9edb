import Foundation
import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A gateway that the tester started with a command of the user's, and ends with the run.
package final class LaunchedProcess {
    private let process = Process()
    private let command: String
    private let log: URL

    private static let patience = Duration.seconds(10)

    /// Runs the command in a shell, with `{redis}` replaced by that URL.
    package init(_ command: String, redis: String) throws(LoadError) {
        self.command = command.replacing("{redis}", with: redis)
        log = FileManager.default.temporaryDirectory.appendingPathComponent("weir-bench-\(UUID().uuidString).log")
        do {
            try Data().write(to: log)
            let handle = try FileHandle(forWritingTo: log)
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            // The command takes the shell's place, so that signals reach it.
            process.arguments = ["-c", "exec \(self.command)"]
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = handle
            process.standardError = handle
            try process.run()
        } catch { throw .failed("`\(self.command)` cannot be started: \(error.localizedDescription)") }
    }

    deinit { end() }

    /// Asks it to stop, and after 10 s makes it.
    package func end() {
        if process.isRunning {
            process.terminate()
            let clock = ContinuousClock()
            let deadline = clock.now + Self.patience
            while process.isRunning, clock.now < deadline { usleep(10_000) }
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
            process.waitUntilExit()
        }
        try? FileManager.default.removeItem(at: log)
    }

    /// Throws once it has ended, with the end of what it said.
    package func check() throws(LoadError) {
        guard !process.isRunning else { return }
        let said = ((try? String(contentsOf: log, encoding: .utf8)) ?? "").split(separator: "\n").suffix(5)
        throw .failed("`\(command)` ended with \(process.terminationStatus):\n\(said.joined(separator: "\n"))")
    }

    /// Throws where a target takes connections already: what is launched could not listen there.
    package static func checkFree(_ targets: [Target]) async throws(LoadError) {
        for target in targets where await answers(target) {
            throw .failed("something answers at \(target.description) already, before anything was launched")
        }
    }

    /// Waits until every target takes connections, as long as what was launched lives.
    package static func waitForTargets(
        _ targets: [Target], within nanoseconds: Int64, of launched: [LaunchedProcess]
    ) async throws(LoadError) {
        let clock = ContinuousClock()
        let deadline = clock.now + .nanoseconds(nanoseconds)
        for target in targets {
            while await !answers(target) {
                for process in launched { try process.check() }
                guard clock.now < deadline else {
                    throw .failed(
                        "nothing answers at \(target.description) after \(TimeText.show(Double(nanoseconds)))")
                }
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
        for process in launched { try process.check() }
    }

    private static func answers(_ target: Target) async -> Bool {
        let connecting = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connectTimeout(.seconds(1))
            .connect(host: target.host, port: target.port)
        guard let channel = try? await connecting.get() else { return false }
        try? await channel.close()
        return true
    }
}
