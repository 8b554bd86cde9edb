/// Another value for a limit, for the tenants of a plan or for one tenant. What is counted, how and for whom stays as it is.
package struct LimitChange: Hashable, Sendable {
    package enum Origin: Hashable, Sendable {
        /// The plan's name.
        case plan(String)
        /// Set at run time, until so many microseconds since the epoch by the store's clock; nil: until it is removed.
        case override(untilMicroseconds: Int64?)
    }

    package var origin: Origin
    /// The limit's name.
    package var limit: String
    /// nil: wherever a limit of that name applies.
    package var service: String?
    /// Only with a service; nil: all of its routes.
    package var route: String?
    /// nil: the rate stays.
    package var rate: Rate?
    /// nil: stays, or is the rate's count where there is a rate.
    package var burst: Int64?

    package init(
        _ origin: Origin, limit: String, service: String? = nil, route: String? = nil, rate: Rate? = nil,
        burst: Int64? = nil
    ) {
        self.origin = origin
        self.limit = limit
        self.service = service
        self.route = route
        self.rate = rate
        self.burst = burst
    }

    /// Whether it is for the limit of that name at this place.
    func isFor(_ name: String, service: String?, route: String?) -> Bool {
        limit == name && (self.service == nil || self.service == service) && (self.route == nil || self.route == route)
    }

    /// How narrow its place is: the narrowest one counts.
    var narrowness: Int { route != nil ? 2 : service != nil ? 1 : 0 }
}

/// What a limit's value is by one word on it: a level of the configuration, a plan, or an override.
package struct LimitLayer: Hashable, Sendable {
    package enum Source: Hashable, Sendable {
        case level(LimitLevel)
        case change(LimitChange)
    }

    package let source: Source
    /// With this value.
    package let limit: Limit
}

extension ScopedLimit {
    /// With another value. Throws where the limit cannot have it.
    func changed(by change: LimitChange) throws(LimitError) -> ScopedLimit {
        var declaration = LimitDeclaration(name: limit.name)
        declaration.rate = change.rate
        declaration.burst = change.burst
        declaration = declaration.inheriting(from: self.declaration)
        let changed = try declaration.completed()
        return ScopedLimit(
            limit: changed, rule: try CounterRule(changed), owner: owner, declaration: declaration,
            layers: [LimitLayer(source: .change(change), limit: changed)] + layers)
    }
}
