import LimiterCore

/// Reads routes of services with their limits.
struct RouteReader {
    let faults: Faults
    let limits: LimitReader
    let resilience: ResilienceReader
    /// The lines of the routes so far.
    private var taken: [Address: Int] = [:]

    init(faults: Faults, limits: LimitReader, resilience: ResilienceReader) {
        self.faults = faults
        self.limits = limits
        self.resilience = resilience
    }

    /// What a request is routed by.
    private struct Address: Hashable {
        var host: String?
        var path: String
    }

    /// A service's routes.
    mutating func read(
        _ service: Section, _ serviceName: String, _ scope: LimitScope
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
            let keys = ["path", "name", "host", "limits"] + ResilienceReader.keys
            guard let section = Section(element, "routes", keys: keys, faults) else { continue }
            let path = section.read("path", "a path like /product") { text throws(ConfigurationError) in
                try RoutePath.check(text)
                return text
            }
            if !section.has("path") {
                faults.add("the route has no path; add one, like `path: /\(serviceName)`", section.position)
            }
            let host = section.read("host", "a host's name", checkHost)
            let name = section.read("name", "a name") { text throws(ConfigurationError) in
                try ServiceName.check(text, "a route's")
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
            var route = Route(name: name ?? path ?? "line-\(line)", path: path ?? "/", host: host)
            route.resilience = resilience.read(section, of: serviceName)
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
}
