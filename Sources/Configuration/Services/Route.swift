package struct Route: Hashable, Sendable {
    /// Its path where it was given no name.
    package var name: String
    /// Canonical, starts with `/`; matches itself and what continues it after a `/`.
    package var path: String
    /// Lowercase, without port; nil: any.
    package var host: String?

    package init(name: String, path: String, host: String?) {
        self.name = name
        self.path = path
        self.host = host
    }
}
