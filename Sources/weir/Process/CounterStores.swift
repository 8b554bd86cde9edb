import LimiterCore
import Logging
import NIOCore
import RedisStore
import Synchronization
import Telemetry
import WeirConfiguration

/// Chooses the stores of a process: counters in memory, or a Redis of each event loop with a fallback over state that they share.
final class CounterStores: Sendable {
    /// Decides what this replica decides alone, and everything where no Redis is configured.
    let local: LocalStore
    private let settings: StoreSettings?
    private let fallback: FallbackState?
    private let logger: Logger
    private let metrics: Metrics
    private let connections = Mutex<[@Sendable () -> EventLoopFuture<Void>]>([])

    private static let tick = TimeAmount.milliseconds(50)

    init(_ configuration: Configuration, metrics: Metrics, logger: Logger) {
        let time = MonotonicEpoch()
        let labels = configuration.limits.labels
        settings = configuration.store
        local = LocalStore(labels: labels, time: time)
        fallback = configuration.store.map { settings in
            FallbackState(labels: labels, time: time, minimumReplicas: settings.replicas) { phase in
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

    /// The store of one event loop; call it on that loop.
    func makeStore(on loop: any EventLoop) -> any LimitStore {
        guard let settings, let fallback else { return local }
        return makeFallbackStore(on: loop, settings, fallback)
    }

    /// The store of the control plane's loop, which also looks after Redis for the whole process.
    func makeControlStore(on loop: any EventLoop) async throws -> any LimitStore & Sendable {
        guard let settings, let fallback else { return local }
        return try await loop.submit {
            let store = self.makeFallbackStore(on: loop, settings, fallback)
            let ticks = loop.scheduleRepeatedTask(initialDelay: .zero, delay: Self.tick) { _ in store.tick() }
            self.connections.withLock { closers in
                closers.insert(
                    {
                        loop.flatSubmit {
                            ticks.cancel()
                            let left = loop.makePromise(of: Void.self)
                            store.leave { left.succeed() }
                            return left.futureResult
                        }
                    }, at: 0)
            }
            return store
        }.get()
    }

    private func makeFallbackStore(
        on loop: any EventLoop, _ settings: StoreSettings, _ state: FallbackState
    ) -> FallbackStore {
        let redis = RedisStore(
            address: settings.redis, deadline: settings.deadline, on: loop, logger: logger, metrics: metrics.store)
        let store = FallbackStore(primary: redis, state: state)
        redis.start()
        let bound = NIOLoopBound(redis, eventLoop: loop)
        connections.withLock { $0.append({ loop.flatSubmit { bound.value.shutdown() } }) }
        return store
    }

    /// Waits until Redis was heard, at most `seconds`; returns whether it was.
    func waitForRedis(seconds: Int) async -> Bool {
        let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
        while ContinuousClock.now < deadline {
            let status = status
            if status.phase == .shared && status.replicasAlive > 0 { return true }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    /// Says goodbye to the fleet, then closes every connection.
    func shutdown() async {
        for close in connections.withLock({ $0 }) { try? await close().get() }
    }
}
