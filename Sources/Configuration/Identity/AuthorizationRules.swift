package import LimiterCore

/// Whose requests a route takes, beside who they are.
package struct AuthorizationRules: Equatable, Sendable {
    /// All of them are needed.
    package var scopes: [String]? = nil
    /// Of each claim, one of the values.
    package var claims: [(name: String, values: [String])]? = nil
    package var methods: [String]? = nil
    package var clients: [AddressBlock]? = nil

    package init() {}

    package static func == (a: AuthorizationRules, b: AuthorizationRules) -> Bool {
        a.scopes == b.scopes && a.methods == b.methods && a.clients == b.clients
            && a.claims?.map(\.name) == b.claims?.map(\.name) && a.claims?.map(\.values) == b.claims?.map(\.values)
    }

    package var isEmpty: Bool { scopes == nil && claims == nil && methods == nil && clients == nil }

    /// These, and of the others what these do not say.
    package func over(_ others: AuthorizationRules) -> AuthorizationRules {
        var rules = self
        rules.scopes = scopes ?? others.scopes
        rules.claims = claims ?? others.claims
        rules.methods = methods ?? others.methods
        rules.clients = clients ?? others.clients
        return rules
    }
}
