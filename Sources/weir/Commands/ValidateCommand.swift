import ArgumentParser
import LimiterCore
import RedisStore
import WeirConfiguration

struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Check a configuration file: every fault at once, with its line.")

    @OptionGroup var file: ConfigurationOptions

    func run() throws {
        let configuration = try file.load()
        _ = try RedisAccess.make(configuration)
        let services = Self.count(configuration.services.count, "service")
        let routes = Self.count(configuration.services.map(\.routes.count).reduce(0, +), "route")
        let limits = Self.count(configuration.limits.labels.count, "limit")
        let store = configuration.store.map { "counters in \($0.redis)" } ?? "counters in this process's memory"
        let plans = configuration.limits.plans.plans.count
        let parts = [services, routes, limits] + (plans > 0 ? [Self.count(plans, "plan")] : []) + [store]
        Terminal.print("\(file.config): valid: \(parts.joined(separator: ", "))")
    }

    private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
