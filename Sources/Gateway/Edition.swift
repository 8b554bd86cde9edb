import NIOCore
import WeirConfiguration

/// What one worker makes of one configuration. Another configuration gets another edition; an exchange keeps the one with
/// which it began.
final class Edition {
    let plan: Plan
    let timeouts: Timeouts
    /// What each request's body begins with.
    let patience: BodyPatience
    let longestBody: Int64
    /// By the index of the upstream in the plan.
    var gates: [UpstreamGate] = []
    var authenticator: Authenticator
    var tenantLimits: TenantLimits
    var budgets = BudgetCache()
    var resilience: ResilienceState

    init(_ plan: Plan, following previous: Edition? = nil) {
        self.plan = plan
        resilience = ResilienceState(
            plan.resilience, following: previous.map { ($0.plan.resilience, $0.resilience) })
        timeouts = Timeouts(plan.settings.timeouts)
        patience = BodyPatience(timeout: timeouts.body, leastRate: plan.settings.minimumBodyRate)
        longestBody = plan.settings.maximumBodyBytes ?? .max
        authenticator = Authenticator(plan.identity)
        tenantLimits = TenantLimits(plan)
    }

    /// From now on these are in force.
    func use(_ overrides: OverridePlan) {
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
