package struct IdentitySettings: Hashable, Sendable {
    /// A header that a trusted proxy sets to the tenant; lowercase name.
    package var header: String? = nil
    package var apiKeys: APIKeys? = nil

    package struct APIKeys: Hashable, Sendable {
        /// Lowercase name.
        package var header: String
        /// SHA-256 of the key (32 bytes) to tenant.
        package var tenants: [[UInt8]: String]

        package init(header: String, tenants: [[UInt8]: String]) {
            self.header = header
            self.tenants = tenants
        }
    }

    package init() {}

    /// Whether requests have no identity at all.
    package var isAnonymous: Bool { header == nil && apiKeys == nil }
}
