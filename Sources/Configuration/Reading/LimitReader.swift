import LimiterCore

/// Reads lists of limits into the scope of their level. The limiter core judges them; this says where they stand.
struct LimitReader {
    let faults: Faults
    /// Whether requests have tenants at all.
    let hasTenants: Bool
    /// Whether requests may have claims.
    let hasTokens: Bool

    static let keys = [
        "name", "per", "rate", "algorithm", "burst", "cost", "guard", "count", "on_store_failure", "shadow", "shared",
        "max_keys", "mode", "time_zone", "anchor_day",
    ]
    private static let notBuilt = [
        "lease_time": "it belongs to `algorithm: concurrency`; use a sliding window or a token bucket"
    ]

    /// Reads `limits` of `owner`. `isPublic`: its requests are not asked who calls, so none may count by that.
    func read(_ owner: Section, into scope: inout LimitScope, isPublic: Bool = false) {
        let list = owner.list("limits", of: "limits like {name: global, per: tenant, rate: 100/minute}") ?? []
        for element in list {
            guard
                let section = Section(element, owner.title("limits"), keys: Self.keys, notBuilt: Self.notBuilt, faults)
            else { continue }
            declare(readDeclaration(section), section, in: &scope, isPublic: isPublic)
        }
    }

    /// A declaration in which what could not be read has a value that does no harm, so that one fault does not cause others.
    private func readDeclaration(_ section: Section) -> LimitDeclaration {
        let faultsBefore = faults.count
        var declaration = LimitDeclaration(name: readName(section))
        if section.has("per") { declaration.per = readDimensions(section) ?? [] }
        if let (text, position) = section.text("rate", "a rate like 100/minute") {
            declaration.rate = faults.limit(at: position) { () throws(LimitError) in try Rate(parsing: text) }
        }
        if section.has("rate") { declaration.rate = declaration.rate ?? Self.harmlessRate }
        if section.has("algorithm") {
            let algorithm = section.choice(
                "algorithm", LimitDeclaration.AlgorithmName.allCases.map { ($0.rawValue, $0) },
                notBuilt: ["concurrency": "use a sliding window or a token bucket"])
            declaration.algorithm = algorithm ?? harmlessAlgorithm(section, declaration.rate)
        }
        declaration.timeZone = section.read("time_zone", "a time zone like Europe/Berlin") {
            name throws(ConfigurationError) in try TimeZoneOffsets.named(name)
        }
        declaration.anchorDay = readAnchorDay(section)
        declaration.burst = section.integer("burst", in: .min ... .max) as Int64?
        declaration.cost = CostReader(faults: faults).read(section)
        declaration.isGuard = section.bool("guard")
        declaration.counts = section.choice("count", Limit.Counted.allCases.map { ($0.rawValue, $0) })
        declaration.onStoreFailure = section.choice(
            "on_store_failure",
            [Limit.FailurePolicy.local, .allow, .deny].map { ($0.rawValue, $0) })
        declaration.isShadow = section.bool("shadow")
        declaration.isShared = section.bool("shared")
        declaration.maximumKeys = section.integer("max_keys", in: .min ... .max) as Int?
        declaration.mode = section.choice("mode", [("exact", .exact), ("leased", .leased), ("local", .local)])
        if faults.count > faultsBefore { declaration.isShared = nil }
        return declaration
    }

    private func harmlessAlgorithm(_ section: Section, _ rate: Rate?) -> LimitDeclaration.AlgorithmName {
        if section.has("time_zone") || section.has("anchor_day") || rate?.needsCalendar == true { return .calendar }
        return section.has("burst") ? .tokenBucket : .slidingWindow
    }

    private func readAnchorDay(_ section: Section) -> LimitDeclaration.AnchorDay? {
        section.read("anchor_day", "a day of the month from 1 to 31, or a weekday like monday") {
            text throws(ConfigurationError) in
            if let day = Int(text), (1...31).contains(day) { return .month(day) }
            if let index = Self.weekdays.firstIndex(of: text) { return .week(index + 1) }
            throw ConfigurationError(
                "`\(text)` is not a day on which a period begins; use 1 to 31 for months, or monday to sunday for weeks"
            )
        }
    }

    private static let weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

    private static let harmlessRate = try? Rate(parsing: "1/day")

    private func readName(_ section: Section) -> String {
        guard section.has("name") else {
            faults.add("the limit has no name; add one, like `name: global`", section.position)
            return placeholder(section)
        }
        return section.text("name", "a name")?.text ?? placeholder(section)
    }

    private func placeholder(_ section: Section) -> String { "line-\(section.position.line)" }

