/// How requests say who they are.
package struct IdentitySettings: Equatable, Sendable {
    /// A header that a trusted proxy sets to the tenant; lowercase name.
    package var header: String? = nil
    package var apiKeys: APIKeys? = nil
    /// One an issuer.
    package var tokens: [TokenSettings] = []

    package struct APIKeys: Hashable, Sendable {
        /// Lowercase name.
        package var header: String
        /// By SHA-256 of the key (32 bytes).
        package var keys: [[UInt8]: APIKey]

        package init(header: String, keys: [[UInt8]: APIKey]) {
            self.header = header
            self.keys = keys
        }

        package init(header: String, tenants: [[UInt8]: String]) {
            self.init(header: header, keys: tenants.mapValues { APIKey(tenant: $0) })
        }
    }

    package struct APIKey: Hashable, Sendable {
        package var tenant: String
        /// What the log calls it.
        package var name: String? = nil
        /// From this moment on it is none any more, in seconds since 1970.
        package var expiresAt: Int64? = nil
        package var scopes: [String] = []

        package init(tenant: String) { self.tenant = tenant }
    }

    package init() {}

    /// Whether requests have no identity at all.
    package var isAnonymous: Bool { header == nil && apiKeys == nil && tokens.isEmpty }

    package var hasScopes: Bool {
        !tokens.isEmpty || apiKeys?.keys.values.contains { !$0.scopes.isEmpty } == true
    }
}
