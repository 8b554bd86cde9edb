/// Reads what is changed in requests and answers, for a service or a route.
struct TransformationReader {
    let faults: Faults
    let reserved: FieldTarget.Reserved
    /// Whether requests may have tokens, which claim something.
    let hasTokens: Bool

    static let keys = ["request", "response"]

    /// `parameters`: those of the route's pattern; nil: there is none.
    func read(_ owner: Section, parameters: [String]?) -> Transformation {
        var transformation = Transformation()
        if let request = owner.section("request", keys: ["headers", "query", "host"]) {
            transformation.request = readChanges(request, "headers", parameters) {
                name, isWritten throws(ConfigurationError) in
                try FieldTarget.check(name, in: .request, isWritten: isWritten, reserved)
            }
            transformation.query = readChanges(request, "query", parameters) { name, _ throws(ConfigurationError) in
                guard (1...256).contains(name.utf8.count), name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
                    throw ConfigurationError("`\(name)` cannot be a parameter's name; use 1 to 256 bytes of text")
                }
            }
            transformation.host = request.read("host", "preserve, upstream or a host's name", readHost)
        }
        if let response = owner.section("response", keys: ["headers"]) {
            transformation.response = readChanges(response, "headers", parameters) {
                name, isWritten throws(ConfigurationError) in
                try FieldTarget.check(name, in: .response, isWritten: isWritten, reserved)
            }
        }
        return transformation
    }

    private typealias Check = (_ name: String, _ isWritten: Bool) throws(ConfigurationError) -> Void

    private func readChanges(
        _ message: Section, _ key: String, _ parameters: [String]?, _ check: Check
    ) -> NamedChanges {
        var changes = NamedChanges()
        guard let section = message.section(key, keys: ["remove", "rename", "set", "add"]) else { return changes }
        for (name, position) in section.words("remove", of: "names") ?? [] {
            if isGood(name, false, position, check) { changes.remove.append(name) }
        }
        for (name, place, value) in section.pairs("rename", of: "names to names") ?? [] {
            guard case .scalar(let new, _) = value.content else {
                faults.add("the new name of `\(name)` should be a word, but is \(value.kind)", value.position)
                continue
            }
            if isGood(name, false, place, check), isGood(new, true, value.position, check) {
                changes.rename.append(Rename(from: name, to: new))
            }
        }
        changes.set = readTemplates(section, "set", parameters, check)
        changes.add = readTemplates(section, "add", parameters, check)
        return changes
    }

    private func isGood(_ name: String, _ isWritten: Bool, _ position: Position, _ check: Check) -> Bool {
        faults.at(position) { () throws(ConfigurationError) in try check(name, isWritten) } != nil
    }

    private func readTemplates(
        _ section: Section, _ key: String, _ parameters: [String]?, _ check: Check
    ) -> [NamedTemplate] {
        (section.pairs(key, of: "names and texts") ?? []).compactMap { name, place, value in
            guard isGood(name, true, place, check) else { return nil }
            return readTemplate(value, "the value of `\(name)`", parameters).map {
                NamedTemplate(name: name, value: $0)
            }
        }
    }

    func readTemplate(_ value: YAMLValue, _ what: String, _ parameters: [String]?) -> Template? {
        guard case .scalar(let text, _) = value.content else {
            faults.add("\(what) should be a text, but is \(value.kind)", value.position)
            return nil
        }
        return faults.at(value.position) { () throws(ConfigurationError) in
            try checked(Template(parsing: text, parameters: parameters))
        }
    }

    /// The template, in which no credential is a variable, nor a claim where nothing is claimed.
    func checked(_ template: Template) throws(ConfigurationError) -> Template {
        for case .header(let name) in template.variables
        where reserved.credentials.contains(FieldTarget.normalized(name)) {
            throw ConfigurationError("`${header:\(name)}` says who asks, and goes no further than here; use ${tenant}")
        }
        if !hasTokens, template.variables.contains(where: { if case .claim = $0 { true } else { false } }) {
            throw ConfigurationError("a claim is what a token says, and there are none without `identity.jwt`; add it")
        }
        return template
    }

    /// Fields of an answer of Weir's own.
    func readFields(_ section: Section, _ key: String, _ parameters: [String]?) -> [NamedTemplate] {
        readTemplates(section, key, parameters) { name, isWritten throws(ConfigurationError) in
            try FieldTarget.check(name, in: .response, isWritten: isWritten, reserved)
            guard name.lowercased() != "content-type" else {
                throw ConfigurationError("`\(name)` stands in `content_type`; move it there")
            }
        }
    }

    private func readHost(_ text: String) throws(ConfigurationError) -> Transformation.Host {
        switch text {
        case "preserve": return .preserve
        case "upstream": return .upstream
        default:
            do {
                let address = try HostPort(parsing: text, ports: 1...65_535)
                let host = address.host.contains(":") ? "[\(address.host)]" : address.host
                return .name(address.port.map { "\(host):\($0)" } ?? host)
            } catch {
                throw ConfigurationError("\(error.message); write preserve, upstream or a name like api.example.com")
            }
        }
    }
}
