/// A limit as the configuration declares it. What is left out takes its default or, where the declaration
/// replaces one of the same name, what that one has.
package struct LimitDeclaration: Hashable, Sendable {
    package var name: String
    package var per: [Dimension]?
    package var rate: Rate?
    package var usesTokenBucket: Bool?
    package var burst: Int64?
    package var cost: Cost?
    package var isGuard: Bool?
    package var counts: Limit.Counted?
    package var onStoreFailure: Limit.FailurePolicy?
    package var mode: Limit.Mode?
    package var isShadow: Bool?
    package var isShared: Bool?
    package var maximumKeys: Int?

    package init(name: String) { self.name = name }

    package static func isValidName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            }
    }

    /// This declaration on top of the one that it replaces.
    func inheriting(from parent: LimitDeclaration) -> LimitDeclaration {
        var merged = self
        merged.per = per ?? parent.per
        merged.rate = rate ?? parent.rate
        merged.usesTokenBucket = usesTokenBucket ?? parent.usesTokenBucket
        // A burst belongs to the rate that it was written beside, and to a token bucket.
        merged.burst = burst ?? (rate == nil && usesTokenBucket != false ? parent.burst : nil)
        merged.cost = cost ?? parent.cost
        merged.isGuard = isGuard ?? parent.isGuard
        merged.counts = counts ?? parent.counts
        // What happens when the store is away goes with asking it.
        merged.onStoreFailure = onStoreFailure ?? (mode == .local ? nil : parent.onStoreFailure)
        merged.mode = mode ?? parent.mode
        merged.isShadow = isShadow ?? parent.isShadow
        merged.maximumKeys = maximumKeys ?? parent.maximumKeys
        return merged
    }

    /// The limit with every default filled in.
    func completed() throws(LimitError) -> Limit {
        guard Self.isValidName(name) else {
            throw LimitError(
                .invalidName, "`\(name)` cannot be a limit's name; use 1 to 64 of a-z, 0-9, _ and -", key: "name")
        }
        guard let rate else {
            throw LimitError(.missing, "the limit `\(name)` has no rate; add one, like `rate: 100/minute`", key: nil)
        }
        guard let per else {
            throw LimitError(
                .missing,
                "the limit `\(name)` names no dimension; add `per: tenant`, or `per: everyone` for one shared counter",
                key: nil)
        }
        if let burst {
            guard usesTokenBucket == true else {
                throw LimitError(
                    .invalidBurst,
                    "`burst` belongs to `algorithm: token_bucket`; the limit `\(name)` is a sliding window",
                    key: "burst")
            }
            guard burst >= 1 else {
                throw LimitError(.invalidBurst, "a burst must be at least 1, not \(burst)", key: "burst")
            }
        }
        if let maximumKeys, !(1...100_000_000).contains(maximumKeys) {
            throw LimitError(
                .invalidMaximumKeys, "max_keys must be between 1 and 100000000, not \(maximumKeys)", key: "max_keys")
        }
        if mode == .local, onStoreFailure != nil {
            throw LimitError(
                .conflict,
                "the limit `\(name)` is local: it is decided without Redis, so it has no `on_store_failure`; remove that",
                key: "on_store_failure")
        }
        let isGuard = isGuard ?? false
        let counts = counts ?? .requests
        if isGuard || counts == .failedAuthentications {
            for dimension in per where dimension == .tenant || dimension.isFixedByRoute {
                throw LimitError(
                    .conflict,
                    "the limit `\(name)` is decided before the request has a route or a tenant, so it cannot be per `\(dimension.description)`",
                    key: "per")
            }
        }
        let limit = Limit(
            name: name, per: per, rate: rate,
            algorithm: usesTokenBucket == true ? .tokenBucket(burst: burst ?? rate.count) : .slidingWindow,
            cost: cost ?? .one, isGuard: isGuard, counts: counts, onStoreFailure: onStoreFailure ?? .local,
            mode: mode ?? .automatic, isShadow: isShadow ?? false,
            maximumKeys: maximumKeys
                ?? (per.contains(where: \.isChosenByClients) ? Limit.defaultMaximumKeys : Limit.defaultMaximumTenants))
        _ = try CounterRule(limit)
        if case .fixed(let units) = limit.cost, units > limit.capacity {
            throw LimitError(
                .invalidCost,
                "a request costs \(units), and the limit `\(name)` never allows more than \(limit.capacity) at once; lower the cost or raise the \(usesTokenBucket == true ? "burst" : "rate")",
                key: "cost")
        }
        return limit
    }
}
