import LimiterCore

/// Which plan tenants have, as keys, `tenants` and `identity.default_plan` say: one each.
struct PlanAssignments {
    private struct Assignment {
        let plan: String
        /// `file:line`
        let place: String
    }

    /// The plans that there are.
    let known: [String]
    private var ofTenant: [TenantKey: Assignment] = [:]
    private var ofOthers: String?

    init(known: [String]) { self.known = known }

    mutating func assign(_ plan: String, to tenant: String, at position: Position, _ faults: Faults) {
        guard isKnown(plan, at: position, faults) else { return }
        let key = TenantKey(tenant)
        if let other = ofTenant[key], other.plan != plan {
            faults.add(
                "the tenant `\(tenant)` has the plan `\(plan)` here and `\(other.plan)` in \(other.place); a tenant has one plan, with all of its keys",
                position)
            return
        }
        ofTenant[key] = ofTenant[key] ?? Assignment(plan: plan, place: "\(faults.file):\(position.line)")
    }

    mutating func assignToOthers(_ plan: String, at position: Position, _ faults: Faults) {
        if isKnown(plan, at: position, faults) { ofOthers = plan }
    }

    private func isKnown(_ plan: String, at position: Position, _ faults: Faults) -> Bool {
        if known.contains(plan) { return true }
        let hint =
            if known.isEmpty {
                "there are none; add it under `plans`"
            } else if let near = Spelling.nearest(plan, in: known) {
                "did you mean `\(near)`?"
            } else {
                "there are \(known.joined(separator: ", "))"
            }
        faults.add("there is no plan `\(plan)`; \(hint)", position)
        return false
    }

    func apply(to plans: inout TenantPlans) {
        for (tenant, assignment) in ofTenant { plans.assign(assignment.plan, to: tenant.id) }
        if let ofOthers { plans.assignToOthers(ofOthers) }
    }

    /// Reads `tenants`, of which each has a plan.
    mutating func read(_ file: Section, hasTenants: Bool, _ faults: Faults) {
        let list = file.list("tenants", of: "tenants like {name: acme, plan: pro}") ?? []
        if let place = file.place(of: "tenants"), !hasTenants {
            faults.add(
                "there are `tenants`, but without an `identity` no request has one; add `identity.api_keys`, `identity.jwt` or `identity.header`",
                place)
        }
        var lines: [TenantKey: Int] = [:]
        for element in list {
            guard let section = Section(element, "tenants", keys: ["name", "plan"], faults) else { continue }
            for key in ["name", "plan"] where !section.has(key) {
                faults.add("a tenant has no `\(key)`; write {name: acme, plan: pro}", section.position)
            }
            guard let tenant = section.read("name", "a tenant's id", Self.checkTenant) else { continue }
            if let line = lines[TenantKey(tenant)] {
                faults.add(
                    "the tenant `\(tenant)` is there already, on line \(line); once is enough",
                    section.place(of: "name") ?? section.position)
                continue
            }
            lines[TenantKey(tenant)] = section.position.line
            if let (plan, position) = section.text("plan", "a plan's name") {
                assign(plan, to: tenant, at: position, faults)
            }
        }
    }

    static func checkTenant(_ text: String) throws(ConfigurationError) -> String {
        guard (1...256).contains(text.utf8.count) else {
            throw ConfigurationError("a tenant's id should have 1 to 256 bytes, but has \(text.utf8.count)")
        }
        guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw ConfigurationError("a tenant's id has a control character; remove it")
        }
        return text
    }
}
