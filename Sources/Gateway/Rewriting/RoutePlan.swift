import WeirConfiguration

/// What a route does beside forwarding requests as they are.
final class RoutePlan: Sendable {
    /// Where its pattern has parameters; nil: it has no pattern.
    let parameters: ParameterPlaces?
    /// nil: it forwards.
    let answer: FixedAnswer?
    /// What it changes of what it forwards; nil: nothing.
    let forward: ForwardChanges?
    let response: FieldChanges?

    /// nil: it does nothing of this.
    init?(_ route: Route, of service: Service) {
        var prefixLength = 0
        if case .prefix(let path) = route.match, path != "/" { prefixLength = path.utf8.count }
        let scope = CompiledTemplate.Scope(service: service.name, route: route.name, prefixLength: prefixLength)
        if case .pattern(let pattern) = route.match { parameters = ParameterPlaces(pattern) } else { parameters = nil }
        answer = FixedAnswer(route.action, of: scope)
        let levels = [service.transformation, route.transformation]
        forward = answer == nil ? ForwardChanges(route, levels, of: scope) : nil
        response = answer == nil ? FieldChanges(levels.map(\.response), of: scope) : nil
        if parameters == nil, answer == nil, forward == nil, response == nil { return nil }
    }
}

/// What a route changes of the requests that it forwards.
struct ForwardChanges: Sendable {
    enum Host: Sendable {
        case upstream
        case name([UInt8])
    }

    let path: CompiledTemplate?
    /// What is missing at the start of the path; empty: nothing.
    let strippedPrefix: [UInt8]
    let fields: FieldChanges?
    let query: QueryChanges?
    /// nil: the request's own.
    let host: Host?

    /// nil: nothing.
    init?(_ route: Route, _ levels: [Transformation], of scope: CompiledTemplate.Scope) {
        var rewrite: PathRewrite?
        if case .forward(let action) = route.action { rewrite = action }
        path = rewrite.map { CompiledTemplate($0.path, in: .path, of: scope) }
        strippedPrefix =
            rewrite?.stripsPrefix == true ? Array(route.path.utf8.prefix(scope.prefixLength)) : []
        fields = FieldChanges(levels.map(\.request), of: scope)
        query = QueryChanges(levels.map(\.query), of: scope)
        switch levels.compactMap(\.host).last {
        case nil, .preserve?: host = nil
        case .upstream?: host = .upstream
        case .name(let name)?: host = .name(Array(name.utf8))
        }
        if path == nil, fields == nil, query == nil, host == nil { return nil }
    }
}
