import ArgumentParser
import WeirConfiguration

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the gateway and the control API until SIGTERM or SIGINT.")

    @OptionGroup var file: ConfigurationOptions
    @OptionGroup var options: ListenOptions

    func run() async throws {
        var configuration = try file.load()
        try options.apply(to: &configuration)
        let log = options.makeLog(configuration.logging)
        let process = WeirProcess(configuration, log: log) { previous throws(CommandError) in
            var next = try file.load(after: previous)
            try options.apply(to: &next)
            return next
        }
        try await process.runUntilStopped { addresses in
            Terminal.note("weir: gateway on http://\(addresses.gateway)")
            Terminal.note("weir: control on http://\(addresses.control)")
            Terminal.note("weir: counters in \(addresses.store)")
        }
        Terminal.note("weir: stopped")
    }
}
