import HTTPWire
import LimiterCore
import Tokens
import WeirConfiguration

/// Whether who calls may do so on this route. What it refuses was charged to no limit.
enum Authorization {
    static func step(_ exchange: Exchange) -> Step {
        guard let place = exchange.place,
            let rules = exchange.edition.plan.services[place.service].routes[place.route].authorization,
            let refusal = rules.refusal(of: exchange)
        else { return .next }
        exchange.refusal = refusal
        return .respond(.forbidden)
    }
}

/// A route's rules, prepared, with what is said where one refuses: which it was, and not what would do.
final class AuthorizationPlan: Sendable {
    private let scopes: [[UInt8]]
    private let claims: [(name: [UInt8], values: [[UInt8]])]
    /// A bit each, by `Method.rawValue`.
    private let methods: UInt64
    /// Empty: all.
    private let clients: [AddressBlock]
    private let lacksScope: Problem.Text

    private static let wrongMethod = Problem.Text(.forbidden, detail: "This method is not allowed on this route.")
    private static let wrongClient = Problem.Text(
        .forbidden, detail: "Requests from this address are not allowed on this route.")
    private static let lacksClaim = Problem.Text(
        .forbidden, detail: "The caller's token lacks a claim that this route needs.")

    /// nil: there is nothing to ask.
    init?(_ rules: AuthorizationRules, hasTokens: Bool) {
        guard !rules.isEmpty else { return nil }
        scopes = (rules.scopes ?? []).map { Array($0.utf8) }
        claims = (rules.claims ?? []).map { (Array($0.name.utf8), $0.values.map { Array($0.utf8) }) }
        clients = rules.clients ?? []
        methods =
            rules.methods.map { names in
                Method.allCases.reduce(0) { $0 | (names.contains("\($1.name)") ? 1 << UInt64($1.rawValue) : 0) }
            } ?? .max
        let needed = (rules.scopes ?? []).joined(separator: " ")
        lacksScope = Problem.Text(
            .forbidden, detail: "The caller lacks a scope that this route needs.",
            fields: hasTokens
                ? "WWW-Authenticate: Bearer realm=\"weir\", error=\"insufficient_scope\", scope=\"\(needed)\"\r\n" : "")
    }

    /// nil: it may pass.
    func refusal(of exchange: Exchange) -> Problem.Text? {
        if methods >> UInt64(exchange.client.reader.head.method.rawValue) & 1 == 0 { return Self.wrongMethod }
        if !clients.isEmpty, !clients.contains(where: { $0.contains(exchange.clientAddress) }) {
            return Self.wrongClient
        }
        for scope in scopes
        where exchange.token?.claims.scopes.contains(scope) != true && exchange.apiKey?.scopes.contains(scope) != true {
            return lacksScope
        }
        for (name, values) in claims where exchange.token?.claims.has(name, oneOf: values) != true {
            return Self.lacksClaim
        }
        return nil
    }
}
