import LimiterCore
import TestSupport

/// After the last fault: everything must come back by itself.
struct Recovery {
    private let run: Run

    /// So long may it take: the breaker's longest rest and a half, reconnecting, three probes, what a timed-out call keeps from being
    /// told, until a heartbeat of a process that is gone is forgotten, and what sleeps wakes up.
    private static let most: Int64 = 40_000_000

    init(_ run: Run) { self.run = run }

    func perform() {
        let (world, referee) = (run.world, run.referee)
        guard referee.violations.isEmpty else { return }
        world.note(.phase, 0, "nothing is wrong any more")
        // What was sent before may still be on its way.
        world.run(until: world.now + Scenario.second)
        let end = world.now + Self.most
        while world.now < end, !isWhole, referee.violations.isEmpty { world.run(until: world.now + 100_000) }
        guard referee.violations.isEmpty else { return }
        for replica in run.replicas where replica.isUp {
            let status = replica.state!.status
            referee.expect(
                isWell(replica), .liveness,
                "replica \(replica.index) is not back \(Self.most / 1_000_000) s after the last fault: \(status), of \(alive) replicas"
            )
        }
        guard referee.violations.isEmpty else { return }
        referee.isFaultless = true
        referee.knowsAllRequests = false
        askStrangers()
    }

    private var alive: Int { run.replicas.count(where: \.isUp) }

    private var isWhole: Bool { run.replicas.allSatisfy { !$0.isUp || isWell($0) } }

    private func isWell(_ replica: Replica) -> Bool {
        guard replica.isAwake, replica.links.allSatisfy({ $0.connection?.node === run.redis.primary }),
            let status = replica.state?.status
        else { return false }
        return status.phase == .shared && status.replicasAlive == alive && status.unmerged == 0
    }

    /// Each replica is asked for tenants that nobody knows: the store answers, and nobody is refused where the limits are per tenant.
    private func askStrangers() {
        let answers = Answers()
        var stranger = 1_000_000
        let untilMidSecond = 1_200_000 - run.redis.primary.clock.nowMicroseconds % 1_000_000
        for round in 0..<4 {
            for replica in run.replicas where replica.isUp {
                stranger += 1
                let tenant = stranger
                // Units that come as their window ends are of no use: not then.
                let pause = untilMidSecond + Int64(round) * 200_000
                run.world.after(pause) { [run] in
                    let group = run.group(of: replica)
                    let call = LimitCall()
                    call.prepare(group)
                    for _ in group.dimensions { call.appendValue("t\(tenant)") }
                    call.receiver = answers
                    answers.world = run.world
                    answers.asked += 1
                    replica.stores[0].decide(call)
                }
            }
        }
        run.world.run(until: run.world.now + 3_000_000)
        if run.referee.disturbedAt < 0 { run.referee.checkGivenBack(run.redis.primary, prefix: "weir:{t1000") }
        let group = run.scenario.versions[0].group
        let mayRefuse = group.limits.contains { $0.limit.per.isEmpty || $0.limit.maximumKeys < Scenario.manyKeys }
        run.referee.expect(
            answers.count == answers.asked && answers.degraded == 0, .liveness,
            "of \(answers.asked) requests after the faults \(answers.count) were answered, \(answers.degraded) without the store"
        )
        run.referee.expect(
            mayRefuse || answers.refused == 0, .honestDenial,
            "\(answers.refused) of \(answers.asked) tenants that nobody knows were refused")
    }

    private final class Answers: DecisionReceiver {
        var asked = 0
        var count = 0
        var degraded = 0
        var refused = 0
        var world: World?

        func decided(_ call: LimitCall) {
            count += 1
            world?.note(.decision, 0, "a stranger: \(call.decision)")
            if call.decision.isDegraded { degraded += 1 }
            if !call.decision.isAllowed { refused += 1 }
        }
    }
}
