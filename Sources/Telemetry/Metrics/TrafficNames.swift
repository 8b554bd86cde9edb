/// The services and routes that traffic is counted by, found by their places in the configuration.
///
/// The number of series is bounded: routes past the first `mostRoutes` are counted together as the route `other` of their service.
package struct TrafficNames: Hashable, Sendable {
    package static let defaultMostRoutes = 200

    package struct Service: Hashable, Sendable {
        let name: String
        /// In the configuration's order.
        let routes: [String]

        package init(_ name: String, routes: [String]) {
            self.name = name
            self.routes = routes
        }
    }

    /// A series of its own, or what is left of a service's routes.
    struct Route: Hashable, Sendable {
        let service: String
        let name: String
    }

    let services: [String]
    let routes: [Route]
    /// By service, then by route: the index in `routes`.
    let places: [[Int]]

    package init(_ services: [Service], mostRoutes: Int = TrafficNames.defaultMostRoutes) {
        self.services = services.map(\.name)
        var routes: [Route] = []
        places = services.map { service in
            var other: Int?
            return service.routes.map { name in
                if routes.count < mostRoutes {
                    routes.append(Route(service: service.name, name: name))
                    return routes.count - 1
                }
                if other == nil {
                    // A route that is called so itself is counted with the others.
                    other = routes.firstIndex { $0.service == service.name && $0.name == "other" } ?? routes.count
                    if other == routes.count { routes.append(Route(service: service.name, name: "other")) }
                }
                return other ?? 0
            }
        }
        self.routes = routes
    }
}
