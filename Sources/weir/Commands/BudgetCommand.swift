import ArgumentParser

struct BudgetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "budget", abstract: "Show what a tenant has left, asking a running Weir.")

    @OptionGroup var control: ControlOptions

    @Argument(help: "The tenant.")
    var tenant: String

    func run() async throws {
        let client = try control.client()
        let answer = try await client.ask("/v1/tenants", [tenant, "budget"])
        try control.print(answer, of: client) { (budget: Budget) in BudgetTable(budget).text }
    }
}
