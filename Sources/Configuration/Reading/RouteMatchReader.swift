/// Reads which requests a route takes.
struct RouteMatchReader {
    let faults: Faults

    static let keys = ["path", "exact", "pattern", "host", "methods", "headers", "query", "priority"]

    private static let paths = ["path", "exact", "pattern"]
    private static let maximumConditions = 16

    /// nil, and a fault, where the path is missing or wrong.
    func readMatch(_ route: Section, _ serviceName: String) -> Route.Match? {
        let given = Self.paths.filter { route.has($0) }
        guard given.count <= 1 else {
            let keys = given.map { "`\($0)`" }.joined(separator: " and ")
            faults.add("the route has \(keys); a route has one of them", route.place(of: given[1]) ?? route.position)
            return nil
        }
        switch given.first {
        case "path"?:
            return route.read("path", "a path like /product") { text throws(ConfigurationError) in
                if text.contains("{") {
                    throw ConfigurationError("the path `\(text)` has a `{`; write `pattern: \(text)` for parameters")
                }
                try RoutePath.check(text)
                return .prefix(text)
            }
        case "exact"?:
            return route.read("exact", "a path like /product/health") { text throws(ConfigurationError) in
                try RoutePath.check(text, isWhole: true)
                return .exact(text)
            }
        case "pattern"?:
            return route.read("pattern", "a path like /users/{id}") { text throws(ConfigurationError) in
                .pattern(try RoutePattern(parsing: text))
            }
        default:
            faults.add("the route has no path; add one, like `path: /\(serviceName)`", route.position)
            return nil
        }
    }

    /// As requests' hosts are compared: lowercase, no port, IPv6 in brackets; `*.` for one or more labels.
    func readHost(_ text: String) throws(ConfigurationError) -> String {
        let isWildcard = text.hasPrefix("*.")
        let name = isWildcard ? String(text.dropFirst(2)) : text
        guard !name.contains("*") else {
            throw ConfigurationError(
                "the host `\(text)` has a wildcard elsewhere than at its start; write it like *.example.com, or leave the host out for any"
            )
        }
        let address: HostPort
        do {
            address = try HostPort(parsing: name, ports: 0...65_535)
        } catch {
            throw ConfigurationError("\(error.message); write the host like api.example.com")
        }
        guard address.port == nil else {
            throw ConfigurationError("the host `\(text)` has a port, which routes do not look at; leave it out")
        }
        guard !isWildcard || !name.hasPrefix("[") && name.contains(where: \.isLetter) else {
            throw ConfigurationError("the host `\(text)` has a wildcard before an address; list the addresses")
        }
        return text.lowercased()
    }

    /// In their order in `knownMethods`, each once.
    func readMethods(_ route: Section) -> [String] {
        guard let words = route.words("methods", of: "methods like [GET, HEAD]") else { return [] }
        if words.isEmpty {
            faults.add("`methods` is empty; leave it out for all methods", route.place(of: "methods")!)
        }
        var methods: [String] = []
        for (text, position) in words {
            if !Route.knownMethods.contains(text) {
                faults.add(Self.refusal(ofMethod: text), position)
            } else if methods.contains(text) {
                faults.add("the method \(text) is listed twice; once is enough", position)
            } else {
                methods.append(text)
            }
        }
        return Route.knownMethods.filter { methods.contains($0) }
    }

    static func refusal(ofMethod text: String) -> String {
        let near = Spelling.nearest(text, in: Route.knownMethods.map { $0.lowercased() })?.uppercased()
        let hint = near.map { "did you mean \($0)?" } ?? "use methods like GET and POST, in capitals"
        return "`\(text)` is not a method that Weir forwards; \(hint)"
    }

    func readConditions(_ route: Section) -> [RouteCondition] {
        var conditions: [RouteCondition] = []
        for (name, place, value) in route.pairs("headers", of: "names and values, like {X-Version: \"2\"}") ?? [] {
            guard HeaderName.isValid(name) else {
                faults.add("`\(name)` cannot be a header's name; use letters, digits and hyphens", place)
                continue
            }
            guard !FieldTarget.isForOneHop(name), name.lowercased() != "host" else {
                faults.add(
                    "routes do not look at `\(name)`; a host stands in `host`, and what is for one hop nowhere", place)
                continue
            }
            if let test = readTest(name, value) {
                conditions.append(RouteCondition(.header(name.lowercased()), test))
            }
        }
        for (name, _, value) in route.pairs("query", of: "names and values, like {beta: \"1\"}") ?? [] {
            if let test = readTest(name, value) { conditions.append(RouteCondition(.query(name), test)) }
        }
        let names = conditions.map(\.source)
        if Set(names).count < names.count {
            faults.add("a header is named twice; names are compared without case", route.place(of: "headers")!)
        }
        if conditions.count > Self.maximumConditions {
            faults.add("the route has more than \(Self.maximumConditions) conditions", route.position)
        }
        return conditions
    }

    private func readTest(_ name: String, _ value: YAMLValue) -> RouteCondition.Test? {
        switch value.content {
        case .scalar("true", isPlain: true): return .isPresent
        case .scalar("false", isPlain: true): return .isAbsent
        case .scalar(let text, _): return .equals(text)
        case .nothing, .list, .mapping:
            faults.add(
                "`\(name)` should have a value, true (it is there) or false (it is not), but has \(value.kind)",
                value.position)
            return nil
        }
    }
}
