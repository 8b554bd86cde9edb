import LimiterCore

/// Reads `authorize` and `authentication` of services and routes.
struct AuthorizationReader {
    let faults: Faults
    let facts: Facts

    /// What requests say of who they are.
    struct Facts {
        var hasIdentity: Bool
        var hasTokens: Bool
        var hasScopes: Bool

        init(_ identity: IdentitySettings) {
            hasIdentity = !identity.isAnonymous
            hasTokens = !identity.tokens.isEmpty
            hasScopes = identity.hasScopes
        }

        /// Of an identity with faults, all is taken for granted.
        static let everything = Facts(all: true)

        private init(all: Bool) { (hasIdentity, hasTokens, hasScopes) = (all, all, all) }
    }

    struct Result {
        var rules = AuthorizationRules()
        var isPublic = false
    }

    static let keys = ["authorize", "authentication"]

    /// `inherited`: what the service says, for a route.
    func read(_ owner: Section, inheriting inherited: Result = Result()) -> Result {
        var result = inherited
        if let isPublic = owner.choice("authentication", [("required", false), ("none", true)]) {
            result.isPublic = isPublic
            if !isPublic, !facts.hasIdentity, let place = owner.place(of: "authentication") {
                faults.add(
                    "`authentication: required` needs an `identity`; add `identity.api_keys`, `identity.jwt` or `identity.header`",
                    place)
            }
        }
        let own = readRules(owner, isPublic: result.isPublic)
        result.rules = own.over(inherited.rules)
        if result.isPublic {
            // What a service asks of who calls cannot be asked where nobody is asked who calls.
            (result.rules.scopes, result.rules.claims) = (nil, nil)
        }
        return result
    }

    private func readRules(_ owner: Section, isPublic: Bool) -> AuthorizationRules {
        var rules = AuthorizationRules()
        guard let section = owner.section("authorize", keys: ["scopes", "claims", "methods", "clients"]) else {
            return rules
        }
        rules.scopes = ScopeNames.read("scopes", section)
        rules.claims = readClaims(section)
        rules.methods = readMethods(section)
        rules.clients = readClients(section)
        for key in ["scopes", "claims"] {
            guard let place = section.place(of: key) else { continue }
            if isPublic {
                faults.add(
                    "`\(section.title(key))` looks at who calls, and `authentication: none` asks nobody; remove one of them",
                    place)
            } else if key == "claims" ? !facts.hasTokens : !facts.hasScopes {
                faults.add(
                    key == "claims"
                        ? "`\(section.title(key))` needs tokens; add `identity.jwt`"
                        : "`\(section.title(key))` needs tokens or API keys with scopes; add `identity.jwt`, or `scopes` to the keys",
                    place)
            }
        }
        return rules
    }

    private func readClaims(_ section: Section) -> [AuthorizationRules.Claim]? {
        guard let value = section.value("claims") else { return nil }
        guard case .mapping(let pairs) = value.content else {
            faults.add(
                "`\(section.title("claims"))` should be a mapping like {role: [admin, ops]}, but is \(value.kind)",
                value.position)
            return nil
        }
        return pairs.compactMap { key, value in
            guard case .scalar(let name, _) = key.content else {
                faults.add("a claim's name should be a word, but is \(key.kind)", key.position)
                return nil
            }
            var elements = [value]
            if case .list(let list) = value.content { elements = list }
            let values = elements.compactMap { element -> String? in
                guard case .scalar(let text, _) = element.content else {
                    faults.add(
                        "a value of the claim `\(name)` should be a text, but is \(element.kind)", element.position)
                    return nil
                }
                return text
            }
            if elements.isEmpty {
                faults.add("the claim `\(name)` may have no value at all; list some", value.position)
            }
            return AuthorizationRules.Claim(name: name, values: values)
        }
    }

    private func readMethods(_ section: Section) -> [String]? {
        guard let list = section.list("methods", of: "methods like GET") else { return nil }
        if list.isEmpty { addEmpty("methods", section) }
        return list.compactMap { element in
            guard case .scalar(let text, _) = element.content else {
                faults.add("\(element.kind) is not a method in capitals, like GET", element.position)
                return nil
            }
            guard Route.knownMethods.contains(text) else {
                faults.add(RouteMatchReader.refusal(ofMethod: text), element.position)
                return nil
            }
            return text
        }
    }

    private func readClients(_ section: Section) -> [AddressBlock]? {
        guard let list = section.list("clients", of: "addresses like 10.0.0.0/8") else { return nil }
        if list.isEmpty { addEmpty("clients", section) }
        return list.compactMap { element in
            guard case .scalar(let text, _) = element.content, let block = AddressBlock(parsing: text) else {
                faults.add(
                    "\(element.kind) in `\(section.title("clients"))` is not an address or a block of them; write them like 10.0.0.0/8 or 2001:db8::/32",
                    element.position)
                return nil
            }
            return block
        }
    }

    private func addEmpty(_ key: String, _ section: Section) {
        faults.add(
            "`\(section.title(key))` is an empty list, which refuses every request; name some, or leave it out",
            section.place(of: key) ?? section.position)
    }
}
