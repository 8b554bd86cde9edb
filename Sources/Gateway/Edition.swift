import NIOCore
import Telemetry
import WeirConfiguration

/// What one worker makes of one configuration. Another configuration gets another edition; an exchange keeps the one with
/// which it began.
final class Edition {
    let plan: Plan
    let timeouts: Timeouts
    /// What each request's body begins with.
    let patience: BodyPatience
    let longestBody: Int64
    /// By the index of the service in the plan.
    var upstreams: [ServiceUpstreams] = []
    var authenticator: Authenticator
    var tenantLimits: TenantLimits
    var budgets = BudgetCache()
    /// Of the plan's services and routes, by their indices.
    let traffic: WorkerTraffic
    var failures: FailureLog
    var resilience: ResilienceState

    /// `previous` is the one whose place it takes. `keySource` gives what the worker has of an address's keys.
    init(
        _ plan: Plan, traffic: WorkerTraffic, following previous: Edition? = nil, keySource: (String) -> KeySource
    ) {
        self.plan = plan
        self.traffic = traffic
        failures = FailureLog(services: plan.services.count)
        resilience = ResilienceState(
            plan.resilience, following: previous.map { ($0.plan.resilience, $0.resilience) })
        timeouts = Timeouts(plan.settings.timeouts)
        patience = BodyPatience(timeout: timeouts.body, leastRate: plan.settings.minimumBodyRate)
        longestBody = plan.settings.maximumBodyBytes ?? .max
        authenticator = Authenticator(plan.identity, source: keySource)
        tenantLimits = TenantLimits(plan)
    }

    /// From now on these are in force, if they are of the same limits.
    func use(_ overrides: OverridePlan) {
        guard overrides.limits === plan.limits else { return }
        tenantLimits.use(overrides)
        budgets.forget()
    }
}

/// The configured times in nanoseconds.
struct Timeouts {
    let header, idle, body, connect, upstream, farewell: Int64

    init(_ times: GatewaySettings.Timeouts) {
        header = TimeAmount(times.header).nanoseconds
        idle = TimeAmount(times.idle).nanoseconds
        body = TimeAmount(times.body).nanoseconds
        connect = TimeAmount(times.connect).nanoseconds
        upstream = TimeAmount(times.upstream).nanoseconds
        farewell = min(body, 5_000_000_000)
    }
}
