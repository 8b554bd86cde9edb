import Synchronization

/// One limit as it applies to the requests of one route: its numbers, and how to name its counter.
package final class EffectiveLimit: Sendable {
    package let limit: Limit
    /// Of a calendar quota, as in the epoch's first period: ask `rule(at:)`.
    package let rule: CounterRule
    package let owner: LimitLevel
    /// Identifies the counter's owner and name among all limits of the table: an index for metrics and key counts.
    package let index: Int
    /// The service and route that its counter belongs to; nil: to all of them.
    package let service: String?
    package let route: String?
    /// It is the counter of a wider scope, as the requests of `service` and `route` see it.
    let isView: Bool
    /// Who gives it which value: the first is in force, and each replaces those behind it.
    package let layers: [LimitLayer]
    let declaration: LimitDeclaration
    let template: KeyTemplate

    package var name: String { limit.name }

    /// The numbers that hold at `now`, in microseconds since the epoch.
    package func rule(at now: Int64) -> CounterRule {
        limit.calendar.map { CounterRule(limit.capacity, in: $0, at: now, keepsPast: limit.keepsPast) } ?? rule
    }

    var scoped: ScopedLimit {
        ScopedLimit(limit: limit, rule: rule, owner: owner, declaration: declaration, layers: layers)
    }

    init(_ member: LimitGroup.Member, dimensions: [Dimension]) {
        let per = member.scoped.limit.per
        layers = member.scoped.layers
        declaration = member.scoped.declaration
        limit = member.scoped.limit
        rule = member.scoped.rule
        owner = member.scoped.owner
        index = member.index
        service = owner.service ?? (per.contains(where: \.isFixedByRoute) || member.isView ? member.service : nil)
        route = owner.route ?? (per.contains(.route) || member.isView ? member.route : nil)
        isView = member.isView
        template = KeyTemplate(member.scoped, service: member.service, route: member.route, dimensions: dimensions)
    }
}

/// What a decision needs of a limit, without a reference to count.
struct LimitTraits: BitwiseCopyable {
    /// Of a calendar quota, in one of its periods.
    var rule: CounterRule
    let isShadow: Bool
    let isCalendar: Bool
    let mode: Limit.Mode
    /// Whatever the demand.
    let isAlwaysLeased: Bool
    let index: Int
    /// The part of the counter's name that does not depend on the request.
    let identity: KeyHash
    /// Index of the tenant among the group's dimensions; below zero: the limit is not kept per tenant.
    let tenant: Int
    /// Whether other values of the request belong to the name as well.
    let hasOtherValues: Bool

    init(_ limit: EffectiveLimit, dimensions: [Dimension]) {
        rule = limit.rule
        isShadow = limit.limit.isShadow
        isCalendar = limit.limit.calendar != nil
        mode = limit.limit.mode
        isAlwaysLeased = limit.limit.isAlwaysLeased
        index = limit.index
        identity = limit.template.identity
        tenant = limit.limit.needsTenant ? dimensions.firstIndex(of: .tenant)! : -1
        hasOtherValues = !limit.template.otherValues.isEmpty
    }
}

