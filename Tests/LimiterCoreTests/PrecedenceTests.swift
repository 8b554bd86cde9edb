import LimiterCore
import TestSupport
import Testing

/// The effective limit is the most specific one, and all limits that apply are charged exactly once: against a model that knows nothing
/// of tables and groups, over configurations, plans and overrides at random.
@Suite struct PrecedenceTests {
    private static let names = ["a", "b", "c"]
    private static let services = ["one", "two", "three"]
    private static let routes = ["x", "y"]

    /// What is said of a limit somewhere.
    private struct Value {
        var count: Int64
        var period: String
        var burst: Int64?

        init(_ random: inout SeededGenerator, isBucket: Bool) {
            count = .random(in: 1...12, using: &random)
            period = ["minute", "hour"].randomElement(using: &random)!
            burst = isBucket && Bool.random(using: &random) ? .random(in: 1...12, using: &random) : nil
        }

        var rate: String { "\(count)/\(period)" }
        var capacity: Int64 { burst ?? count }
    }

    /// Everything that is said, by where.
    private struct World {
        var bucket = names.randomElement()!
        var global: [String: Value] = [:]
        var ofService: [String: [String: Value]] = [:]
        var ofRoute: [String: [String: Value]] = [:]
        var plan: [LimitChange] = []
        var overrides: [LimitOverride] = []

        init(_ random: inout SeededGenerator) throws {
            bucket = names.randomElement(using: &random)!
            func some(_ often: Int, _ random: inout SeededGenerator) -> [String: Value] {
                var values: [String: Value] = [:]
                for name in names where Int.random(in: 0..<10, using: &random) < often {
                    values[name] = Value(&random, isBucket: name == bucket)
                }
                return values
            }
            global = some(7, &random)
            for service in services {
                ofService[service] = some(4, &random)
                for route in routes { ofRoute[service + route] = some(2, &random) }
            }
            for name in names {
                for service in [nil] + services.map(Optional.some) {
                    for route in service == nil ? [nil] : [nil] + routes.map(Optional.some)
                    where Int.random(in: 0..<5, using: &random) == 0 {
                        let value = Value(&random, isBucket: name == bucket)
                        plan.append(
                            LimitChange(
                                .plan("p"), limit: name, service: service, route: route,
                                rate: try Rate(parsing: value.rate), burst: value.burst))
                    }
                    if Int.random(in: 0..<6, using: &random) == 0 {
                        let value = Value(&random, isBucket: name == bucket)
                        overrides.append(
                            LimitOverride(
                                .init(tenant: "acme", limit: name, service: service),
                                rate: try Rate(parsing: value.rate),
                                burst: value.burst))
                    }
                }
            }
        }

        func table() throws -> LimitTable {
            func declare(_ values: [String: Value], in scope: inout LimitScope) throws {
                for name in names {
                    guard let value = values[name] else { continue }
                    try scope.declare(
                        name == bucket
                            ? .bucket(name, value.rate, burst: value.burst ?? value.count) : .window(name, value.rate))
                }
            }
            var scope = LimitScope()
            try declare(global, in: &scope)
            return LimitTable(
                global: scope,
                services: try services.map { service in
                    var own = scope.service(service)
                    try declare(ofService[service] ?? [:], in: &own)
                    return LimitTable.ServiceLimits(
                        name: service, scope: own,
                        routes: try routes.map { route in
                            var last = own.route(route)
                            try declare(ofRoute[service + route] ?? [:], in: &last)
                            return (route, last)
                        })
                })
        }

