extension ConfigurationReader {
    func readAPIKeys(
        _ section: Section, _ assignments: inout PlanAssignments
    ) -> IdentitySettings.APIKeys {
        var keys = APIKeyList()
        for element in section.list("keys", of: "keys like {tenant: acme, sha256: ...}") ?? [] {
            keys.add(element, &assignments, faults)
        }
        if let (path, position) = section.text("file", "a file's path") {
            readKeyFile(path, position, into: &keys, &assignments)
        }
        if !section.has("keys"), !section.has("file") {
            faults.add(
                "`identity.api_keys` has no keys; add a list of `keys`, or name a `file` that has it", section.position)
        }
        return IdentitySettings.APIKeys(header: readHeader("header", section) ?? "x-api-key", keys: keys.keys)
    }

    /// The file is a list of the same shape as `keys`; its faults carry its own name and lines.
    private func readKeyFile(
        _ path: String, _ position: Position, into keys: inout APIKeyList, _ assignments: inout PlanAssignments
    ) {
        let (text, resolved): (String, String)
        do {
            (text, resolved) = try faults.read(path)
        } catch {
            faults.add("the key file `\(path)` cannot be used: \(error.message)", position)
            return
        }
        let ownFaults = Faults(file: resolved)
        if let root = YAMLDocument.parse(text, ownFaults) {
            if case .list(let list) = root.content {
                for element in list { keys.add(element, &assignments, ownFaults) }
            } else {
                ownFaults.add(
                    "the file should be a list of keys like `- {tenant: acme, sha256: ...}`, but is \(root.kind)",
                    root.position)
            }
        }
        faults.add(ownFaults.errors)
    }
}

/// API keys as they are read from one or two files.
private struct APIKeyList {
    private(set) var keys: [[UInt8]: IdentitySettings.APIKey] = [:]
    private var places: [[UInt8]: String] = [:]
    private static let known = ["tenant", "sha256", "plan", "name", "expires_at", "scopes"]
    /// SHA-256 of no bytes at all.
    private static let ofNothing = digest("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")

    mutating func add(_ element: YAMLValue, _ assignments: inout PlanAssignments, _ faults: Faults) {
        guard let section = Section(element, "api_keys.keys", keys: Self.known, faults) else { return }
        for key in ["tenant", "sha256"] where !section.has(key) {
            faults.add(
                "an API key has no `\(key)`; write {tenant: acme, sha256: <64 hexadecimal digits>}", section.position)
        }
        let tenant = section.read("tenant", "a tenant's id", PlanAssignments.checkTenant)
        if let tenant, let (plan, position) = section.text("plan", "a plan's name") {
            assignments.assign(plan, to: tenant, at: position, faults)
        }
        // The digits are not repeated: someone may have written the key itself.
        let sha256 = section.read("sha256", "64 hexadecimal digits") { text throws(ConfigurationError) in
            guard let sha256 = Self.digest(text) else {
                throw ConfigurationError(
                    "`sha256` should be 64 hexadecimal digits, but has \(text.count) characters; make it with `printf %s KEY | sha256sum`"
                )
            }
            guard sha256 != Self.ofNothing else {
                throw ConfigurationError("`sha256` is that of an empty key; make it with `printf %s KEY | sha256sum`")
            }
            return sha256
        }
        guard let tenant, let sha256 else { return }
        var key = IdentitySettings.APIKey(tenant: tenant)
        key.name = section.read("name", "a name for the log", Self.checkName)
        key.expiresAt = section.read("expires_at", "a time like 2027-01-31T12:00:00Z", MomentText.parse)
        key.scopes = ScopeNames.read("scopes", section) ?? []
        if let other = keys[sha256], other.tenant != tenant {
            faults.add(
                "the same key belongs to `\(tenant)` here and to `\(other.tenant)` in \(places[sha256] ?? "another place"); a key has one tenant",
                section.position)
            return
        }
        if let other = keys[sha256], other != key {
            faults.add(
                "the same key is in \(places[sha256] ?? "another place") with another name, end or scopes; keep one of them",
                section.position)
            return
        }
        keys[sha256] = key
        places[sha256] = "\(faults.file):\(section.position.line)"
    }

    private static func checkName(_ text: String) throws(ConfigurationError) -> String {
        guard (1...64).contains(text.utf8.count), text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
            throw ConfigurationError("a key's name should have 1 to 64 printable ASCII characters")
        }
        return text
    }

    private static func digest(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: 64, by: 2) {
            guard let high = hexValue(digits[index]), let low = hexValue(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }
}
