package struct Route: Sendable {
    /// Its path where it was given no name.
    package var name: String
    /// Canonical, starts with `/`; matches itself and what continues it after a `/`.
    package var path: String
    /// Lowercase, without port; nil: any.
    package var host: String?
    /// What it says itself; its service's holds for the rest.
    package var resilience = Resilience()

    package init(name: String, path: String, host: String?) {
        self.name = name
        self.path = path
        self.host = host
    }
}
