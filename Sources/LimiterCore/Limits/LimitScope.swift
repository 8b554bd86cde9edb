/// Where a limit was declared; a limit that replaces another counts for itself unless it is shared.
package enum LimitLevel: Hashable, Sendable {
    case global
    case service(String)
    case route(service: String, route: String)

    package var service: String? {
        switch self {
        case .global: nil
        case .service(let name), .route(service: let name, route: _): name
        }
    }

    package var route: String? {
        if case .route(_, let route) = self { route } else { nil }
    }
}

/// A limit with the level that owns its counter.
package struct ScopedLimit: Hashable, Sendable {
    package let limit: Limit
    /// Of a calendar quota, as in the epoch's first period: `EffectiveLimit.rule(at:)` knows the others.
    package let rule: CounterRule
    /// The level whose counter it uses: its own, or that of the limit it shares.
    package let owner: LimitLevel
    /// As it was declared, with what was inherited.
    let declaration: LimitDeclaration
    /// Who gives it which value: the first is in force, and each replaces those behind it.
    package let layers: [LimitLayer]
}

/// The limits in force at one level. Same name replaces, new name adds: globally, in a service, in a route.
package struct LimitScope: Sendable {
    package let level: LimitLevel
    private var declarations: [LimitDeclaration] = []
    private var ownNames: Set<String> = []
    package private(set) var limits: [ScopedLimit] = []

    package init() { level = .global }

    private init(level: LimitLevel, inheriting parent: LimitScope) {
        self.level = level
        declarations = parent.declarations
        limits = parent.limits
    }

    package func service(_ name: String) -> LimitScope { LimitScope(level: .service(name), inheriting: self) }

    package func route(_ name: String) -> LimitScope {
        LimitScope(level: .route(service: level.service ?? "", route: name), inheriting: self)
    }

    /// The same without the limits that count by who calls: for requests that are not asked.
    package func withoutCallers() -> LimitScope {
        var scope = self
        let kept = limits.indices.filter { !limits[$0].limit.per.contains(where: \.isOfCaller) }
        scope.declarations = kept.map { declarations[$0] }
        scope.limits = kept.map { limits[$0] }
        return scope
    }

    /// Adds a limit, or replaces the inherited one of that name; what the declaration leaves out is inherited.
    package mutating func declare(_ declaration: LimitDeclaration) throws(LimitError) {
        guard ownNames.insert(declaration.name).inserted else {
            throw LimitError(
                .conflict,
                "the limit `\(declaration.name)` is declared twice at one level; give one of them another name",
                key: "name")
        }
        let inherited = declarations.firstIndex { $0.name == declaration.name }
        if let inherited {
            let merged = declaration.inheriting(from: declarations[inherited])
            let limit = try completed(merged)
            let parent = limits[inherited]
            let shares = declaration.isShared ?? false
            if shares { try Self.checkSharing(limit, parent.limit) }
            declarations[inherited] = merged
            limits[inherited] = try scoped(
                merged, limit, owner: shares ? parent.owner : level, replacing: parent.layers)
        } else {
            guard declaration.isShared != true else {
                throw LimitError(
                    .conflict,
                    "`shared: true` needs an inherited limit of the name `\(declaration.name)` whose counter it shares; there is none",
                    key: "shared")
            }
            let limit = try completed(declaration)
            declarations.append(declaration)
            limits.append(try scoped(declaration, limit, owner: level, replacing: []))
        }
    }

    private func scoped(
        _ declaration: LimitDeclaration, _ limit: Limit, owner: LimitLevel, replacing layers: [LimitLayer]
    ) throws(LimitError) -> ScopedLimit {
        ScopedLimit(
            limit: limit, rule: try CounterRule(limit), owner: owner, declaration: declaration,
            layers: [LimitLayer(source: .level(level), limit: limit)] + layers)
    }

    private func completed(_ declaration: LimitDeclaration) throws(LimitError) -> Limit {
        let limit = try declaration.completed()
        guard level == .global || !(limit.isGuard || limit.counts == .failedAuthentications) else {
            throw LimitError(
                .conflict,
                "guards and limits on failed authentications are decided before routing; declare `\(limit.name)` under the global `limits`",
                key: limit.isGuard ? "guard" : "count")
        }
        return limit
    }

    private static func checkSharing(_ limit: Limit, _ parent: Limit) throws(LimitError) {
        guard (limit.mode == .local) == (parent.mode == .local) else {
            throw LimitError(
                .conflict,
                "a local limit counts in each replica's memory, the others in Redis, so `\(limit.name)` cannot share a counter with one of the other kind; leave out `shared`, or make both local",
                key: "shared")
        }
        guard limit.algorithm == .slidingWindow, parent.algorithm == .slidingWindow,
            limit.rate.periodSeconds == parent.rate.periodSeconds, limit.per == parent.per
        else {
            throw LimitError(
                .conflict,
                "`shared: true` needs two sliding windows of equal period and dimensions; leave it out and `\(limit.name)` gets a counter of its own",
                key: "shared")
        }
    }
}
