import LimiterCore
import Logging
import NIOCore
import RedisStore
import Synchronization
import Telemetry
import WeirConfiguration

/// The stores of a process: counters in its memory, or a Redis for each event loop with a fallback over state that they share.
final class CounterStores: Sendable {
    /// Decides what this replica decides alone, and everything where no Redis is configured.
    let local: LocalStore
    private let settings: StoreSettings?
    private let access: RedisAccess?
    private let fallback: LeasingState?
    private let loopStores = Mutex<[ObjectIdentifier: LoopStore]>([:])
    private let ticks = Mutex<RepeatedTask?>(nil)
    private let metrics: Metrics
    private let logger: Logger

    /// How long the start waits for Redis before this replica serves without it.
    private static let patience = Duration.seconds(1)
    private static let tick = TimeAmount.milliseconds(50)

    init(_ configuration: Configuration, metrics: Metrics, logger: Logger) throws(CommandError) {
        let time = MonotonicEpoch()
        let labels = configuration.limits.labels
        settings = configuration.store
        access = try RedisAccess.make(configuration)
        local = LocalStore(labels: labels, time: time)
        fallback = configuration.store.map { settings in
            LeasingState(
                labels: labels, time: time, minimumReplicas: settings.replicas,
                deadlineMicroseconds: Int64(settings.deadline / .microseconds(1))
            ) { phase in
                Self.announce(phase, settings, logger)
            }
        }
        self.metrics = metrics
        self.logger = logger
    }

    private static func announce(_ phase: StoreStatus.Phase, _ settings: StoreSettings, _ logger: Logger) {
        switch phase {
        case .shared: logger.notice("Redis decides", metadata: ["redis": "\(settings.redis)"])
        case .fallback:
            logger.warning(
                "Redis does not decide; this replica enforces its share until it does",
                metadata: ["redis": "\(settings.redis)"])
        case .memory, .probing: break
        }
    }

    var status: StoreStatus {
        fallback?.status ?? StoreStatus(phase: .memory, replicasAlive: 1, shares: 1, unmerged: 0)
    }

    /// Connects each of the loops to Redis, and looks after it from the first. Returns whether all of them reached it; without a Redis,
    /// true at once.
    func connect(_ loops: [any EventLoop]) async throws -> Bool {
        guard let settings, let access, let fallback else { return true }
        let deadline = ContinuousClock.now.advanced(by: Self.patience)
        var stores: [LoopStore] = []
        for loop in loops {
            let store = try await loop.submit { [metrics, logger] in
                LoopStore(access, deadline: settings.deadline, fallback, on: loop, metrics: metrics, logger: logger)
            }.get()
            stores.append(store)
            loopStores.withLock { $0[ObjectIdentifier(loop)] = store }
        }
        var isReached = true
        for store in stores { isReached = await store.reaches(fallback.replica, until: deadline) && isReached }
        if let first = stores.first {
            let repeated = first.loop.scheduleRepeatedTask(initialDelay: .zero, delay: Self.tick) { _ in
                first.fallback.tick()
            }
            ticks.withLock { $0 = repeated }
        }
        return isReached
    }

    /// The store of an event loop that was connected.
    func store(of loop: any EventLoop) -> any LimitStore & UsageStore {
        loopStores.withLock { $0[ObjectIdentifier(loop)]?.fallback } ?? local
    }

    /// Whatever counts calendar quotas.
    var counters: any UsageKeeping { fallback ?? local }

    /// The limits of a configuration that takes the place of the one before; before anybody asks for them.
    func use(_ limits: LimitTable) {
        local.use(limits.labels)
        fallback?.use(limits.labels)
    }

    /// Overrides beside the counters, looked after on a loop that was connected.
    func keepOverrides(of limits: LimitTable, on loop: any EventLoop) async throws -> OverrideKeeper {
        guard let fallback, let store = loopStores.withLock({ $0[ObjectIdentifier(loop)] }) else {
            return OverrideKeeper(limits, on: loop)
        }
        return try await OverrideKeeper(limits, in: store, storeTime: { fallback.storeNow }, logger: logger)
    }

    /// Says goodbye to the fleet, then closes every connection.
    func shutdown() async {
        ticks.withLock { $0?.cancel() }
        let stores = loopStores.withLock { Array($0.values) }
        await stores.first?.leave()
        for store in stores { await store.close() }
    }
}

extension RedisAccess {
    /// nil: counters are kept in memory. Throws where the files that the configuration names cannot be used.
    static func make(_ configuration: Configuration) throws(CommandError) -> RedisAccess? {
        guard let settings = configuration.store else { return nil }
        do throws(StoreError) {
            return try RedisAccess(settings)
        } catch {
            throw CommandError(.usage, "the configuration cannot be used: \(error.detail)")
        }
    }
}
