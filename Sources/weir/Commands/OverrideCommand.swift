import ArgumentParser
import ControlAPI

struct OverrideCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "override", abstract: "Change a tenant's limit at run time, asking a running Weir.",
        discussion: """
            It is in force on every replica within a second, and stays until it is removed or expires; without a Redis, until \
            that Weir ends. Without a limit, the tenant's overrides are listed.
            """)

    @OptionGroup var control: ControlOptions

    @Argument(help: "The tenant.")
    var tenant: String

    @Argument(help: "The limit's name.")
    var limit: String?

    @Option(help: ArgumentHelp("What the limit shall be, like 100/minute.", valueName: "rate"))
    var rate: String?

    @Option(help: ArgumentHelp("A token bucket's capacity; default: the rate's count.", valueName: "units"))
    var burst: Int64?

    @Option(help: "Only for requests to this service; default: wherever a limit of that name applies.")
    var service: String?

    @Option(help: ArgumentHelp("When it ends, like 2027-01-31T12:00:00Z, or seconds since 1970.", valueName: "time"))
    var expiresAt: String?

    @Option(help: ArgumentHelp("Why, for the audit record.", valueName: "text"))
    var reason: String?

    @Flag(help: "End it.")
    var remove = false

    func validate() throws {
        if limit == nil, remove || rate != nil {
            throw ValidationError(
                "Name the limit: weir override \(tenant) LIMIT \(remove ? "--remove" : "--rate RATE").")
        }
        if limit != nil, remove == (rate != nil) {
            throw ValidationError("Say either what the limit shall be, like --rate 100/minute, or --remove.")
        }
        if rate == nil, burst != nil || expiresAt != nil {
            throw ValidationError("--burst and --expires-at belong to --rate.")
        }
    }

    func run() async throws {
        let client = try control.client()
        guard let limit else {
            let answer = try await client.ask("/v1/tenants", [tenant, "overrides"])
            return try control.print(answer, of: client) { (list: OverrideList) in list.text }
        }
        let path = [tenant, "overrides", limit]
        if remove {
            let query = [("service", service), ("reason", reason)]
            let answer = try await client.ask("/v1/tenants", path, query: query, .delete)
            return try control.print(answer, of: client) { (answer: OverrideAnswer) in answer.text }
        }
        let members: [(String, JSON?)] = [
            ("rate", rate.map { .string($0) }), ("burst", burst.map { .integer($0) }),
            ("service", service.map { .string($0) }), ("expires_at", expiresAt.map { .string($0) }),
            ("reason", reason.map { .string($0) }),
        ]
        let body = JSON.object(members.compactMap { name, value in value.map { JSON.Member(name, $0) } })
        let answer = try await client.ask("/v1/tenants", path, .put(body))
        try control.print(answer, of: client) { (answer: OverrideAnswer) in answer.text }
    }
}

/// An override as the control API shows it.
struct OverrideValue: Decodable {
    let limit: String
    let service: String?
    let rate: String
    let burst: Int64?
    let expires_at: String?
    let set_at: String
    let reason: String?
    let client: String?
    let problem: String?

    /// `5/minute, burst 2`
    var value: String { rate + (burst.map { ", burst \($0)" } ?? "") }
}

/// The answer to a change.
struct OverrideAnswer: Decodable {
    let tenant: String
    let kept_in: String
    let override: OverrideValue?
    let replaces: OverrideValue?
    let removed: OverrideValue?

    var text: String {
        guard let changed = override ?? removed else { return "nothing was changed" }
        let place = changed.service.map { " for \($0)" } ?? ""
        guard override != nil else {
            return "\(changed.limit) of \(tenant)\(place): the override \(changed.value) is removed"
        }
        var text = "\(changed.limit) of \(tenant)\(place): \(changed.value)"
        if let replaces { text += ", instead of the override \(replaces.value)" }
        if let end = changed.expires_at { text += ", until \(end)" }
        if kept_in == "memory" { text += "\nkept in that process's memory: it ends with it" }
        return text
    }
}

/// A tenant's overrides.
struct OverrideList: Decodable {
    let tenant: String
    let overrides: [OverrideValue]

    var text: String {
        guard !overrides.isEmpty else { return "\(tenant) has no overrides" }
        var table = AlignedTable("LIMIT", "WHERE", "VALUE", "UNTIL", "SET", "WHY")
        for override in overrides {
            table.add(
                override.limit, override.service ?? "all", override.value, override.expires_at ?? "removed",
                override.set_at + (override.client.map { " from \($0)" } ?? ""),
                override.problem.map { "not in force: \($0)" } ?? override.reason ?? "-")
        }
        return "tenant \(tenant)\n\(table.text)"
    }
}
