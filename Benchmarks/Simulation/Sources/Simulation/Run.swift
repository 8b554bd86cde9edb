import LimiterCore
import TestSupport

/// One world from its beginning to its end: a fleet under load, faults, and then none any more.
final class Run {
    let scenario: Scenario
    let world: World
    let network: Network
    let referee: Referee
    let redis: RedisModel
    private(set) var replicas: [Replica] = []
    /// Which version of the configuration each replica has.
    var versions: [Int] = []
    private var traffic: [TrafficSource] = []
    private var requests: Int64 = 0

    /// A tenant whose requests are left out.
    private let silent: Int?

    init(_ scenario: Scenario, _ journal: Journal, without silent: Int? = nil) {
        self.silent = silent
        self.scenario = scenario
        world = World(seed: scenario.seed, journal: journal)
        network = Network(world)
        referee = Referee(world, minimumReplicas: scenario.settings.minimumReplicas)
        referee.hasTenantsThatShare = scenario.overflows
        referee.hasWrongClocks = scenario.settings.clockError > 0
        referee.isOfOneLimit = scenario.versions[0].group.limits.count == 1
        referee.isFaultless = scenario.kind != .faulty
        let drift = world.random.number(-200...200)
        let isIsolated = scenario.kind == .isolated
        if isIsolated { network.jitter = 0 }
        referee.isTranscribing = isIsolated
        let clock = SimulatedClock(world, base: Epoch.start, partsPerMillion: isIsolated ? 0 : drift)
        redis = RedisModel(world, clock, referee, isReplicated: true)
        for _ in 0..<scenario.replicas { addReplica() }
    }

    @discardableResult
    func addReplica() -> Replica {
        let replica = Replica(
            replicas.count, world, network, redis, labels: scenario.versions[0].table.labels, scenario.settings,
            seed: scenario.seed)
        replicas.append(replica)
        versions.append(0)
        return replica
    }

    func group(of replica: Replica) -> LimitGroup { scenario.versions[versions[replica.index]].group }

    func ask(_ replica: Replica, _ operation: LimitCall.Operation = .decide, tenant: Int, cost: Int64, loop: Int) {
        guard tenant != silent else { return }
        requests += 1
        let number = requests
        replica.whenAwake { [self] in
            guard replica.isUp else { return }
            Request(replica, tenant: tenant, number: number, referee)
                .ask(group(of: replica), operation, cost: cost, loop: loop)
        }
    }

    // MARK: From the beginning to the end

    func perform() {
        for replica in replicas { replica.start() }
        let injector = FaultInjector(self)
        injector.plan(scenario.faults)
        for replica in replicas {
            let source = TrafficSource(scenario.traffic, replica, self)
            traffic.append(source)
            source.begin()
        }
        watch()
        world.run(until: scenario.calm) { !referee.violations.isEmpty }
        Recovery(self).perform()
        if scenario.kind == .fair { checkFairness() }
        withExtendedLifetime(injector) {}
    }

    /// What can be said of the whole now and then.
    private func watch() {
        world.every(250_000) { [self] in
            if !scenario.overflows { referee.checkTold(replicas, redis.primary) }
            referee.checkMemory(replicas, scenario.versions[0])
            return world.now < scenario.calm
        }
    }

    private func checkFairness() {
        let shares = traffic.filter { $0.asked > 500 }.map {
            Double(referee.admitted(by: $0.replica)) / Double($0.asked)
        }
        guard let most = shares.max(), let least = shares.min() else { return }
        referee.expect(most - least <= 0.25, .fairness, "replicas with equal demand admitted \(least) to \(most) of it")
    }
}
