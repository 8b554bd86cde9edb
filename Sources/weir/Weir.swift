import ArgumentParser
import Foundation
import Telemetry

@main
struct Weir: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weir",
        abstract: "A distributed rate limiting gateway.",
        discussion: """
            weir demo starts everything at once, to try it. Exit codes: 0 fine, 1 failed, 2 bad usage or configuration.
            """,
        version: "weir \(Metrics.version)",
        subcommands: [
            ServeCommand.self, DemoCommand.self, ValidateCommand.self, BudgetCommand.self, ExplainCommand.self,
            ResetCommand.self, OverrideCommand.self,
        ])

    static func main() async {
        // A peer that closes its connection is an error of that write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error as CommandError {
            Terminal.error(error.message)
            Foundation.exit(error.exitCode.rawValue)
        } catch {
            let code = exitCode(for: error)
            if code.isSuccess {
                Terminal.print(fullMessage(for: error))
            } else {
                Terminal.note(fullMessage(for: error))
            }
            Foundation.exit(code == .validationFailure ? CommandError.Code.usage.rawValue : code.rawValue)
        }
    }
}

/// Why a command cannot do what it was asked.
struct CommandError: Error, Hashable, Sendable {
    enum Code: Int32, Sendable {
        case failed = 1
        /// Bad usage or configuration.
        case usage = 2
    }

    let exitCode: Code
    let message: String
    /// Nothing answered where it asked.
    let isUnreachable: Bool

    init(_ exitCode: Code, _ message: String, isUnreachable: Bool = false) {
        self.exitCode = exitCode
        self.message = message
        self.isUnreachable = isUnreachable
    }
}

/// What people read: results on standard output, everything else on standard error. Nothing is held back in a buffer.
enum Terminal {
    static func print(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    static func note(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    static func error(_ text: String) { note("weir: \(text)") }
}
