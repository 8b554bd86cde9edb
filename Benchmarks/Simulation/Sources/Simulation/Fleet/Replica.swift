import LimiterCore
import TestSupport

/// One gateway of the fleet: the real limiter, on one or two simulated event loops.
final class Replica {
    /// What the limiter is being told just now, so that whoever sees an answer knows where it comes from.
    enum Delivery {
        /// The store decided these counters; it was asked when the replica took its time for this.
        case answered([[UInt8]], askedAt: Moment)
        case failed([[UInt8]], askedAt: Moment)
    }

    /// A time as the replica takes the store's to be, and as it is in the world.
    struct Moment {
        let storeTime: Int64
        let worldTime: Int64
    }

    let index: Int
    let world: World
    let network: Network
    let redis: RedisModel
    private let labels: [LimitTable.Label]
    private let settings: Settings
    private var random: SeededGenerator

    /// One process: what a crash ends.
    private(set) var state: LeasingState?
    private var clock: SimulatedClock?
    private(set) var stores: [LeasingStore] = []
    private(set) var links: [SimulatedRedis] = []
    private(set) var starts = 0

    private var pausedUntil: Int64 = 0
    /// When it last fell asleep, in microseconds of the world.
    private(set) var sleptAt: Int64 = -1
    /// A former primary that it still takes for the primary.
    var former: RedisNode?
    /// When the last command was executed whose answer it heard in time, in microseconds of the world.
    var heardAt: Int64 = -1
    private(set) var delivery: Delivery?

    struct Settings {
        var eventLoops = 1
        var minimumReplicas = 1
        /// How much faster or slower its clock may run, in parts of a million.
        var drift: Int64 = 200
        /// How wrong its clock may be when it starts, in microseconds.
        var clockError: Int64 = 0
    }

    private static let tick: Int64 = 50_000
    /// How often sentinels are asked where the primary is.
    private static let watch: Int64 = 1_000_000

    init(
        _ index: Int, _ world: World, _ network: Network, _ redis: RedisModel, labels: [LimitTable.Label],
        _ settings: Settings, seed: UInt64
    ) {
        self.index = index
        self.world = world
        self.network = network
        self.redis = redis
        self.labels = labels
        self.settings = settings
        random = SeededGenerator(seed: seed, part: 1000 + UInt64(index))
    }

    var isUp: Bool { state != nil }

    var reachablePrimary: RedisNode { former ?? redis.primary }

    // MARK: Processes

    func start() {
        guard state == nil else { return }
        starts += 1
        let clock = SimulatedClock(
            world, base: Epoch.start + random.number(-settings.clockError...settings.clockError),
            partsPerMillion: random.number(-settings.drift...settings.drift))
        let process = LeasingState(
            labels: labels, time: clock, minimumReplicas: settings.minimumReplicas,
            deadlineMicroseconds: SimulatedRedis.deadline, replica: ReplicaID(random.next()),
            seed: random.next(), secret: (random.next(), random.next()),
            onPhaseChange: { [world, index] in
                world.note(.phase, Int64(index), "replica \(index): \($0)")
            })
        state = process
        self.clock = clock
        heardAt = -1
        redis.referee.started(self, process.replica)
        for _ in 0..<settings.eventLoops {
            let link = SimulatedRedis(world, network, redis, self)
            links.append(link)
            stores.append(
                LeasingStore(primary: link, state: process) { [world] action in world.after(1) { action() } })
            link.connect()
        }
        let own = links
        world.every(Self.watch) { [weak self] in
            guard let self, state === process else { return false }
            for link in own { link.leaveFormer() }
            return true
        }
        let first = stores[0]
        world.every(Self.tick) { [weak self] in
            guard let self, state === process else { return false }
            whenAwake { [weak self] in if self?.state === process { first.tick() } }
            return true
        }
    }

    /// What it held and what it had not told is lost; calls that wait are never answered.
    func crash() {
        guard state != nil else { return }
        for link in links { link.close() }
        redis.referee.ended(self)
        (state, stores, links) = (nil, [], [])
        world.note(.fault, Int64(index), "replica \(index) is gone")
    }

    /// Ends as a process does that is told to.
    func leave() {
        stores.first?.leave {}
        crash()
    }

    // MARK: Time

    /// Nothing happens in it for so long; what was due happens afterwards.
    func pause(for microseconds: Int64) {
        pausedUntil = max(pausedUntil, world.now + microseconds)
        sleptAt = world.now
    }

    func whenAwake(_ action: @escaping () -> Void) {
        guard world.now < pausedUntil else { return action() }
        world.at(pausedUntil) { [self] in whenAwake(action) }
    }

    var isAwake: Bool { world.now >= pausedUntil }

    func delivering(_ delivery: Delivery?, _ body: () -> Void) {
        let outer = self.delivery
        self.delivery = delivery
        body()
        self.delivery = outer
    }

    var moment: Moment { Moment(storeTime: storeTime, worldTime: world.now) }

    /// The store's time as it takes it to be; its own clock's while it never heard of it.
    var storeTime: Int64 { stores.first?.storeTime ?? clock?.nowMicroseconds ?? 0 }
}

/// When worlds begin.
enum Epoch {
    /// 2026-01-01T00:00:00Z in microseconds.
    static let start: Int64 = 1_767_225_600_000_000
}
