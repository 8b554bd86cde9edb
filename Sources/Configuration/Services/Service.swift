package struct Service: Equatable, Sendable {
    package var name: String
    package var routes: [Route]
    /// Where it is, as its `upstreams` say.
    package var sources: [UpstreamSource]
    package var balancing = BalancingSettings()
    /// Before that of the route.
    package var transformation = Transformation()
    package var resilience = Resilience()
    package var mirror: Mirror?
    package var shift: Shift?

    package init(name: String, routes: [Route], upstreams: [Upstream]) {
        self.init(name: name, routes: routes, sources: upstreams.map { .fixed(Endpoint($0)) })
    }

    package init(name: String, routes: [Route], sources: [UpstreamSource]) {
        self.name = name
        self.routes = routes
        self.sources = sources
    }

    /// Those that the configuration itself names; setting them replaces all sources.
    package var upstreams: [Upstream] {
        get {
            sources.compactMap { source in
                if case .fixed(let endpoint) = source { endpoint.upstream } else { nil }
            }
        }
        set { sources = newValue.map { .fixed(Endpoint($0)) } }
    }
}