/// The limits that are decided together for a request of one route, prepared so that a request costs no look-up.
package final class LimitGroup: Sendable {
    package let limits: [EffectiveLimit]
    /// The values that a call must supply, in this order: tenant, method, client IP, headers or claims.
    package let dimensions: [Dimension]
    /// Indices of the limits whose cost depends on the request.
    package let variableCosts: [Int]
    /// What happens to those that the shared store decides when it is away: deny before local before allow.
    package let failurePolicy: Limit.FailurePolicy
    let traits: [LimitTraits]
    /// Whether some of its limits may be decided here: they may be leased, or are local.
    let mayLease: Bool
    /// What each limit counts by; of calendar quotas, as in the epoch's first period.
    package let rules: [CounterRule]
    /// Whether some of its limits are calendar quotas, whose rules change with the period.
    package let hasCalendar: Bool
    private let current: Mutex<(from: Int64, until: Int64, traits: [LimitTraits])>
    /// Those that each replica counts for itself.
    let local: Selection
    /// Whether nobody is asked about any of them.
    package let isLocal: Bool
    private let parts = Mutex<[Selection: LimitGroup]>([:])
    /// What each limit takes of a request, 1 where that depends on it.
    let fixedCosts: [Int64]

    /// Some of a group's limits.
    struct Selection: Hashable, Sendable {
        private var bits: UInt64 = 0
        /// Of the limits from the 65th on, 64 each; few groups have as many.
        private var further: [UInt64] = []

        var isEmpty: Bool { bits == 0 && further.isEmpty }
        var count: Int { further.reduce(bits.nonzeroBitCount) { $0 + $1.nonzeroBitCount } }

        func contains(_ index: Int) -> Bool {
            if index < 64 { return bits >> UInt64(index) & 1 == 1 }
            let word = index / 64 - 1
            return word < further.count && further[word] >> UInt64(index % 64) & 1 == 1
        }

        mutating func insert(_ index: Int) {
            if index < 64 {
                bits |= 1 << UInt64(index)
            } else {
                while further.count < index / 64 { further.append(0) }
                further[index / 64 - 1] |= 1 << UInt64(index % 64)
            }
        }

        /// Which limit of the group is the one that stands at `place` among those that are not selected.
        func indexWithout(_ place: Int) -> Int {
            var index = 0
            var left = place
            while contains(index) || left > 0 {
                if !contains(index) { left -= 1 }
                index += 1
            }
            return index
        }
    }

    /// A limit beside the place of the requests that it is for.
    struct Member {
        let scoped: ScopedLimit
        let service: String?
        let route: String?
        let index: Int
        var isView = false
    }

    init(_ members: [Member]) {
        var dimensions: [Dimension] = []
        for dimension in members.flatMap(\.scoped.limit.per)
        where !dimension.isFixedByRoute && !dimensions.contains(dimension) {
            dimensions.append(dimension)
        }
        self.dimensions = dimensions
        let limits = members.map { EffectiveLimit($0, dimensions: dimensions) }
        self.limits = limits
        traits = limits.map { LimitTraits($0, dimensions: dimensions) }
        rules = limits.map(\.rule)
        hasCalendar = limits.contains { $0.limit.calendar != nil }
        current = Mutex((0, 0, []))
        mayLease = limits.contains { $0.limit.mode != .exact }
        var local = Selection()
        for index in limits.indices where limits[index].limit.mode == .local { local.insert(index) }
        self.local = local
        isLocal = !limits.isEmpty && local.count == limits.count
        fixedCosts = limits.map { if case .fixed(let units) = $0.limit.cost { units } else { 1 } }
        let all = members.map(\.scoped.limit)
        variableCosts = all.indices.filter { if case .fixed = all[$0].cost { false } else { true } }
        let policies = all.filter { $0.mode != .local }.map(\.onStoreFailure)
        failurePolicy =
            policies.contains(.deny) ? .deny : policies.contains(.local) || policies.isEmpty ? .local : .allow
    }

    /// The traits with the rules that hold at `now`, in microseconds since the epoch.
    func traits(at now: Int64) -> [LimitTraits] {
        guard hasCalendar else { return traits }
        return current.withLock { current in
            if now < current.from || now >= current.until {
                current.traits = traits
                for index in limits.indices { current.traits[index].rule = limits[index].rule(at: now) }
                let calendars = current.traits.map(\.rule).filter { $0.algorithm == .calendar }
                current.from = calendars.map(\.startMicroseconds).max() ?? 0
                current.until = calendars.map { $0.start(ofWindow: $0.number + 1) }.min() ?? 0
            }
            return current.traits
        }
    }

    /// All but these of its limits; the same object each time.
    func part(without selection: Selection) -> LimitGroup {
        parts.withLock { parts in
            if let part = parts[selection] { return part }
            let part = selecting(limits.indices.filter { !selection.contains($0) })
            parts[selection] = part
            return part
        }
    }

    /// These of its limits alone, with the same counters, in the order of `indices`.
    package func selecting(_ indices: [Int]) -> LimitGroup {
        LimitGroup(indices.map { Member(limits[$0]) })
    }

    /// The same limits, those with another value for which `change` gives one; itself where there are none.
    func changing(_ change: (EffectiveLimit) -> ScopedLimit?) -> LimitGroup {
        let changed = limits.map(change)
        guard changed.contains(where: { $0 != nil }) else { return self }
        return LimitGroup(zip(limits, changed).map { Member($0, as: $1) })
    }
}

extension LimitGroup.Member {
    /// A limit that is a group's already, with another value where there is one.
    init(_ limit: EffectiveLimit, as changed: ScopedLimit? = nil) {
        self.init(
            scoped: changed ?? limit.scoped, service: limit.service, route: limit.route, index: limit.index,
            isView: limit.isView)
    }
}
