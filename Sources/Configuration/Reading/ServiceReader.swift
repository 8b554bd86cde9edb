import LimiterCore

/// Reads services with their routes, upstreams and limits.
struct ServiceReader {
    let faults: Faults
    let limits: LimitReader
    let authorization: AuthorizationReader
    let transformations: TransformationReader
    let resilience: ResilienceReader

    static let keys =
        ["name", "routes", "upstreams", "limits"] + BalancingReader.keys + TransformationReader.keys
        + AuthorizationReader.keys + ResilienceReader.keys + MigrationReader.keys

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
        var routeReader = RouteReader(
            faults: faults, limits: limits, authorization: authorization, transformations: transformations,
            resilience: resilience)
        let upstreamReader = UpstreamReader(faults: faults)
        let balancingReader = BalancingReader(faults: faults, hasTenants: limits.hasTenants)
        let migrations = MigrationReader(faults: faults)
        var withoutRoutes: [(name: String, place: Position)] = []
        for element in list {
            guard let section = Section(element, "services", keys: Self.keys, faults) else { continue }
            let name = readName(section)
            if let line = names[name] {
                faults.add(
                    "the service `\(name)` is there already, on line \(line); give one of them another name",
                    section.place(of: "name") ?? section.position)
            }
            names[name] = names[name] ?? section.position.line
            let access = authorization.read(section)
            var scope = global.service(name)
            limits.read(section, into: &scope, isPublic: access.isPublic)
            let (routes, areMissing) = routeReader.read(section, name, scope, access)
            if areMissing { withoutRoutes.append((name, section.place(of: "routes") ?? section.position)) }
            // Where each route answers by itself, none is asked for.
            let needsUpstreams = routes.isEmpty || routes.contains { !$0.route.answersItself }
            let sources = needsUpstreams || section.has("upstreams") ? upstreamReader.read(section) : []
            var service = Service(name: name, routes: routes.map(\.route), sources: sources)
            service.balancing = balancingReader.read(section)
            service.transformation = transformations.read(section, parameters: nil)
            service.resilience = resilience.read(section, of: name)
            service.mirror = migrations.mirror(section, of: name)
            service.shift = migrations.shift(section, of: name)
            results.append(
                Result(
                    service: service,
                    limits: LimitTable.ServiceLimits(
                        name: name, scope: access.isPublic ? scope.withoutCallers() : scope,
                        routes: routes.map { ($0.route.name, $0.scope) })))
        }
        let faultsBefore = faults.count
        resilience.finish(results.map(\.service.name))
        migrations.finish(results.map(\.service))
        // Where a service is named wrongly, another one seems not to be named.
        guard faults.count == faultsBefore, !migrations.isIncomplete else { return results }
        let others = resilience.fallbackServices.union(migrations.secondVersions)
        for service in withoutRoutes where !others.contains(service.name) {
            faults.add(
                "the service `\(service.name)` has no routes; add `routes: [{path: /\(service.name)}]`", service.place)
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
