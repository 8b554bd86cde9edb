import ArgumentParser
import Foundation
import WeirConfiguration

/// Which running Weir a command asks.
struct ControlOptions: ParsableArguments {
    @OptionGroup var file: ConfigurationOptions

    @Option(help: ArgumentHelp("A control API; default: the configuration's.", valueName: "url"))
    var url: String?

    @Option(help: ArgumentHelp("The control API's token; default: the configuration's.", valueName: "token"))
    var token: String?

    @Flag(help: "Print the answer as JSON.")
    var json = false

    /// The configuration is needed only for what the command line does not say.
    func client() throws(CommandError) -> ControlClient {
        if let url, token != nil || !FileManager.default.fileExists(atPath: file.config) {
            return ControlClient(url: url, token: token)
        }
        return client(of: try file.load().control)
    }

    func client(of control: ControlSettings) -> ControlClient {
        ControlClient(url: url ?? "http://\(control.listen.reachable)", token: token ?? control.token)
    }

    /// Prints the answer as it is, or what `text` makes of it.
    func print<Answer: Decodable>(
        _ answer: String, of client: ControlClient, as text: (Answer) -> String
    ) throws(CommandError) {
        if json { return Terminal.print(answer.trimmingCharacters(in: .whitespacesAndNewlines)) }
        guard let value = try? JSONDecoder().decode(Answer.self, from: Data(answer.utf8)) else {
            throw CommandError(.failed, "\(client.url) answers, but not as Weir does; is it the control API?")
        }
        Terminal.print(text(value))
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
