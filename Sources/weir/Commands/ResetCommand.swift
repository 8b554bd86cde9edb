import ArgumentParser
import ControlAPI

struct ResetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Give a tenant its budget back, asking a running Weir.")

    @OptionGroup var control: ControlOptions

    @Argument(help: "The tenant.")
    var tenant: String

    @Option(help: "Only this limit's.")
    var limit: String?

    @Option(help: "Only that of limits of this service.")
    var service: String?

    func run() async throws {
        let client = try control.client()
        var body: [JSON.Member] = []
        if let limit { body.append(.init("limit", .string(limit))) }
        if let service { body.append(.init("service", .string(service))) }
        let answer = try await client.ask("/v1/tenants", [tenant, "reset"], .post(.object(body)))
        try control.print(answer, of: client) { (budget: Budget) in "given back: " + BudgetTable(budget).text }
    }
}
