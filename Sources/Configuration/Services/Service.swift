package struct Service: Sendable {
    package var name: String
    package var routes: [Route]
    package var upstreams: [Upstream]
    /// Before that of the route.
    package var transformation = Transformation()

    package init(name: String, routes: [Route], upstreams: [Upstream]) {
        self.name = name
        self.routes = routes
        self.upstreams = upstreams
    }
}
