import ArgumentParser

/// Commands that are planned: refused by name, rather than unknown.
protocol UnbuiltCommand: ParsableCommand {
    var rest: [String] { get }
}

extension UnbuiltCommand {
    static func planned(_ name: String) -> CommandConfiguration {
        CommandConfiguration(commandName: name, abstract: "Not built yet.", shouldDisplay: false)
    }

    func run() throws {
        throw CommandError(.usage, "`weir \(Self.configuration.commandName ?? "")` is not built yet")
    }
}

struct ExplainCommand: UnbuiltCommand {
    static let configuration = planned("explain")
    @Argument(parsing: .captureForPassthrough) var rest: [String] = []
}

struct ResetCommand: UnbuiltCommand {
    static let configuration = planned("reset")
    @Argument(parsing: .captureForPassthrough) var rest: [String] = []
}

struct OverrideCommand: UnbuiltCommand {
    static let configuration = planned("override")
    @Argument(parsing: .captureForPassthrough) var rest: [String] = []
}
