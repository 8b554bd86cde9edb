import LimiterCore

/// Reads services with their routes, upstreams and limits.
struct ServiceReader {
    let faults: Faults
    let limits: LimitReader

    struct Result {
        var service: Service
        var limits: LimitTable.ServiceLimits
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
        var routeReader = RouteReader(faults: faults, limits: limits)
        let upstreamReader = UpstreamReader(faults: faults)
        let balancingReader = BalancingReader(faults: faults)
        for element in list {
            guard
                let section = Section(
                    element, "services", keys: ["name", "routes", "upstreams", "limits"] + BalancingReader.keys, faults)
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
            let routes = routeReader.read(section, name, scope)
            var service = Service(name: name, routes: routes.map(\.route), sources: upstreamReader.read(section))
            service.balancing = balancingReader.read(section)
            results.append(
                Result(
                    service: service,
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
            try ServiceName.check(text, "a service's")
        }
        return name ?? placeholder
    }
}
