/// Reads what a route does with its requests: forward them with another path, redirect them, or answer them.
struct RouteActionReader {
    let faults: Faults
    let templates: TransformationReader

    static let keys = ["strip_prefix", "add_prefix", "rewrite", "redirect", "respond"]

    func read(_ route: Section, _ match: Route.Match) -> RouteAction {
        let parameters = match.parameters
        checkTogether(route)
        if route.has("redirect") {
            return readRedirect(route, match, parameters).map { .redirect($0) } ?? .forward(nil)
        }
        if route.has("respond") { return readResponse(route, parameters).map { .respond($0) } ?? .forward(nil) }
        return .forward(readRewrite(route, match, parameters))
    }

    private func checkTogether(_ route: Section) {
        let answers = ["redirect", "respond"].filter { route.has($0) }
        if answers.count == 2 {
            faults.add("a route redirects or responds; remove `redirect` or `respond`", route.place(of: "respond")!)
        }
        if let answer = answers.first {
            for key in ["strip_prefix", "add_prefix", "rewrite", "request", "response"] {
                guard let place = route.place(of: key) else { continue }
                faults.add("`\(key)` changes what is forwarded, and with `\(answer)` nothing is; remove one", place)
            }
        }
        guard route.has("rewrite") else { return }
        for key in ["strip_prefix", "add_prefix"] {
            guard let place = route.place(of: key) else { continue }
            faults.add("`rewrite` gives the whole path, so `\(key)` has no effect; remove one", place)
        }
    }

    // MARK: Rewriting

    private func readRewrite(_ route: Section, _ match: Route.Match, _ parameters: [String]?) -> PathRewrite? {
        if route.has("rewrite") {
            let path = route.read("rewrite", "a path like /internal/${param:id}") { text throws(ConfigurationError) in
                let template = try templates.checked(Template(parsing: text, parameters: parameters))
                // With any values in place of the variables it must be a path that requests can have.
                try RoutePath.check(template.example(other: "x"), isWhole: true)
                return template
            }
            return path.map { PathRewrite(path: $0, stripsPrefix: false) }
        }
        let strips = route.bool("strip_prefix") ?? false
        if strips, !match.isPrefix {
            faults.add(
                "`strip_prefix` belongs to a route with a `path`; use `rewrite` here", route.place(of: "strip_prefix")!)
        }
        let prefix = route.read("add_prefix", "a path like /v2") { text throws(ConfigurationError) in
            try RoutePath.check(text)
            guard text != "/" else { throw ConfigurationError("`/` before a path changes nothing; remove it") }
            return text
        }
        guard strips || prefix != nil else { return nil }
        guard let prefix else {
            return PathRewrite(path: Template([.variable(.pathBelow(orRoot: true))]), stripsPrefix: true)
        }
        let rest = strips ? Template.Variable.pathBelow(orRoot: false) : .path
        return PathRewrite(path: Template([.text(prefix), .variable(rest)]), stripsPrefix: strips)
    }

    // MARK: Redirects

    private func readRedirect(_ route: Section, _ match: Route.Match, _ parameters: [String]?) -> Redirect? {
        guard let section = route.section("redirect", keys: ["to", "scheme", "host", "prefix", "status"]) else {
            return nil
        }
        let status = section.choice("status", [301, 302, 303, 307, 308].map { ("\($0)", $0) }) ?? 308
        if section.has("to") {
            for key in ["scheme", "host", "prefix"] {
                guard let place = section.place(of: key) else { continue }
                faults.add("`to` gives the whole location, so `\(key)` has no effect; remove one", place)
            }
            let to = section.read("to", "a location like https://new.example.com${path}") {
                text throws(ConfigurationError) in
                try templates.checked(RedirectLocation.parse(text, parameters: parameters))
            }
            return to.map { Redirect(status: status, location: $0, keepsQuery: !$0.hasQuery) }
        }
        guard ["scheme", "host", "prefix"].contains(where: { section.has($0) }) else {
            faults.add("the redirect goes nowhere; add `to: https://new.example.com${path}`", section.position)
            return nil
        }
        return readParts(section, match).map { Redirect(status: status, location: $0, keepsQuery: true) }
    }

    private func readParts(_ section: Section, _ match: Route.Match) -> Template? {
        let faultsBefore = faults.count
        let scheme = section.choice("scheme", [("https", "https"), ("http", "http")]) ?? "https"
        let host = section.read("host", "a host like new.example.com") { text throws(ConfigurationError) in
            try RedirectLocation.checkHost(text)
            return text
        }
        let prefix = section.read("prefix", "a path like /new") { text throws(ConfigurationError) in
            try RoutePath.check(text)
            return text
        }
        if prefix != nil, !match.isPrefix {
            faults.add("`prefix` belongs to a route with a `path`; use `to` here", section.place(of: "prefix")!)
        }
        guard faults.count == faultsBefore else { return nil }
        var pieces: [Template.Piece] = []
        if section.has("scheme") || host != nil {
            pieces = [.text("\(scheme)://" + (host ?? ""))]
            if host == nil { pieces.append(.variable(.host)) }
        }
        switch prefix {
        case nil: pieces.append(.variable(.path))
        case "/": pieces.append(.variable(.pathBelow(orRoot: true)))
        case let prefix?: pieces += [.text(prefix), .variable(.pathBelow(orRoot: false))]
        }
        return Template(pieces)
    }

    // MARK: Fixed responses

    private func readResponse(_ route: Section, _ parameters: [String]?) -> FixedResponse? {
        let keys = ["status", "body", "content_type", "headers"]
        guard let section = route.section("respond", keys: keys) else { return nil }
        let status = section.integer("status", in: 200...599) as Int? ?? 200
        if status == 304 {
            faults.add(
                "304 says that a client's copy is good, which nobody can know here; use another status",
                section.place(of: "status")!)
        }
        let body = section.read("body", "a text") { text throws(ConfigurationError) in
            guard text.utf8.count <= FixedResponse.maximumBodyBytes else {
                throw ConfigurationError("the body is longer than \(FixedResponse.maximumBodyBytes >> 10) KiB")
            }
            return text
        }
        if status == 204 || status == 205, let place = section.place(of: "body") {
            faults.add("an answer \(status) has no body; remove it, or use status 200", place)
        }
        let type = section.read("content_type", "a media type like text/plain") { text throws(ConfigurationError) in
            guard text.contains("/"), text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }), text.utf8.count <= 256
            else {
                throw ConfigurationError("`\(text)` is not a media type like text/plain")
            }
            return text
        }
        var response = FixedResponse(
            status: status, contentType: type ?? (body == nil ? nil : "text/plain; charset=utf-8"), body: body ?? "")
        response.headers = templates.readFields(section, "headers", parameters)
        return response
    }
}
