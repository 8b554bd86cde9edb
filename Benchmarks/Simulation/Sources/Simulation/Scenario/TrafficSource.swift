import LimiterCore
import TestSupport

/// The clients of one replica.
final class TrafficSource {
    let replica: Replica
    private let traffic: Traffic
    private unowned let run: Run
    private var random: SeededGenerator
    private var isBursting = false
    private(set) var asked = 0

    init(_ traffic: Traffic, _ replica: Replica, _ run: Run) {
        self.traffic = traffic
        self.replica = replica
        self.run = run
        random = SeededGenerator(seed: run.scenario.seed, part: 5000 + UInt64(replica.index))
    }

    func begin() {
        run.world.at(traffic.from) { self.next() }
        guard traffic.shape == .bursty else { return }
        run.world.at(traffic.from) { self.turn() }
    }

    private func turn() {
        guard run.world.now < traffic.until else { return }
        isBursting.toggle()
        run.world.after(random.exponential(isBursting ? 100_000 : 900_000)) { self.turn() }
    }

    private func next() {
        guard run.world.now < traffic.until else { return }
        let perSecond = traffic.requestsPerSecond * traffic.weights[replica.index]
        let sum = traffic.weights.reduce(0, +)
        let mean = 10_000_000 * sum / max(1, perSecond * traffic.tenths(at: run.world.now, isBursting))
        run.world.after(random.exponential(mean)) { self.next() }
        asked += 1
        let tenant = Int(min(random.number(0...traffic.tenants - 1), random.number(0...traffic.tenants - 1)))
        let loop = Int(random.number(0...1))
        let cost = random.pick(traffic.costs)
        switch random.number(0...199) {
        case 0, 1: run.ask(replica, .peek, tenant: tenant, cost: cost, loop: loop)
        case 2 where traffic.resets: run.ask(replica, .reset, tenant: tenant, cost: cost, loop: loop)
        default: run.ask(replica, tenant: tenant, cost: cost, loop: loop)
        }
    }
}
