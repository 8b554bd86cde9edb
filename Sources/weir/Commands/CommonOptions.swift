import ArgumentParser
import Foundation
import WeirConfiguration

struct ConfigurationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The configuration file.", valueName: "file"))
    var config = "weir.yaml"

    /// Throws all faults of the file at once.
    func load(after previous: Configuration? = nil) throws(CommandError) -> Configuration {
        try Self.load(config, after: previous)
    }

    static func load(_ path: String, after previous: Configuration? = nil) throws(CommandError) -> Configuration {
        do {
            return try Configuration.load(path: path, after: previous)
        } catch {
            throw CommandError(.usage, "the configuration cannot be used:\n\(error)")
        }
    }
}

/// What the command line may say instead of the configuration.
struct ListenOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The gateway's port; 0 takes a free one.", valueName: "port"))
    var gatewayPort: Int?

    @Option(help: ArgumentHelp("The control API's port; 0 takes a free one.", valueName: "port"))
    var controlPort: Int?

    @Option(
        help: ArgumentHelp(
            "Keep counters in this Redis, like redis://127.0.0.1:6379; redis+sentinel:// and redis+cluster:// too.",
            valueName: "url"))
    var redis: String?

    @Option(help: ArgumentHelp("Least level that is logged; default: the configuration's.", valueName: "level"))
    var logLevel: LoggingSettings.Level?

    func validate() throws {
        for (name, port) in [("--gateway-port", gatewayPort), ("--control-port", controlPort)] {
            if let port, !(0...65_535).contains(port) {
                throw ValidationError("\(name) must be between 0 and 65535, not \(port).")
            }
        }
    }

    func apply(to configuration: inout Configuration) throws(CommandError) {
        if let gatewayPort { configuration.gateway.listen.port = gatewayPort }
        if let controlPort { configuration.control.listen.port = controlPort }
        guard let redis else { return }
        do throws(ConfigurationError) {
            let address = try RedisAddress(parsing: redis)
            configuration.store = configuration.store ?? StoreSettings(redis: address)
            configuration.store?.redis = address
            if let refusal = Configuration.refusal(of: configuration.limits, in: address) {
                throw ConfigurationError(refusal)
            }
        } catch {
            throw CommandError(.usage, "--redis: \(error)")
        }
    }

    /// Logs to standard error.
    func makeLog(_ settings: LoggingSettings) -> ProcessLog { ProcessLog(settings, level: logLevel?.loggerLevel) }
}

extension LoggingSettings.Level: ExpressibleByArgument {}