        /// The capacity and period of a name at a place, and whose counter it is; nil: no such limit applies there.
        func limit(_ name: String, _ service: String, _ route: String) -> (
            capacity: Int64, period: Int64, owner: String
        )? {
            var found: (Value, String)?
            if let value = global[name] { found = (value, "") }
            if let value = ofService[service]?[name] { found = (value, service) }
            if let value = ofRoute[service + route]?[name] { found = (value, service + route) }
            guard let (value, owner) = found else { return nil }
            var (capacity, period) = (value.capacity, Int64(value.period == "minute" ? 60 : 3600))
            let planned =
                plan.first { $0.limit == name && $0.service == service && $0.route == route }
                ?? plan.first { $0.limit == name && $0.service == service && $0.route == nil }
                ?? plan.first { $0.limit == name && $0.service == nil }
            if let planned, let rate = planned.rate {
                (capacity, period) = (name == bucket ? planned.burst ?? rate.count : rate.count, rate.periodSeconds)
            }
            let overridden =
                overrides.first { $0.subject.limit == name && $0.subject.service == service }
                ?? overrides.first { $0.subject.limit == name && $0.subject.service == nil }
            if let overridden {
                capacity = name == bucket ? overridden.burst ?? overridden.rate.count : overridden.rate.count
                period = overridden.rate.periodSeconds
            }
            return (capacity, period, owner)
        }

        /// Leaves out what a configuration or the API would refuse, one after the other.
        mutating func removeRefused(_ base: LimitTable) {
            while let fault = base.changed(by: [plan]).faults.first { plan.removeAll { $0 == fault.change } }
            while let fault = base.changed(by: [plan, overrides.map(\.change)]).faults.first {
                overrides.removeAll { $0.change == fault.change }
                plan.removeAll { $0 == fault.change }
            }
        }
    }

    private struct Counter: Hashable {
        var name: String
        var owner: String
        /// Windows of another length are counted apart; a bucket keeps its tokens.
        var period: Int64
    }

    @Test func theMostSpecificValueCountsAndAllThatApplyAreChargedOnce() throws {
        var random = SeededGenerator()
        var changed = 0
        for _ in 0..<300 {
            var world = try World(&random)
            let base = try world.table()
            world.removeRefused(base)
            changed += world.plan.count + world.overrides.count
            var plans = TenantPlans()
            plans.add(TenantPlans.Plan.make("p", world.plan, of: base).plan)
            plans.assign("p", to: "acme")
            let limits = base.serving(plans)
            let table = LimitOverrides(world.overrides, of: limits).table(of: "acme")
            try check(table, world, &random)
            try check(limits.table(of: "acme"), without(overrides: world), &random)
        }
        #expect(changed > 300, "the worlds differ")
    }

    private func without(overrides world: World) -> World {
        var world = world
        world.overrides = []
        return world
    }

    private func check(_ table: LimitTable, _ world: World, _ random: inout SeededGenerator) throws {
        let store = LocalStore(labels: table.labels, time: ManualTime())
        var used: [Counter: Int64] = [:]
        for _ in 0..<40 {
            let (s, r) = (Int.random(in: 0..<3, using: &random), Int.random(in: 0..<2, using: &random))
            let group = table.services[s].routes[r]
            var counters: [(counter: Counter, capacity: Int64)] = []
            for name in Self.names {
                guard let limit = world.limit(name, Self.services[s], Self.routes[r]) else { continue }
                let period = name == world.bucket ? 0 : limit.period
                counters.append((Counter(name: name, owner: limit.owner, period: period), limit.capacity))
            }
            try #require(Set(group.limits.map(\.name)) == Set(counters.map(\.counter.name)))
            let passes = counters.allSatisfy { used[$0.counter, default: 0] < $0.capacity }
            let decision = try #require(store.ask(group))
            try #require(decision.isAllowed == passes)
            if passes { for (counter, _) in counters { used[counter, default: 0] += 1 } }
            for (limit, verdict) in zip(group.limits, decision.verdicts) {
                let (counter, capacity) = counters.first { $0.counter.name == limit.name }!
                try #require(verdict.limit == capacity, "\(limit.name) at \(Self.services[s]) \(Self.routes[r])")
                try #require(verdict.remaining == max(0, capacity - used[counter, default: 0]))
            }
        }
    }
}
