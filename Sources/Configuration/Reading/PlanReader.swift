import LimiterCore

/// Reads plans: names with values for limits that are declared elsewhere.
struct PlanReader {
    let faults: Faults

    struct Plan {
        let name: String
        var changes: [(change: LimitChange, section: Section)] = []
    }

    private static let keys = ["name", "rate", "burst", "service", "route"]

    func read(_ file: Section) -> [Plan] {
        var plans: [Plan] = []
        var lines: [String: Int] = [:]
        for element in file.list("plans", of: "plans like {name: pro, limits: [...]}") ?? [] {
            guard let section = Section(element, "plans", keys: ["name", "limits"], faults) else { continue }
            let name = readName(section)
            if let line = lines[name] {
                faults.add(
                    "the plan `\(name)` is there already, on line \(line); give one of them another name",
                    section.place(of: "name") ?? section.position)
            }
            lines[name] = lines[name] ?? section.position.line
            var plan = Plan(name: name)
            for element in section.list("limits", of: "limits like {name: global, rate: 500/minute}") ?? [] {
                guard let limit = Section(element, "plans.limits", keys: Self.keys, refused: Self.refusal, faults)
                else {
                    continue
                }
                readChange(limit, of: &plan)
            }
            plans.append(plan)
        }
        return plans
    }

    private static func refusal(of key: String) -> String? {
        guard LimitReader.keys.contains(key) else { return nil }
        return
            "a plan cannot change `\(key)`; it gives a limit another `rate` or `burst`, and the rest stays as declared under `limits`"
    }

    private func readName(_ section: Section) -> String {
        guard section.has("name") else {
            faults.add("the plan has no name; add one, like `name: pro`", section.position)
            return "line-\(section.position.line)"
        }
        let name = section.read("name", "a name") { text throws(ConfigurationError) in
            guard LimitDeclaration.isValidName(text) else {
                throw ConfigurationError("`\(text)` cannot be a plan's name; use 1 to 64 of a-z, 0-9, _ and -")
            }
            return text
        }
        return name ?? "line-\(section.position.line)"
    }

    private func readChange(_ section: Section, of plan: inout Plan) {
        let faultsBefore = faults.count
        if !section.has("name") {
            faults.add("the limit has no name; name the one whose value changes", section.position)
        }
        if !section.has("rate"), !section.has("burst") {
            faults.add("nothing changes here; add a `rate`, like `rate: 500/minute`", section.position)
        }
        if section.has("route"), !section.has("service"), let place = section.place(of: "route") {
            faults.add("a route is one of a service's; add `service`", place)
        }
        var change = LimitChange(.plan(plan.name), limit: section.text("name", "a limit's name")?.text ?? "")
        change.service = section.text("service", "a service's name")?.text
        change.route = section.text("route", "a route's name")?.text
        if let (text, position) = section.text("rate", "a rate like 500/minute") {
            change.rate = faults.limit(at: position) { () throws(LimitError) in try Rate(parsing: text) }
        }
        change.burst = section.integer("burst", in: .min ... .max) as Int64?
        guard faults.count == faultsBefore else { return }
        let other = plan.changes.first { other, _ in
            other.limit == change.limit && other.service == change.service && other.route == change.route
        }
        if let other {
            faults.add(
                "the plan gives `\(change.limit)` a value here already, on line \(other.section.position.line); keep one of them",
                section.position)
            return
        }
        plan.changes.append((change, section))
    }

    /// Makes the plans of what they change; what cannot be is a fault where it stands.
    func make(_ plans: [Plan], of limits: LimitTable) -> TenantPlans {
        var made = TenantPlans()
        for plan in plans {
            let (table, found) = TenantPlans.Plan.make(plan.name, plan.changes.map(\.change), of: limits)
            for fault in found {
                guard let section = plan.changes.first(where: { $0.change == fault.change })?.section else { continue }
                faults.add(
                    fault.error.message, fault.error.key.flatMap(section.place(of:)) ?? section.position)
            }
            made.add(table)
        }
        return made
    }
}
