import ArgumentParser
import Foundation
import WeirConfiguration

struct BudgetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "budget", abstract: "Show what a tenant has left, asking a running Weir.")

    @OptionGroup var file: ConfigurationOptions

    @Argument(help: "The tenant.")
    var tenant: String

    @Option(help: ArgumentHelp("A control API; default: the configuration's.", valueName: "url"))
    var url: String?

    @Option(help: ArgumentHelp("The control API's token; default: the configuration's.", valueName: "token"))
    var token: String?

    @Flag(help: "Print the answer as JSON.")
    var json = false

    func run() async throws {
        let (url, token) = try target()
        let answer = try await ControlClient(url: url, token: token).budget(of: tenant)
        if json {
            Terminal.print(answer.trimmingCharacters(in: .whitespacesAndNewlines))
        } else {
            guard let budget = try? JSONDecoder().decode(Budget.self, from: Data(answer.utf8)) else {
                throw CommandError(.failed, "\(url) answers, but not as Weir does; is it the control API?")
            }
            Terminal.print(BudgetTable(budget).text)
        }
    }

    /// The configuration is needed only for what the command line does not say.
    private func target() throws(CommandError) -> (url: String, token: String?) {
        if let url, token != nil || !FileManager.default.fileExists(atPath: file.config) { return (url, token) }
        let control = try file.load().control
        return (url ?? "http://\(control.listen.reachable)", token ?? control.token)
    }
}

extension ListenAddress {
    /// Where this machine finds a listener that takes connections on any address.
    fileprivate var reachable: ListenAddress {
        switch host {
        case "0.0.0.0": ListenAddress(host: "127.0.0.1", port: port)
        case "::": ListenAddress(host: "::1", port: port)
        default: self
        }
    }
}
