/// A limit as the configuration declares it. What is left out takes its default or, where the declaration
/// replaces one of the same name, what that one has.
package struct LimitDeclaration: Hashable, Sendable {
    package var name: String
    package var per: [Dimension]?
    package var rate: Rate?
    package var algorithm: AlgorithmName?
    package var burst: Int64?
    /// Whose calendar; default: UTC's.
    package var timeZone: TimeZoneOffsets?
    /// As `CalendarPeriod` says.
    package var anchorDay: AnchorDay?
    package var cost: Cost?
    package var isGuard: Bool?
    package var counts: Limit.Counted?
    package var onStoreFailure: Limit.FailurePolicy?
    package var mode: Limit.Mode?
    package var isShadow: Bool?
    package var isShared: Bool?
    package var maximumKeys: Int?

    package enum AlgorithmName: String, Hashable, Sendable, CaseIterable {
        case slidingWindow = "sliding_window"
        case tokenBucket = "token_bucket"
        case calendar
    }

    package enum AnchorDay: Hashable, Sendable {
        /// From 1 to 31.
        case month(Int)
        /// From 1 (Monday) to 7.
        case week(Int)
    }

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
        merged.algorithm = algorithm ?? parent.algorithm
        // A burst belongs to the rate that it was written beside, and to a token bucket.
        merged.burst = burst ?? (rate == nil && merged.algorithm == .tokenBucket ? parent.burst : nil)
        if merged.algorithm == .calendar {
            merged.timeZone = timeZone ?? parent.timeZone
            let isSameUnit = rate == nil || rate?.calendarUnit == parent.rate?.calendarUnit
            merged.anchorDay = anchorDay ?? (isSameUnit ? parent.anchorDay : nil)
        }
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
            guard algorithm == .tokenBucket else {
                let other = algorithm == .calendar ? "calendar quota" : "sliding window"
                throw LimitError(
                    .invalidBurst,
                    "`burst` belongs to `algorithm: token_bucket`; the limit `\(name)` is a \(other)",
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
            for dimension in per where dimension.isOfCaller || dimension.isFixedByRoute {
                throw LimitError(
                    .conflict,
                    "the limit `\(name)` is decided before the request has a route or a tenant, so it cannot be per `\(dimension.description)`",
                    key: "per")
            }
        }
        let limit = Limit(
            name: name, per: per, rate: rate,
            algorithm: try limitAlgorithm(rate),
            cost: cost ?? .one, isGuard: isGuard, counts: counts, onStoreFailure: onStoreFailure ?? .local,
            mode: mode ?? .automatic, isShadow: isShadow ?? false,
            maximumKeys: maximumKeys
                ?? (per.contains(where: \.isChosenByClients) ? Limit.defaultMaximumKeys : Limit.defaultMaximumTenants))
        _ = try CounterRule(limit)
        if case .fixed(let units) = limit.cost, units > limit.capacity {
            throw LimitError(
                .invalidCost,
                "a request costs \(units), and the limit `\(name)` never allows more than \(limit.capacity) at once; lower the cost or raise the \(algorithm == .tokenBucket ? "burst" : "rate")",
                key: "cost")
        }
        return limit
    }

    private func limitAlgorithm(_ rate: Rate) throws(LimitError) -> Limit.Algorithm {
        guard algorithm == .calendar else {
            for (key, isSet) in [("time_zone", timeZone != nil), ("anchor_day", anchorDay != nil)] where isSet {
                throw LimitError(
                    .conflict,
                    "`\(key)` belongs to `algorithm: calendar`; add that to the limit `\(name)`, or leave it out",
                    key: key)
            }
            guard !rate.needsCalendar else {
                throw LimitError(
                    .invalidRate,
                    "a \(rate.calendarUnit!) has no fixed length; add `algorithm: calendar` to the limit `\(name)`, or use a period up to 53 weeks",
                    key: "rate")
            }
            return algorithm == .tokenBucket ? .tokenBucket(burst: burst ?? rate.count) : .slidingWindow
        }
        guard let unit = rate.calendarUnit else {
            throw LimitError(
                .invalidRate,
                "a calendar quota counts in whole hours, days, weeks, months or years; write the rate of `\(name)` like 1000/day or 1000000/month",
                key: "rate")
        }
        let anchor: Int
        switch (unit, anchorDay) {
        case (_, nil): anchor = 1
        case (.month, .month(let day)): anchor = day
        case (.week, .week(let day)): anchor = day
        case (.month, .week): throw Self.wrongAnchor("a month begins on a day from 1 to 31, like `anchor_day: 15`")
        case (.week, .month): throw Self.wrongAnchor("a week begins on a weekday, like `anchor_day: sunday`")
        case (.hour, _), (.day, _), (.year, _):
            throw Self.wrongAnchor("`anchor_day` belongs to quotas per month or week; leave it out of `\(name)`")
        }
        return .calendar(CalendarPeriod(unit, in: timeZone ?? .utc, anchorDay: anchor))
    }

    private static func wrongAnchor(_ message: String) -> LimitError {
        LimitError(.conflict, message, key: "anchor_day")
    }
}
