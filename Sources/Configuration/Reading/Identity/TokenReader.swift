import LimiterCore
import Tokens

/// Reads `identity.jwt`: one mapping, or a list of them, an issuer each.
struct TokenReader {
    let faults: Faults
    let reader: ConfigurationReader
    /// What else says who calls.
    let taken: IdentitySettings

    private static let keys = [
        "issuer", "audience", "jwks_file", "jwks_url", "secret", "secret_file", "algorithms", "leeway", "types",
        "tenant_claim", "plan_claim", "header", "forward", "headers",
    ]

    func read(_ identity: Section) -> [TokenSettings] {
        guard let value = identity.value("jwt") else { return [] }
        var elements = [value]
        if case .list(let list) = value.content {
            elements = list
            if list.isEmpty {
                faults.add("`identity.jwt` is an empty list; name an issuer, or remove the key", value.position)
            }
        }
        var all: [TokenSettings] = []
        var sections: [Section] = []
        var lines: [String: Int] = [:]
        for element in elements {
            guard let section = Section(element, "identity.jwt", keys: Self.keys, faults) else { continue }
            guard let settings = readIssuer(section) else { continue }
            let issuer = String(decoding: settings.policy.issuer, as: UTF8.self)
            if let line = lines[issuer] {
                faults.add(
                    "the issuer `\(issuer)` is there already, on line \(line); an issuer has one entry",
                    section.place(of: "issuer") ?? section.position)
                continue
            }
            lines[issuer] = section.position.line
            all.append(settings)
            sections.append(section)
        }
        let headers = Set(all.map { FieldTarget.normalized($0.header) })
        for (settings, section) in zip(all, sections) {
            for field in settings.fields where headers.contains(field.name.lowercased()) {
                addTaken(field.name, section.place(of: "headers") ?? section.position)
            }
        }
        return all
    }

    private func addTaken(_ name: String, _ place: Position) {
        faults.add("the header `\(name)` has a meaning of its own; choose another name", place)
    }

    private func readIssuer(_ section: Section) -> TokenSettings? {
        for key in ["issuer", "audience"] where !section.has(key) {
            faults.add(
                "`identity.jwt` has no `\(key)`; name it, like `\(key): \(key == "issuer" ? "https://issuer.example" : "weir")`",
                section.position)
        }
        let issuer = section.read("issuer", "the issuer's name", Self.checkText)
        let audiences = readTexts("audience", section)
        let keys = readKeys(section)
        let algorithms = readAlgorithms(section, keys)
        let policy = TokenPolicy(
            issuer: issuer ?? "", audiences: audiences ?? [], algorithms: algorithms,
            leeway: section.duration("leeway", in: .zero...Duration.seconds(60)) ?? .seconds(30),
            types: section.has("types") ? readTexts("types", section) ?? [] : nil,
            tenantClaim: section.read("tenant_claim", "a claim's name", Self.checkText) ?? "tenant")
        guard issuer != nil, audiences != nil, let keys else { return nil }
        var settings = TokenSettings(policy: policy, keys: keys)
        settings.planClaim = section.read("plan_claim", "a claim's name", Self.checkText)
        settings.header = readHeader(section)
        settings.isForwarded = section.bool("forward") ?? true
        settings.fields = readFields(section, settings.header)
        return settings
    }

    static func checkText(_ text: String) throws(ConfigurationError) -> String {
        guard (1...1024).contains(text.utf8.count), text.utf8.allSatisfy({ $0 > 0x1f && $0 != 0x7f }) else {
            throw ConfigurationError("the text should have 1 to 1024 bytes and no control characters")
        }
        return text
    }

    /// A text, or a list of them.
    private func readTexts(_ key: String, _ section: Section) -> [String]? {
        guard let value = section.value(key) else { return nil }
        var elements = [value]
        if case .list(let list) = value.content { elements = list }
        let texts = elements.compactMap { element -> String? in
            guard case .scalar(let text, _) = element.content else {
                faults.add(
                    "`\(section.title(key))` should be a text or a list of them, but has \(element.kind)",
                    element.position)
                return nil
            }
            return faults.at(element.position) { () throws(ConfigurationError) in try Self.checkText(text) }
        }
        if elements.isEmpty { faults.add("`\(section.title(key))` is an empty list", value.position) }
        return texts.isEmpty ? nil : texts
    }

    // MARK: Keys

    private func readKeys(_ section: Section) -> TokenSettings.Keys? {
        let sources = ["jwks_file", "jwks_url", "secret", "secret_file"].filter(section.has)
        guard sources.count == 1 else {
            let found = sources.isEmpty ? "no keys" : "several sources of keys"
            faults.add(
                "`identity.jwt` has \(found); name one of `jwks_file`, `jwks_url`, `secret` and `secret_file`",
                sources.dropFirst().first.flatMap(section.place(of:)) ?? section.position)
            return nil
        }
        switch sources[0] {
        case "jwks_file": return readKeyFile(section)
        case "jwks_url": return section.read("jwks_url", "an https URL", KeyAddress.check).map { .url($0) }
        default:
            let hint = "; make one with `openssl rand -hex 32`"
            guard let secret = reader.readSecret("secret", "secret_file", section, hint: hint) else { return nil }
            guard let keys = KeySet(secret: Array(secret.utf8)) else {
                faults.add(
                    "the secret has \(secret.utf8.count) bytes, and HS256 needs at least 32\(hint)",
                    section.place(of: sources[0]) ?? section.position)
                return nil
            }
            return .known(keys)
        }
    }

