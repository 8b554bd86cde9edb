package import Tokens

/// The tokens of one issuer.
package struct TokenSettings: Equatable, Sendable {
    package enum Keys: Equatable, Sendable {
        /// Known from the configuration and its files.
        case known(KeySet)
        /// Fetched from this address, again and again.
        case url(String)
    }

    package var policy: TokenPolicy
    package var keys: Keys
    /// The field that has it; lowercase name. In `authorization` it stands behind `Bearer`, in others alone.
    package var header: String
    /// Whether the upstream gets the token, too.
    package var isForwarded: Bool
    /// The claim that names a plan.
    package var planClaim: String?
    /// Fields that the upstream gets, each with the claim that it has the value of.
    package var fields: [Field]

    package struct Field: Hashable, Sendable {
        package var name: String
        package var claim: String
    }

    package init(policy: TokenPolicy, keys: Keys) {
        self.policy = policy
        self.keys = keys
        header = "authorization"
        isForwarded = true
        planClaim = nil
        fields = []
    }
}
