import LimiterCore
import TestSupport

/// What a fleet of the real limiter asks of the store as it grows, in a world without faults.
package struct FleetFigures: Sendable {
    package enum Load: String, CaseIterable, Sendable {
        /// All requests are one tenant's, of 10 000 a second, and more than that by half.
        case oneTenant = "one tenant, 10,000/s, leased, asked 1.5 times as much"
        /// Twenty thousand requests a second of a million tenants, some of them asked for far more than others.
        case millionTenants = "a million tenants, 6,000/minute each, 20,000 requests/s"
    }

    package let load: Load
    package let replicas: Int
    package let requests: Int
    package let operationsASecond: Double
    package let operationsADecision: Double
    /// Of what was taken from the limits by the end of their windows, the part that nobody spent.
    package let stranded: Double
    /// Admitted, as a part of what was asked for and the limit allows.
    package let utilisation: Double
    /// Counters that the replica that remembers most of them remembers.
    package let remembered: Int

    private static let begins: Int64 = 3_000_000
    private static let tenants = 1_000_000.0

    package init(_ load: Load, replicas count: Int, seconds: Int64, seed: UInt64) throws {
        let world = World(seed: seed, journal: Journal())
        let network = Network(world)
        (network.shortest, network.jitter) = (250, 100)
        let limits = try DeclaredLimits(
            load == .oneTenant
                ? .window("limit", "10000/s") { $0.mode = .leased }
                : .window("limit", "6000/minute") { $0.maximumKeys = 1_000_000 })
        let referee = Referee(world, minimumReplicas: count)
        referee.isAsleep = true
        let redis = RedisModel(
            world, SimulatedClock(world, base: Epoch.start, partsPerMillion: 0), referee, isReplicated: false)
        var settings = Replica.Settings()
        settings.minimumReplicas = count
        settings.drift = 20
        let fleet = (0..<count).map {
            Replica($0, world, network, redis, labels: limits.table.labels, settings, seed: seed)
        }
        for (index, replica) in fleet.enumerated() {
            world.after(Int64(index) * 1_000_000 / Int64(count)) { replica.start() }
        }
        world.run(until: Self.begins)

        var random = SeededGenerator(seed: seed, part: 77)
        let perSecond: Int64 = load == .oneTenant ? 15_000 : 20_000
        let until = Self.begins + seconds * 1_000_000
        let before = redis.commands
        var (asked, admitted, counted) = (0, 0, Int64(0))
        if load == .oneTenant {
            world.every(1_000_000) {
                // A microsecond before a window ends.
                world.after(999_999) {
                    let window = redis.primary.clock.nowMicroseconds / 1_000_000
                    for counter in redis.primary.memory.counters.counters.values where counter.state.position == window
                    {
                        counted += counter.state.count
                    }
                }
                return world.now + 1_000_000 < until
            }
        }
        var time = Self.begins * 1000
        while true {
            time += random.exponential(1_000_000_000 / perSecond)
            guard time < until * 1000 else { break }
            world.run(until: time / 1000)
            asked += 1
            let replica = fleet[Int(random.number(0...Int64(count - 1)))]
            let tenant = load == .oneTenant ? "t" : "t\(Self.tenant(&random))"
            Asking { admitted += 1 }.ask(replica.stores[0], limits.group, tenant: tenant)
        }
        world.run(until: until)
        self.load = load
        replicas = count
        requests = asked
        operationsASecond = Double(redis.commands - before) / Double(seconds)
        operationsADecision = Double(redis.commands - before) / Double(asked)
        stranded = counted == 0 ? 0 : 1 - Double(admitted) / Double(counted)
        let possible = load == .oneTenant ? min(Double(asked), Double(10_000 * seconds)) : Double(asked)
        utilisation = Double(admitted) / possible
        remembered = fleet.map { $0.state?.count ?? 0 }.max() ?? 0
    }

    /// The n-th most wanted is asked for about 1/n as often as the first, as a power of their number is spread evenly.
    private static func tenant(_ random: inout SeededGenerator) -> Int {
        var rank = 1.0
        // tenants^u for a uniform u, by squaring: u in binary digits.
        var power = tenants
        for _ in 0..<24 {
            power = power.squareRoot()
            if random.oneIn(2) { rank *= power }
        }
        return Int(rank)
    }
}
