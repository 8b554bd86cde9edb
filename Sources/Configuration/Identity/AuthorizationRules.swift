package import LimiterCore

/// Whose requests a route takes, beside who they are.
package struct AuthorizationRules: Hashable, Sendable {
    /// All of them are needed.
    package var scopes: [String]? = nil
    /// Of each claim, one of the values.
    package var claims: [Claim]? = nil
    package var methods: [String]? = nil
    package var clients: [AddressBlock]? = nil

    package struct Claim: Hashable, Sendable {
        package var name: String
        package var values: [String]
    }

    package init() {}

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