    private func readKeyFile(_ section: Section) -> TokenSettings.Keys? {
        section.read("jwks_file", "a file's path") { path throws(ConfigurationError) in
            let text: String
            do throws(ConfigurationError) {
                text = try faults.read(path).text
            } catch {
                throw ConfigurationError("the key set `\(path)` cannot be used: \(error.message)")
            }
            do throws(KeySetError) {
                return .known(try KeySet.read(Array(text.utf8)))
            } catch {
                throw ConfigurationError("the key set `\(path)` cannot be used: \(error.message)")
            }
        }
    }

    // MARK: Algorithms

    /// Those named, each of which a key can use; or all that they can, but HS* for a secret alone.
    private func readAlgorithms(_ section: Section, _ keys: TokenSettings.Keys?) -> Set<SignatureAlgorithm> {
        var possible = Set(SignatureAlgorithm.allCases.filter { !$0.isSymmetric })
        if case .known(let set)? = keys { possible = set.algorithms }
        guard let list = section.list("algorithms", of: "algorithms like RS256") else { return possible }
        var algorithms: Set<SignatureAlgorithm> = []
        for element in list {
            let name = if case .scalar(let text, _) = element.content { text } else { "" }
            guard let algorithm = SignatureAlgorithm(rawValue: name) else {
                let known = SignatureAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
                faults.add("\(element.kind) is no algorithm that is known here; there are \(known)", element.position)
                continue
            }
            algorithms.insert(algorithm)
            guard keys != nil, !possible.contains(algorithm) else { continue }
            if let least = algorithm.leastSecretBytes {
                faults.add(
                    possible.contains { $0.isSymmetric }
                        ? "\(name) needs a secret of at least \(least) bytes"
                        : "\(name) is checked with a `secret`, never with a key that everybody may know; remove it",
                    element.position)
            } else {
                faults.add("none of the keys can be used with \(name); remove it, or add a key", element.position)
            }
        }
        if list.isEmpty {
            faults.add(
                "`\(section.title("algorithms"))` is an empty list; name some, or leave it out",
                section.place(of: "algorithms") ?? section.position)
        }
        return algorithms
    }

    // MARK: Fields

    private func readHeader(_ section: Section) -> String {
        guard let header = reader.readHeader("header", section) else { return conflictFree("authorization", section) }
        return conflictFree(header, section)
    }

    private func conflictFree(_ header: String, _ section: Section) -> String {
        let others = [("identity.header", taken.header), ("identity.api_keys.header", taken.apiKeys?.header)]
        for (title, other) in others where other.map(FieldTarget.normalized) == FieldTarget.normalized(header) {
            faults.add(
                "`\(title)` and the tokens' `header` are both `\(header)`; they must differ",
                section.place(of: "header") ?? section.position)
        }
        return header
    }

    private static let reserved: Set<String> = [
        "host", "connection", "content-length", "transfer-encoding", "keep-alive", "proxy-connection", "te", "trailer",
        "upgrade", "expect", "x-weir-tenant", "x-request-id", "forwarded", "x-real-ip", "proxy-authenticate",
        "proxy-authorization", "http2-settings", "via",
    ]

    private func readFields(_ section: Section, _ header: String) -> [TokenSettings.Field] {
        guard let value = section.value("headers") else { return [] }
        guard case .mapping(let pairs) = value.content else {
            faults.add(
                "`identity.jwt.headers` should be a mapping like {X-User-Id: sub}, but is \(value.kind)", value.position
            )
            return []
        }
        var fields: [TokenSettings.Field] = []
        for (key, value) in pairs {
            guard case .scalar(let name, _) = key.content, HeaderName.isValid(name), !name.contains("_") else {
                if case .scalar(let name, _) = key.content, RenamedKeys.isMark(name) { continue }
                faults.add(
                    "\(key.kind) cannot be a header's name here; use letters, digits and hyphens", key.position)
                continue
            }
            let lowercase = name.lowercased()
            let used = [header, taken.header, taken.apiKeys?.header].compactMap { $0.map(FieldTarget.normalized) }
            guard !Self.reserved.contains(lowercase), !lowercase.hasPrefix("x-forwarded-"), !used.contains(lowercase)
            else {
                addTaken(name, key.position)
                continue
            }
            guard !fields.contains(where: { $0.name.lowercased() == lowercase }) else {
                faults.add("the header `\(name)` is listed twice; once is enough", key.position)
                continue
            }
            guard case .scalar(let claim, _) = value.content else {
                faults.add("the claim of `\(name)` should be a claim's name, but is \(value.kind)", value.position)
                continue
            }
            if let claim = faults.at(
                value.position, { () throws(ConfigurationError) in try Self.checkText(claim) })
            {
                fields.append(TokenSettings.Field(name: name, claim: claim))
            }
        }
        return fields
    }
}
