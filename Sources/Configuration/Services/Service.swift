package struct Service: Sendable {
    package var name: String
    package var routes: [Route]
    package var upstreams: [Upstream]
    package var resilience = Resilience()

    package init(name: String, routes: [Route], upstreams: [Upstream]) {
        self.name = name
        self.routes = routes
        self.upstreams = upstreams
    }
}
