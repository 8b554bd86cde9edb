extension LimitTable {
    /// A change that some limit cannot take, and why.
    package struct Fault: Error, Hashable, Sendable {
        package let change: LimitChange
        package let error: LimitError
    }

    /// The table with other values: each limit takes the narrowest change of each list that is for it, those of later lists on top.
    ///
    /// A change that cannot be made at some place is left out there, and is one of the `faults`, once. What nothing changes stays the
    /// same object. O(limits of all routes · changes).
    package func changed(by lists: [[LimitChange]]) -> (table: LimitTable, faults: [Fault]) {
        var faults: [Fault] = []
        func note(_ change: LimitChange, _ error: LimitError) {
            if !faults.contains(where: { $0.change == change }) { faults.append(Fault(change: change, error: error)) }
        }
        for change in lists.joined() { if let error = refusal(of: change) { note(change, error) } }
        func change(_ limit: EffectiveLimit, _ service: String?, _ route: String?) -> ScopedLimit? {
            guard limit.limit.needsTenant else { return nil }
            var changed: ScopedLimit?
            for list in lists {
                let matching = list.filter { $0.isFor(limit.name, service: service, route: route) }
                guard let narrowest = matching.max(by: { $0.narrowness < $1.narrowness }) else { continue }
                do throws(LimitError) {
                    changed = try (changed ?? limit.scoped).changed(by: narrowest)
                } catch {
                    note(narrowest, error)
                }
            }
            return changed
        }
        let services = self.services.map { service in
            ServiceGroups(
                name: service.name,
                whole: service.whole.changing { change($0, service.name, nil) },
                routes: zip(service.routes, service.routeNames).map { group, route in
                    group.changing { change($0, service.name, route) }
                },
                routeNames: service.routeNames)
        }
        let own = tenantCounters.changing { change($0, $0.service, $0.route) }
        let views = Self.views(services, beside: own)
        var refused: Set<LimitChange> = []
        for view in views {
            if case .change(let change)? = view.layers.first?.source, let error = view.refusal(beside: own) {
                note(change, error)
                refused.insert(change)
            }
        }
        if !refused.isEmpty {
            // Without them others of their list may be the narrowest.
            let rest = changed(by: lists.map { $0.filter { !refused.contains($0) } })
            return (rest.table, faults + rest.faults.filter { !faults.contains($0) })
        }
        let counters =
            views.isEmpty ? own : LimitGroup(own.limits.map { LimitGroup.Member($0) } + views.map(\.member))
        let table = LimitTable(self, services: services, tenantCounters: counters, plans: plans)
        return (table, faults)
    }

    /// Why there is nothing that the change could be for; nil: there is something.
    package func refusal(of change: LimitChange) -> LimitError? {
        let name = change.limit
        let named = services.flatMap { service in
            ([service.whole] + service.routes).flatMap { group in group.limits.filter { $0.name == name } }
        }
        if named.isEmpty || !named.contains(where: \.limit.needsTenant) { return refusal(ofLimit: name) }
        guard let wanted = change.service else { return nil }
        guard let service = service(named: wanted) else {
            return LimitError(
                .unknown, "there is no service `\(wanted)`; the services are \(Self.list(services.map(\.name)))",
                key: "service")
        }
        var groups = [service.whole] + service.routes
        if let route = change.route {
            guard let index = service.routeNames.firstIndex(of: route) else {
                return LimitError(
                    .unknown,
                    "the service `\(wanted)` has no route `\(route)`; its routes are \(Self.list(service.routeNames))",
                    key: "route")
            }
            groups = [service.routes[index]]
        }
        let here = groups.flatMap(\.limits)
        guard !here.contains(where: { $0.name == name && $0.limit.needsTenant }) else { return nil }
        let place = change.route.map { "the route `\($0)` of `\(wanted)`" } ?? "`\(wanted)`"
        return LimitError(
            .unknown,
            "no limit `\(name)` that is per tenant applies to requests to \(place); those that do are \(Self.list(here.filter(\.limit.needsTenant).map(\.name)))",
            key: change.route == nil ? "service" : "route")
    }

    private func refusal(ofLimit name: String) -> LimitError {
        let isEarly = (guards.limits + failedAuthentications.limits).contains { $0.name == name }
        if isEarly || sharedCounters.limits.contains(where: { $0.name == name }) {
            let reason = isEarly ? "is decided before anybody knows whose a request is" : "is not kept per tenant"
            return LimitError(
                .conflict,
                "the limit `\(name)` \(reason), so it has one value for all; change it where it is declared",
                key: "name")
        }
        return LimitError(
            .unknown,
            "there is no limit `\(name)`; those that are per tenant are \(Self.list(tenantCounters.limits.map(\.name)))",
            key: "name")
    }

    /// Each once, and not more than a reader takes in.
    private static func list(_ names: [String]) -> String {
        var unique: [String] = []
        for name in names where !unique.contains(name) { unique.append(name) }
        if unique.isEmpty { return "none" }
        return unique.prefix(30).joined(separator: ", ") + (unique.count > 30 ? ", …" : "")
    }

    /// A counter of a wider scope as the requests of one service or route see it.
    private struct View {
        let member: LimitGroup.Member
        let rule: CounterRule

        var layers: [LimitLayer] { member.scoped.layers }

        func isOf(_ limit: EffectiveLimit) -> Bool {
            limit.name == member.scoped.limit.name && limit.owner == member.scoped.owner
                && (limit.service == nil || limit.service == member.service)
        }

        /// Several values of one counter: windows of one length can have that, and equal periods of the calendar.
        func refusal(beside counters: LimitGroup) -> LimitError? {
            guard let whole = counters.limits.first(where: isOf) else { return nil }
            guard rule.isWindow, whole.rule.algorithm == rule.algorithm,
                whole.rule.periodMicroseconds == rule.periodMicroseconds,
                whole.limit.calendar == member.scoped.limit.calendar
            else {
                let place = whole.owner.service.map { "all routes of `\($0)`" } ?? "all services"
                return LimitError(
                    .conflict,
                    "the limit `\(whole.name)` is counted over \(place), so one of them can only have another number of units in the same window as the others (\(whole.limit.rate)); leave out the place, or declare a limit of that name there",
                    key: "rate")
            }
            return nil
        }
    }

    /// What changes with a narrower place than their counter's see otherwise than the counter's own row says.
    private static func views(_ services: [ServiceGroups], beside counters: LimitGroup) -> [View] {
        var views: [View] = []
        var listed: Set<[String?]> = []
        func look(_ group: LimitGroup) {
            for limit in group.limits {
                guard case .change(let change)? = limit.layers.first?.source, let service = change.service,
                    limit.service == nil || (limit.route == nil && change.route != nil),
                    listed.insert([limit.name, service, change.route]).inserted
                else { continue }
                views.append(
                    View(
                        member: LimitGroup.Member(
                            scoped: limit.scoped, service: service, route: change.route, index: limit.index,
                            isView: true),
                        rule: limit.rule))
            }
        }
        for service in services {
            look(service.whole)
            service.routes.forEach(look)
        }
        return views
    }
}