    private func readDimensions(_ section: Section) -> [Dimension]? {
        guard let value = section.value("per") else { return nil }
        switch value.content {
        case .nothing, .mapping:
            faults.add(
                "`\(section.title("per"))` should be a dimension or a list of them, but is \(value.kind); use tenant, service, route, method, client_ip, header:<name>, claim:<name> or everyone",
                section.place(of: "per") ?? value.position)
            return nil
        case .scalar("everyone", _): return []
        case .scalar: return readDimension(value).map { [$0] }
        case .list(let list):
            guard !list.isEmpty else {
                faults.add(
                    "`\(section.title("per"))` is an empty list; write `per: everyone` for one shared counter",
                    value.position)
                return nil
            }
            var dimensions: [Dimension] = []
            for element in list {
                if case .scalar("everyone", _) = element.content {
                    faults.add("`everyone` stands alone, not in a list; remove it or the others", element.position)
                } else if let dimension = readDimension(element) {
                    if dimensions.contains(dimension) {
                        faults.add("`\(dimension.description)` is listed twice; once is enough", element.position)
                    } else {
                        dimensions.append(dimension)
                    }
                }
            }
            return dimensions
        }
    }

    private func readDimension(_ value: YAMLValue) -> Dimension? {
        guard case .scalar(let text, _) = value.content else {
            faults.add("a dimension should be a word like tenant or client_ip, but is \(value.kind)", value.position)
            return nil
        }
        return faults.limit(at: value.position) { () throws(LimitError) in try Dimension(parsing: text) }
    }

    /// Declares it, and after a fault again without what was wrong, so that all its faults are found and
    /// those limits that build on it have something to build on.
    private func declare(
        _ declaration: LimitDeclaration, _ section: Section, in scope: inout LimitScope, isPublic: Bool
    ) {
        if isPublic, declaration.per?.contains(where: \.isOfCaller) == true {
            addNobodyAsked(declaration.name, section.place(of: "per") ?? section.position)
        } else if declaration.per?.contains(where: \.isClaim) == true, !hasTokens {
            faults.add(
                "the limit `\(declaration.name)` counts by a claim, and without tokens there are none; add `identity.jwt`",
                section.place(of: "per") ?? section.position)
        } else if declaration.per?.contains(.tenant) == true, !hasTenants {
            faults.add(
                "the limit `\(declaration.name)` is per tenant, but without an `identity` no request has one; add `identity.api_keys`, `identity.jwt` or `identity.header`",
                section.place(of: "per") ?? section.position)
        }
        let writtenName = declaration.name
        var declaration = declaration
        while true {
            var attempt = scope
            do {
                try attempt.declare(declaration)
                scope = attempt
                let limit = attempt.limits.first { $0.limit.name == declaration.name }?.limit
                if isPublic, declaration.per == nil, limit?.per.contains(where: \.isOfCaller) == true {
                    addNobodyAsked(writtenName, section.place(of: "name") ?? section.position)
                }
                return
            } catch {
                let message = error.message.replacing("`\(declaration.name)`", with: "`\(writtenName)`")
                faults.add(message, error.key.flatMap(section.place(of:)) ?? section.position)
                let repaired = repaired(declaration, error, section)
                guard repaired != declaration else { return }
                declaration = repaired
            }
        }
    }

    private func addNobodyAsked(_ name: String, _ place: Position) {
        faults.add(
            "the limit `\(name)` counts by who calls, and `authentication: none` asks nobody; count by client_ip, or remove one of them",
            place)
    }

    private func repaired(
        _ declaration: LimitDeclaration, _ error: LimitError, _ section: Section
    ) -> LimitDeclaration {
        var repaired = declaration
        switch (error.code, error.key) {
        case (.missing, _) where declaration.rate == nil: repaired.rate = Self.harmlessRate
        case (.missing, _), (_, "per"): repaired.per = []
        case (.inexactRate, _): repaired.rate = Self.harmlessRate
        case (.invalidRate, _) where declaration.rate?.needsCalendar == true: repaired.algorithm = .calendar
        case (.invalidRate, _): repaired.algorithm = .slidingWindow
        case (_, "time_zone"): repaired.timeZone = nil
        case (_, "anchor_day"): repaired.anchorDay = nil
        case (.invalidName, _): repaired.name = placeholder(section)
        case (.invalidBurst, _): repaired.burst = nil
        case (.invalidMaximumKeys, _): repaired.maximumKeys = nil
        case (_, "guard"): repaired.isGuard = false
        case (_, "count"): repaired.counts = .requests
        case (_, "shared"): repaired.isShared = nil
        case (_, "on_store_failure"): repaired.onStoreFailure = nil
        default: break
        }
        return repaired
    }
}
