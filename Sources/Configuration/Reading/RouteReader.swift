import LimiterCore

/// Reads routes of services with their limits.
struct RouteReader {
    let faults: Faults
    let limits: LimitReader
    let authorization: AuthorizationReader
    private let matches: RouteMatchReader
    private let transformations: TransformationReader
    private let resilience: ResilienceReader
    /// The lines of the routes so far.
    private var taken: [Address: Int] = [:]
    private var routesAtPlace: [Place: Int] = [:]
    private var shapes: [String?: Set<String>] = [:]

    static let keys =
        RouteMatchReader.keys + RouteActionReader.keys + TransformationReader.keys + AuthorizationReader.keys
        + ResilienceReader.keys + ["name", "limits"]

    /// Routes of one host and path, which are looked through one after the other.
    static let maximumRoutesOfPlace = 64
    /// Ways in which the patterns of one host mix literals and parameters, so many may be followed at once.
    static let maximumShapes = 256

    init(
        faults: Faults, limits: LimitReader, authorization: AuthorizationReader,
        transformations: TransformationReader, resilience: ResilienceReader
    ) {
        self.faults = faults
        self.limits = limits
        self.authorization = authorization
        self.transformations = transformations
        self.resilience = resilience
        matches = RouteMatchReader(faults: faults)
    }

    private struct Place: Hashable {
        var host: String?
        /// The match, without the names of parameters.
        var kind: Int
        var path: String

        init(_ host: String?, _ match: Route.Match) {
            self.host = host
            switch match {
            case .prefix(let path): (kind, self.path) = (0, path)
            case .exact(let path): (kind, self.path) = (1, path)
            case .pattern(let pattern): (kind, path) = (2, pattern.withoutNames)
            }
        }
    }

    /// What a request is routed by.
    private struct Address: Hashable {
        var place: Place
        var methods: [String]
        var conditions: Set<RouteCondition>
        var priority: Int
    }

    /// A service's routes, and whether it names none at all, which some need not.
    mutating func read(
        _ service: Section, _ serviceName: String, _ scope: LimitScope, _ access: AuthorizationReader.Result
    ) -> (routes: [(route: Route, scope: LimitScope)], areMissing: Bool) {
        let list = service.list("routes", of: "routes like {path: /product}")
        var routes: [(route: Route, scope: LimitScope)] = []
        var names: [String: Int] = [:]
        for element in list ?? [] {
            guard let section = Section(element, "routes", keys: Self.keys, faults) else { continue }
            var route = read(section, serviceName, &names)
            let routeAccess = authorization.read(section, inheriting: access)
            (route.authorization, route.isPublic) = (routeAccess.rules, routeAccess.isPublic)
            route.resilience = resilience.read(section, of: serviceName)
            var routeScope = scope.route(route.name)
            if route.isPublic { routeScope = routeScope.withoutCallers() }
            limits.read(section, into: &routeScope, isPublic: route.isPublic)
            routes.append((route, routeScope))
        }
        return (routes, !service.has("routes") || list?.isEmpty == true)
    }

    private mutating func read(_ section: Section, _ serviceName: String, _ names: inout [String: Int]) -> Route {
        let line = section.position.line
        let match = matches.readMatch(section, serviceName)
        let host = section.read("host", "a host's name", matches.readHost)
        let name = section.read("name", "a name") { text throws(ConfigurationError) in
            try ServiceName.check(text, "a route's")
        }
        var route = Route(name: name ?? "line-\(line)", match: match ?? .prefix("/"), host: host)
        if name == nil, match != nil { route.name = route.path }
        route.methods = matches.readMethods(section)
        route.conditions = matches.readConditions(section)
        route.priority = section.integer("priority", in: -1_000_000...1_000_000) ?? 0
        if match != nil { checkUnique(route, section, &names, hasGoodHost: host != nil || !section.has("host")) }
        route.action = RouteActionReader(faults: faults, templates: transformations).read(section, route.match)
        if !route.answersItself {
            route.transformation = transformations.read(section, parameters: route.match.parameters)
        }
        return route
    }

    private mutating func checkUnique(
        _ route: Route, _ section: Section, _ names: inout [String: Int], hasGoodHost: Bool
    ) {
        let line = section.position.line
        let (key, what) =
            switch route.match {
            case .prefix: ("path", "the path")
            case .exact: ("exact", "the exact path")
            case .pattern: ("pattern", "the pattern")
            }
        let place = Place(route.host, route.match)
        let address = Address(
            place: place, methods: route.methods, conditions: Set(route.conditions), priority: route.priority)
        if let other = taken[address] {
            let ofHost = route.host.map { " of the host `\($0)`" } ?? ""
            let asFar = route.methods.isEmpty && route.conditions.isEmpty ? "" : " with the same methods and conditions"
            faults.add(
                "\(what) `\(route.path)`\(ofHost) has a route\(asFar) already, on line \(other); a request takes one route",
                section.place(of: key) ?? section.position)
        } else if let other = names[route.name] {
            let hint = section.has("name") ? "give one of them another" : "give this one a `name`"
            faults.add(
                "the service has a route named `\(route.name)` already, on line \(other); \(hint)",
                section.place(of: "name") ?? section.position)
        }
        if hasGoodHost {
            taken[address] = taken[address] ?? line
            checkBounds(route, place, section)
        }
        names[route.name] = line
    }

    private mutating func checkBounds(_ route: Route, _ place: Place, _ section: Section) {
        routesAtPlace[place, default: 0] += 1
        if routesAtPlace[place] == Self.maximumRoutesOfPlace + 1 {
            faults.add(
                "`\(route.path)` has more than \(Self.maximumRoutesOfPlace) routes, which differ in methods and conditions alone; give some of them another host or path",
                section.position)
        }
        guard case .pattern(let pattern) = route.match else { return }
        let shape = pattern.segments.map { segment in
            switch segment {
            case .literal: "/"
            case .parameter: "{"
            case .rest: "."
            }
        }
        let isNew = shapes[route.host, default: []].insert(shape.joined()).inserted
        if isNew, shapes[route.host]!.count == Self.maximumShapes + 1 {
            faults.add(
                "the patterns of one host mix literals and parameters in more than \(Self.maximumShapes) ways; use prefixes for some",
                section.position)
        }
    }
}
