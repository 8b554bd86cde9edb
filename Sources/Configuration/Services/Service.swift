package struct Service: Hashable, Sendable {
    package var name: String
    package var routes: [Route]
    package var upstreams: [Upstream]

    package init(name: String, routes: [Route], upstreams: [Upstream]) {
        self.name = name
        self.routes = routes
        self.upstreams = upstreams
    }
}
