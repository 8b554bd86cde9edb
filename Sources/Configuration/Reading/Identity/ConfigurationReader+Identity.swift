extension ConfigurationReader {
    /// `assignments` takes which plan tenants have.
    func readIdentity(
        _ file: Section, hasTrustedProxies: Bool, _ assignments: inout PlanAssignments
    ) -> IdentitySettings {
        var settings = IdentitySettings()
        guard let section = file.section("identity", keys: ["header", "api_keys", "jwt", "default_plan"]) else {
            return settings
        }
        settings.header = readHeader("header", section, isFromProxies: true)
        if settings.header != nil, !hasTrustedProxies, let place = section.place(of: "header") {
            faults.add(
                "`identity.header` is believed from trusted proxies only, and there are none; name them in `gateway.trusted_proxies`",
                place)
        }
        if let keys = section.section("api_keys", keys: ["header", "keys", "file"]) {
            settings.apiKeys = readAPIKeys(keys, &assignments)
            if let name = settings.apiKeys?.header,
                FieldTarget.normalized(name) == settings.header.map(FieldTarget.normalized)
            {
                faults.add(
                    "`identity.header` and `identity.api_keys.header` are both `\(name)`; they must differ",
                    keys.place(of: "header") ?? keys.position)
            }
        }
        settings.tokens = TokenReader(faults: faults, reader: self, taken: settings).read(section)
        if let (plan, position) = section.text("default_plan", "a plan's name") {
            assignments.assignToOthers(plan, at: position, faults)
            if settings.isAnonymous {
                faults.add(
                    "`identity.default_plan` is for tenants, and no request has one; add `identity.api_keys`, `identity.jwt` or `identity.header`",
                    position)
            }
        }
        return settings
    }

    /// The name, in lowercase, of a header that says who asks. `isFromProxies`: trusted proxies write it.
    func readHeader(_ key: String, _ section: Section, isFromProxies: Bool = false) -> String? {
        section.read(key, "a header's name") { text throws(ConfigurationError) in
            guard HeaderName.isValid(text) else {
                throw ConfigurationError("`\(text)` cannot be a header's name; use letters, digits and hyphens")
            }
            try FieldTarget.checkCredential(text, isFromProxies: isFromProxies)
            return text.lowercased()
        }
    }
}
