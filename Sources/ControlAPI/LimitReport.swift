import Hummingbird
import HummingbirdCore
package import LimiterCore

/// Which limits apply to a tenant's requests, with which values, and who says so.
package struct LimitReport: Sendable {
    /// Where a report looks; nil: everywhere.
    package struct Place: Hashable, Sendable {
        package var service: String?
        package var route: String?

        package init(service: String? = nil, route: String? = nil) {
            self.service = service
            self.route = route
        }
    }

    package let json: JSON

    /// Throws where there is no such service or route.
    package init(
        of tenant: String, _ overrides: LimitOverrides, at place: Place = Place()
    ) throws(ControlError) {
        let limits = overrides.limits
        let table = overrides.table(of: tenant)
        if let name = place.service, limits.service(named: name) == nil {
            throw ControlError(
                .notFound,
                "there is no service `\(name)`; the services are \(QuotaAPI.list(limits.services.map(\.name)))")
        }
        var rows: [JSON] = []
        for group in [table.guards, table.failedAuthentications] {
            rows += group.limits.map { Self.row($0, service: nil, route: nil) }
        }
        var hasRoute = place.route == nil
        for service in table.services where place.service == nil || service.name == place.service {
            for (group, route) in zip(service.routes, service.routeNames)
            where place.route == nil || route == place.route {
                hasRoute = true
                rows += group.limits.map { Self.row($0, service: service.name, route: route) }
            }
        }
        guard hasRoute else {
            let services = limits.services.filter { place.service == nil || $0.name == place.service }
            throw ControlError(
                .notFound,
                "there is no route `\(place.route ?? "")` here; the routes are \(QuotaAPI.list(services.flatMap(\.routeNames)))"
            )
        }
        json = [
            "tenant": .string(tenant), "plan": .optional(limits.plan(of: tenant)?.name), "limits": .array(rows),
        ]
    }

    private static func row(_ limit: EffectiveLimit, service: String?, route: String?) -> JSON {
        let value = limit.limit
        var members: [JSON.Member] = [
            .init("name", .string(limit.name)), .init("service", .optional(service)), .init("route", .optional(route)),
            .init("per", value.per.isEmpty ? "everyone" : .array(value.per.map { .string($0.description) })),
            .init("algorithm", .string(value.algorithm.name)), .init("mode", .string(mode(value))),
            .init("cost", cost(value)),
        ]
        if let period = value.calendar { members.append(.init("time_zone", .string(period.zone.name))) }
        if value.isGuard { members.append(.init("guard", true)) }
        if value.counts != .requests { members.append(.init("count", .string(value.counts.rawValue))) }
        if value.isShadow { members.append(.init("shadow", true)) }
        let layers = limit.layers.map(layer)
        members += layers.first?.members ?? []
        members.append(.init("replaces", .array(Array(layers.dropFirst()))))
        return .object(members)
    }

    /// One word on a limit's value: what it is, and who says so.
    private static func layer(_ layer: LimitLayer) -> JSON {
        var members: [JSON.Member] = [.init("rate", .string(layer.limit.rate.description))]
        if case .tokenBucket(let burst) = layer.limit.algorithm { members.append(.init("burst", .integer(burst))) }
        switch layer.source {
        case .level(.global): members.append(.init("source", "global"))
        case .level(.service): members.append(.init("source", "service"))
        case .level(.route): members.append(.init("source", "route"))
        case .change(let change):
            switch change.origin {
            case .plan(let name): members += [.init("source", "plan"), .init("plan", .string(name))]
            case .override(let until):
                members += [.init("source", "override"), .init("expires_at", Moment.json(until))]
            }
        }
        return .object(members)
    }

    /// As the configuration writes it.
    private static func cost(_ limit: Limit) -> JSON {
        switch limit.cost {
        case .fixed(let units): .integer(units)
        case .byMethod(let table, let other):
            .object(
                table.sorted { $0.key < $1.key }.map { .init($0.key, .integer($0.value)) }
                    + [.init("other", .integer(other))])
        case .header(let name, let otherwise): ["header": .string(name), "otherwise": .integer(otherwise)]
        }
    }

    /// As the configuration writes it; what is left out there is chosen by demand.
    private static func mode(_ limit: Limit) -> String {
        if limit.isGuard || limit.counts == .failedAuthentications { return "local" }
        return switch limit.mode {
        case .exact: "exact"
        case .leased: "leased"
        case .local: "local"
        case .automatic: limit.isAlwaysLeased ? "leased" : "automatic"
        }
    }
}

extension QuotaAPI {
    func report(_ request: Request) throws(ControlError) -> Response {
        var query = try RequestQuery(request.uri)
        let tenant = try query.tenant()
        let place = LimitReport.Place(
            service: try query.text("service", maximumBytes: 1024), route: try query.text("route", maximumBytes: 8192))
        try query.finish()
        return .json(try LimitReport(of: tenant, board.overrides, at: place).json)
    }
}
