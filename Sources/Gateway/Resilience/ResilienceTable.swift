import HTTPWire
import NIOCore
import Telemetry
import WeirConfiguration

/// What all services and routes do about upstreams that fail, and what they share across workers. What a configuration
/// declares as the one before did keeps its state.
struct ResilienceTable: Sendable {
    /// Who declared something.
    struct Owner: Hashable, Sendable {
        let service: String
        let route: String?
    }

    /// By service and route.
    private(set) var routes: [[ResiliencePlan?]] = []
    /// By service: what holds where another one falls back to it.
    private(set) var services: [ResiliencePlan?] = []
    private(set) var breakers: [Owner: SharedBreaker] = [:]
    private(set) var inFlight: [Owner: RequestsInFlight] = [:]
    private(set) var budgets: [(owner: Owner, percent: Int)] = []
    private(set) var caches: [(owner: Owner, rules: StaleRules)] = []
    /// Of all that are declared; nil: none is.
    private(set) var shortestTimeout: Duration?

    init(_ services: [Service], following previous: ResilienceTable? = nil) {
        let names = services.map(\.name)
        for service in services {
            let ofService = service.resilience
            let owner = Owner(service: service.name, route: nil)
            self.services.append(make(ofService, { _ in owner }, names, previous))
            routes.append(
                service.routes.map { route in
                    let own = route.resilience
                    return make(
                        ofService.replaced(by: own),
                        { $0(own) ? Owner(service: service.name, route: route.name) : owner },
                        names, previous)
                })
        }
    }

    /// Each once, in the order of their names.
    var gauges: [BreakerGauge] {
        breakers.values.map(\.gauge).sorted { ($0.service, $0.route ?? "") < ($1.service, $1.route ?? "") }
    }

    /// `owner`: of a part that the route's own declaration has, or has not.
    private mutating func make(
        _ declared: Resilience, _ owner: ((Resilience) -> Bool) -> Owner, _ names: [String],
        _ previous: ResilienceTable?
    ) -> ResiliencePlan? {
        guard !declared.isEmpty else { return nil }
        var parts = ResiliencePlan.Parts()
        if let rules = declared.retries?.rules {
            parts.retries = ResiliencePlan.Retries(
                rules: rules,
                backoff: Backoff(
                    firstNanoseconds: TimeAmount(rules.backoff).nanoseconds,
                    longestNanoseconds: TimeAmount(rules.maximumBackoff).nanoseconds),
                budget: budget(of: owner { $0.retries != nil }, rules.budgetPercent))
        }
        if let rules = declared.breaker?.rules {
            parts.breaker = breaker(of: owner { $0.breaker != nil }, CircuitBreaker.Rules(rules), previous)
        }
        parts.answers = (declared.onFailure ?? []).compactMap { answer in
            switch answer {
            case .stale: .stale
            case .fallback(let name): names.firstIndex(of: name).map { .fallback($0) }
            }
        }
        if parts.answers.contains(.stale) {
            let rules = declared.stale ?? StaleRules()
            parts.stale = ResiliencePlan.Stale(
                rules: rules, vary: rules.vary.compactMap { FieldName($0) },
                cache: cache(of: owner { $0.stale != nil || $0.onFailure != nil }, rules))
        }
        if let maximum = declared.concurrency?.rules {
            parts.concurrency = ResiliencePlan.Concurrency(
                inFlight: inFlight(of: owner { $0.concurrency != nil }, previous), maximum: maximum)
        }
        if let times = declared.timeouts {
            shortestTimeout = ([times.connect, times.attempt, times.total, shortestTimeout] as [Duration?])
                .compactMap { $0 }.min()
        }
        return ResiliencePlan(declared, parts)
    }

    private mutating func budget(of owner: Owner, _ percent: Int) -> Int {
        if let known = budgets.firstIndex(where: { $0.owner == owner }) { return known }
        budgets.append((owner, percent))
        return budgets.count - 1
    }

    private mutating func cache(of owner: Owner, _ rules: StaleRules) -> Int {
        if let known = caches.firstIndex(where: { $0.owner == owner }) { return known }
        caches.append((owner, rules))
        return caches.count - 1
    }

    private mutating func breaker(
        of owner: Owner, _ rules: CircuitBreaker.Rules, _ previous: ResilienceTable?
    ) -> SharedBreaker {
        if let known = breakers[owner] { return known }
        let before = previous?.breakers[owner].flatMap { $0.rules == rules ? $0 : nil }
        let breaker =
            before ?? SharedBreaker(rules, gauge: BreakerGauge(service: owner.service, route: owner.route))
        breakers[owner] = breaker
        return breaker
    }

    private mutating func inFlight(of owner: Owner, _ previous: ResilienceTable?) -> RequestsInFlight {
        if let known = inFlight[owner] { return known }
        let counter = previous?.inFlight[owner] ?? RequestsInFlight()
        inFlight[owner] = counter
        return counter
    }
}

extension CircuitBreaker.Rules {
    init(_ rules: BreakerRules) {
        self.init(
            windowNanoseconds: TimeAmount(rules.window).nanoseconds, minimumRequests: rules.minimumRequests,
            errorPercent: rules.errorPercent, consecutiveFailures: rules.consecutiveFailures,
            slowPercent: rules.slow?.percent, openNanoseconds: TimeAmount(rules.open).nanoseconds,
            longestOpenNanoseconds: TimeAmount(rules.longestOpen).nanoseconds, probes: rules.probes)
    }
}

/// What one worker keeps for a table's owners.
struct ResilienceState {
    var budgets: [RetryBudget]
    var caches: [StaleCache]

    /// Who declares what it declared in `previous` goes on with what it had there.
    init(_ table: ResilienceTable, following previous: (table: ResilienceTable, state: ResilienceState)? = nil) {
        budgets = table.budgets.map { budget in
            let before = previous?.table.budgets.firstIndex { $0.owner == budget.owner && $0.percent == budget.percent }
            if let before, let previous { return previous.state.budgets[before] }
            return RetryBudget(percent: budget.percent)
        }
        caches = table.caches.map { cache in
            let before = previous?.table.caches.firstIndex { $0.owner == cache.owner && $0.rules == cache.rules }
            if let before, let previous { return previous.state.caches[before] }
            return StaleCache(maximumEntries: cache.rules.maximumEntries, maximumBytes: cache.rules.maximumBytes)
        }
    }
}
