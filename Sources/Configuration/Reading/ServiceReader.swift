import LimiterCore

/// Reads services with their routes, upstreams and limits.
struct ServiceReader {
    let faults: Faults
    let limits: LimitReader

    struct Result {
        var service: Service
        var limits: LimitTable.ServiceLimits
    }

    /// What a request is routed by.
    private struct Address: Hashable {
        var host: String?
        var path: String
    }

    func read(_ file: Section, _ global: LimitScope) -> [Result] {
        let found = file.list("services", of: "services like {name: product, routes: ..., upstreams: ...}")
        let list = found ?? []
        if !file.has("services") || found?.isEmpty == true {
            faults.add(
                "there are no services; add at least one under `services`, with a name, routes and upstreams",
                file.place(of: "services") ?? .start)
        }
        var results: [Result] = []
        var names: [String: Int] = [:]
        var taken: [Address: Int] = [:]
        for element in list {
            guard let section = Section(element, "services", keys: ["name", "routes", "upstreams", "limits"], faults)
            else { continue }
            let name = readName(section)
            if let line = names[name] {
                faults.add(
                    "the service `\(name)` is there already, on line \(line); give one of them another name",
                    section.place(of: "name") ?? section.position)
            }
            names[name] = names[name] ?? section.position.line
            var scope = global.service(name)
            limits.read(section, into: &scope)
            let routes = readRoutes(section, name, scope, &taken)
            results.append(
                Result(
                    service: Service(name: name, routes: routes.map(\.route), upstreams: readUpstreams(section)),
                    limits: LimitTable.ServiceLimits(
                        name: name, scope: scope, routes: routes.map { ($0.route.name, $0.scope) })))
        }
        return results
    }

    private func readName(_ section: Section) -> String {
        let placeholder = "line-\(section.position.line)"
        guard section.has("name") else {
            faults.add("the service has no name; add one, like `name: product`", section.position)
            return placeholder
        }
        let name = section.read("name", "a name") { text throws(ConfigurationError) in
            try checkName(text, "a service's")
        }
        return name ?? placeholder
    }

    private func checkName(_ text: String, _ whose: String) throws(ConfigurationError) -> String {
        guard LimitDeclaration.isValidName(text) else {
            throw ConfigurationError("`\(text)` cannot be \(whose) name; use 1 to 64 of a-z, 0-9, _ and -")
        }
        return text
    }

    private func readRoutes(
        _ service: Section, _ serviceName: String, _ scope: LimitScope, _ taken: inout [Address: Int]
    ) -> [(route: Route, scope: LimitScope)] {
        let list = service.list("routes", of: "routes like {path: /product}")
        if !service.has("routes") || list?.isEmpty == true {
            faults.add(
                "the service `\(serviceName)` has no routes; add `routes: [{path: /\(serviceName)}]`",
                service.place(of: "routes") ?? service.position)
        }
        var routes: [(route: Route, scope: LimitScope)] = []
        var names: [String: Int] = [:]
        for element in list ?? [] {
            guard let section = Section(element, "routes", keys: ["path", "name", "host", "limits"], faults) else {
                continue
            }
            let path = section.read("path", "a path like /product") { text throws(ConfigurationError) in
                try RoutePath.check(text)
                return text
            }
            if !section.has("path") {
                faults.add("the route has no path; add one, like `path: /\(serviceName)`", section.position)
            }
            let host = section.read("host", "a host's name", checkHost)
            let name = section.read("name", "a name") { text throws(ConfigurationError) in
                try checkName(text, "a route's")
            }
            let line = section.position.line
            if let path {
                if let other = taken[Address(host: host, path: path)] {
                    faults.add(
                        "the path `\(path)`\(host.map { " of the host `\($0)`" } ?? "") has a route already, on line \(other); a request takes one route",
                        section.place(of: "path") ?? section.position)
                } else if let other = names[name ?? path] {
                    let hint = name == nil ? "give this one a `name`" : "give one of them another"
                    faults.add(
                        "the service has a route named `\(name ?? path)` already, on line \(other); \(hint)",
                        section.place(of: "name") ?? section.position)
                }
                if host != nil || !section.has("host") { taken[Address(host: host, path: path)] = line }
                names[name ?? path] = line
            }
            let route = Route(name: name ?? path ?? "line-\(line)", path: path ?? "/", host: host)
            var routeScope = scope.route(route.name)
            limits.read(section, into: &routeScope)
            routes.append((route, routeScope))
        }
        return routes
    }

    /// As requests' hosts are compared: lowercase, no port, IPv6 in brackets.
    private func checkHost(_ text: String) throws(ConfigurationError) -> String {
        guard !text.contains("*") else {
            throw ConfigurationError("the host `\(text)` has a wildcard, and hosts are compared whole; list each host")
        }
        let address: HostPort
        do {
            address = try HostPort(parsing: text, ports: 0...65_535)
        } catch {
            throw ConfigurationError("\(error.message); write the host like api.example.com")
        }
        guard address.port == nil else {
            throw ConfigurationError("the host `\(text)` has a port, which routes do not look at; leave it out")
        }
        return text.lowercased()
    }

    private func readUpstreams(_ service: Section) -> [Upstream] {
        let list = service.list("upstreams", of: "URLs like http://127.0.0.1:9001")
        if !service.has("upstreams") || list?.isEmpty == true {
            faults.add(
                "the service has no upstreams; add `upstreams: [http://127.0.0.1:9001]`",
                service.place(of: "upstreams") ?? service.position)
        }
        var upstreams: [Upstream] = []
        for element in list ?? [] {
            guard case .scalar(let text, _) = element.content else {
                faults.add(
                    "an upstream should be a URL like http://127.0.0.1:9001, but is \(element.kind)", element.position)
                continue
            }
            let upstream = faults.at(element.position) { () throws(ConfigurationError) in try Upstream(parsing: text) }
            guard let upstream else { continue }
            if upstreams.contains(upstream) {
                faults.add("the upstream \(upstream) is listed twice; once is enough", element.position)
            } else {
                upstreams.append(upstream)
            }
        }
        return upstreams
    }
}
