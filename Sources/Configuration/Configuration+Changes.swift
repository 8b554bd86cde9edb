import LimiterCore

extension Configuration {
    /// What a running process cannot take over of `next`, as a sentence; nil: it can take it all.
    package func refusal(ofReloading next: Configuration) -> String? {
        var keys: [String] = []
        if gateway.listen != next.gateway.listen { keys.append("gateway.listen") }
        if gateway.workers != next.gateway.workers { keys.append("gateway.workers") }
        if gateway.accessLog.destination != next.gateway.accessLog.destination { keys.append("gateway.access_log") }
        if control != next.control { keys.append("control") }
        if store != next.store { keys.append("store") }
        if usage != next.usage { keys.append("usage") }
        if tracing?.export != next.tracing?.export { keys.append("tracing") }
        if logging != next.logging { keys.append("logging") }
        guard !keys.isEmpty else { return nil }
        let names = keys.map { "`\($0)`" }.joined(separator: ", ")
        return "\(names) cannot change while Weir runs; restart it, or put back what was there"
    }

    /// What is different in `next`, a phrase each; nothing of secrets is in them.
    package func changes(to next: Configuration) -> [String] {
        var changes: [String] = []
        if gateway != next.gateway { changes.append("gateway") }
        if identity != next.identity { changes.append("identity") }
        if dns != next.dns { changes.append("dns") }
        if tracing != next.tracing { changes.append("tracing") }
        changes += Self.changes(
            from: Dictionary(uniqueKeysWithValues: services.map { ($0.name, $0) }),
            to: Dictionary(uniqueKeysWithValues: next.services.map { ($0.name, $0) }), of: "service"
        ) { _, _ in "changed" }
        changes += Self.changes(from: limits.byPlace, to: next.limits.byPlace, of: "limit") { before, after in
            before.rate == after.rate ? "changed" : "\(before.rate) is now \(after.rate)"
        }
        let plans = Dictionary(uniqueKeysWithValues: limits.plans.plans.map { ($0.name, $0.changes) })
        let nextPlans = Dictionary(uniqueKeysWithValues: next.limits.plans.plans.map { ($0.name, $0.changes) })
        changes += Self.changes(from: plans, to: nextPlans, of: "plan") { _, _ in "changed" }
        if !limits.plans.assigns(as: next.limits.plans) { changes.append("plans of tenants") }
        return changes
    }

    private static func changes<Value: Equatable>(
        from before: [String: Value], to after: [String: Value], of what: String,
        _ describe: (Value, Value) -> String
    ) -> [String] {
        Set(before.keys).union(after.keys).sorted().compactMap { name in
            switch (before[name], after[name]) {
            case (nil, _): "\(what) \(name) added"
            case (_, nil): "\(what) \(name) removed"
            case (let old?, let new?): old == new ? nil : "\(what) \(name) \(describe(old, new))"
            }
        }
    }
}

extension LimitTable {
    /// Each limit by its name and whose it is.
    fileprivate var byPlace: [String: Limit] {
        var limits: [String: Limit] = [:]
        for group in [guards, failedAuthentications, tenantCounters, sharedCounters] {
            for limit in group.limits {
                let owner = [limit.owner.service, limit.owner.route].compactMap { $0 }.joined(separator: " ")
                limits[owner.isEmpty ? limit.name : "\(limit.name) of \(owner)"] = limit.limit
            }
        }
        return limits
    }
}
