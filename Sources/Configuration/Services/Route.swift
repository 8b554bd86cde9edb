package struct Route: Equatable, Sendable {
    /// What of a request's canonical path it takes.
    package enum Match: Hashable, Sendable {
        /// This path, and what continues it after a `/`.
        case prefix(String)
        /// This path alone.
        case exact(String)
        case pattern(RoutePattern)

        package var isPrefix: Bool { if case .prefix = self { true } else { false } }

        /// The pattern's parameters; nil where there is no pattern.
        package var parameters: [String]? { if case .pattern(let pattern) = self { pattern.parameters } else { nil } }
    }

    /// The methods that the gateway accepts.
    package static let knownMethods = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE",
        "LOCK", "UNLOCK", "SEARCH", "REPORT", "PURGE", "QUERY", "ACL", "BIND", "UNBIND", "REBIND", "CHECKOUT", "MERGE",
        "MKACTIVITY", "MKCALENDAR", "LINK", "UNLINK", "SUBSCRIBE", "UNSUBSCRIBE", "NOTIFY",
    ]

    /// The text of its match where it was given no name.
    package var name: String
    package var match: Match
    /// Lowercase, without port; `*.example.com` stands for all names that end in `.example.com`; nil: any.
    package var host: String?
    /// In capitals, each once; empty: all.
    package var methods: [String] = []
    /// All must hold.
    package var conditions: [RouteCondition] = []
    /// Of the routes that take a request, those with the highest come first.
    package var priority = 0
    package var action = RouteAction.forward(nil)
    package var transformation = Transformation()
    /// Its service's, where it says nothing else.
    package var authorization = AuthorizationRules()
    /// Whether nobody is asked who calls.
    package var isPublic = false
    /// What it says itself; its service's holds for the rest.
    package var resilience = Resilience()

    package init(name: String, match: Match, host: String? = nil) {
        self.name = name
        self.match = match
        self.host = host
    }

    /// A route for a prefix.
    package init(name: String, path: String, host: String?) { self.init(name: name, match: .prefix(path), host: host) }

    /// As it is configured.
    package var path: String {
        switch match {
        case .prefix(let path), .exact(let path): path
        case .pattern(let pattern): pattern.description
        }
    }

    /// Whether it answers by itself, so that it needs no upstream.
    package var answersItself: Bool { if case .forward = action { false } else { true } }
}

/// Something that a request must have for a route to take it.
package struct RouteCondition: Hashable, Sendable {
    package enum Source: Hashable, Sendable {
        /// The first field of this lowercase name.
        case header(String)
        /// The first parameter of the query with this name; name and value decoded, `+` being a space.
        case query(String)
    }

    package enum Test: Hashable, Sendable {
        case equals(String)
        case isPresent
        case isAbsent
    }

    package var source: Source
    package var test: Test

    package init(_ source: Source, _ test: Test) {
        self.source = source
        self.test = test
    }
}
