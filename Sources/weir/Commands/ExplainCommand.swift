import ArgumentParser
import ControlAPI
import Foundation
import Gateway
import LimiterCore
import WeirConfiguration

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Show which limits would apply to a tenant's request, and why.",
        discussion: """
            The request is to a --service, or for a --path as a client would write it, with its query; without either, all services are shown. \
            A running Weir is asked where one answers, so that overrides count; otherwise the configuration alone says it.
            """)

    @OptionGroup var control: ControlOptions

    @Option(help: "Whose request it is.")
    var tenant: String

    @Option(help: "The service that it is for.")
    var service: String?

    @Option(help: "The service's route.")
    var route: String?

    @Option(help: "Its path; the configuration's routes say which service that is.")
    var path: String?

    @Option(help: "Its host, with --path.")
    var host: String?

    @Option(help: "Its method, for costs and routes that depend on that.")
    var method: String?

    @Option(help: "A field of it, like 'X-Version: 2', with --path; may be given more than once.")
    var header: [String] = []

    @Flag(help: "Ask nobody: by the configuration alone.")
    var offline = false

    func validate() throws {
        if path != nil, service != nil || route != nil {
            throw ValidationError("--path says which service and route it is; leave out --service and --route.")
        }
        if path == nil, host != nil { throw ValidationError("--host belongs to --path.") }
        if path == nil, !header.isEmpty { throw ValidationError("--header belongs to --path.") }
        if offline, control.url != nil { throw ValidationError("--offline asks nobody; leave out --url.") }
    }

    func run() async throws {
        let hasFile = FileManager.default.fileExists(atPath: control.file.config)
        let needsFile = control.url == nil || path != nil
        let configuration = needsFile || hasFile ? try control.file.load() : nil
        let place = try place(configuration)
        let client =
            configuration.map { control.client(of: $0.control) }
            ?? ControlClient(url: control.url ?? "", token: control.token)
        let report = try await report(configuration, client, place)
        if control.json {
            Terminal.print(report.json.text)
        } else {
            Terminal.print(
                Explanation(report.json, method: method?.uppercased() ?? "GET").text + "\n\n" + report.source)
        }
    }

    private func place(_ configuration: Configuration?) throws(CommandError) -> LimitReport.Place {
        guard let path else { return LimitReport.Place(service: service, route: route) }
        guard let services = configuration?.services else { throw CommandError(.usage, "--path needs --config") }
        let outcome = RouteTable(services).find(
            method: method?.uppercased() ?? "GET", host: host ?? "", path: path, fields: header)
        let what = "\(path)\(host.map { " of \($0)" } ?? "")"
        switch outcome {
        case .found(let place):
            return LimitReport.Place(
                service: services[place.service].name, route: services[place.service].routes[place.route].name)
        case .notAllowed(let methods):
            throw CommandError(
                .failed,
                "routes take \(what) for \(methods.names.joined(separator: ", ")) alone, so a gateway answers 405 and no limit is asked; see --method"
            )
        case .some(.none):
            throw CommandError(.failed, "no route takes \(what), so a gateway refuses it and no limit is asked")
        case nil:
            throw CommandError(.failed, "a gateway refuses \(what) before it looks for a route: it is not well-formed")
        }
    }

    private func report(
        _ configuration: Configuration?, _ client: ControlClient, _ place: LimitReport.Place
    ) async throws(CommandError) -> (json: JSON, source: String) {
        if !offline {
            do throws(CommandError) {
                let query = [("service", place.service), ("route", place.route)]
                let answer = try await client.ask("/v1/tenants", [tenant, "limits"], query: query)
                if let json = JSON(parsing: Data(answer.utf8)) {
                    return (json, "as \(client.url) has it, with its overrides")
                }
                throw CommandError(.failed, "\(client.url) answers, but not as Weir does; is it the control API?")
            } catch {
                guard control.url == nil, error.isUnreachable else { throw error }
            }
        }
        guard let configuration else { throw CommandError(.usage, "--offline needs --config") }
        do throws(ControlError) {
            let report = try LimitReport(of: tenant, LimitOverrides(of: configuration.limits), at: place)
            let why = offline ? "" : ", because nothing answers at \(client.url)"
            return (report.json, "by \(control.file.config) alone, without overrides\(why)")
        } catch {
            throw CommandError(.failed, error.message)
        }
    }
}

/// Which limits apply, for people.
struct Explanation {
    let text: String

    init(_ report: JSON, method: String) {
        let plan = Self.text(report["plan"]).map { "plan \($0)" } ?? "no plan"
        var table = AlignedTable("SERVICE", "ROUTE", "LIMIT", "PER", "ALGORITHM", "VALUE", "COST", "FROM", "INSTEAD OF")
        guard case .array(let rows)? = report["limits"] else {
            text = "tenant \(Self.text(report["tenant"]) ?? ""), \(plan)\nno limits apply"
            return
        }
        for row in rows {
            var replaced = "-"
            if case .array(let layers)? = row["replaces"], !layers.isEmpty {
                replaced = layers.map { "\(Self.value($0)) (\(Self.source($0)))" }.joined(separator: ", ")
            }
            let kinds = ["guard", "shadow", "count"].filter { row[$0] != nil }.map { $0 == "count" ? "failures" : $0 }
            table.add(
                Self.text(row["service"]) ?? "any", Self.text(row["route"]) ?? "any",
                ([Self.text(row["name"]) ?? ""] + kinds.map { "(\($0))" }).joined(separator: " "), Self.per(row["per"]),
                Self.text(row["algorithm"]) ?? "", Self.value(row), Self.cost(row["cost"], method), Self.source(row),
                replaced)
        }
        text =
            "tenant \(Self.text(report["tenant"]) ?? ""), \(plan)\n" + (rows.isEmpty ? "no limits apply" : table.text)
    }

    private static func text(_ value: JSON?) -> String? { if case .string(let text)? = value { text } else { nil } }

    private static func per(_ value: JSON?) -> String {
        if case .array(let list)? = value { return list.compactMap { text($0) }.joined(separator: "+") }
        return text(value) ?? ""
    }

    private static func value(_ layer: JSON) -> String {
        let rate = text(layer["rate"]) ?? ""
        if case .integer(let burst)? = layer["burst"] { return "\(rate), burst \(burst)" }
        return rate
    }

    private static func cost(_ value: JSON?, _ method: String) -> String {
        switch value {
        case .integer(let units)?: return "\(units)"
        case .object?:
            if let header = text(value?["header"]) { return "by \(header)" }
            if case .integer(let units)? = value?[method] ?? value?["other"] { return "\(units)" }
            return ""
        default: return ""
        }
    }

    private static func source(_ layer: JSON) -> String {
        let source = text(layer["source"]) ?? ""
        if let plan = text(layer["plan"]) { return "plan \(plan)" }
        return source + (text(layer["expires_at"]).map { " until \($0)" } ?? "")
    }
}
