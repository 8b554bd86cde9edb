import LimiterCore
import Logging
import NIOCore
import NIOPosix
import RedisStore
import WeirConfiguration

/// A store over Redis with one event loop, put together as `weir serve` does it, and load on it.
final class SharedLoad: Sendable {
    enum Mode: String {
        /// RedisStore or ClusterStore alone.
        case bare
        case exact
        case leased
        /// As where a limit names no mode.
        case automatic
    }

    private let group: LimitGroup
    private let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let loop: any EventLoop
    private let store: NIOLoopBound<any LimitStore>
    private let ticks: RepeatedTask?

    private static let tick = TimeAmount.milliseconds(50)

    init(url: String, _ mode: Mode) async throws {
        let limits = try LocalLoad.oneLimit(mode: mode == .bare || mode == .automatic ? "" : ", mode: \(mode.rawValue)")
        group = limits.services[0].routes[0]
        let access = try RedisAccess(StoreSettings(redis: RedisAddress(parsing: url)))
        let loop = loops.next()
        self.loop = loop
        (store, ticks) = try await loop.submit {
            let redis = access.makeStore(
                deadline: .seconds(5), on: loop,
                logger: Logger(label: "bench", factory: { _ in SwiftLogNoOpLogHandler() }), metrics: nil)
            redis.start()
            guard mode != .bare else { return (NIOLoopBound(redis as any LimitStore, eventLoop: loop), nil) }
            let leasing = LeasingStore(
                primary: redis, state: LeasingState(labels: limits.labels, time: Monotonic(), minimumReplicas: 1)
            ) { task in loop.execute(task) }
            let bound = NIOLoopBound(leasing, eventLoop: loop)
            let ticks = loop.scheduleRepeatedTask(initialDelay: .zero, delay: Self.tick) { _ in bound.value.tick() }
            return (NIOLoopBound(leasing as any LimitStore, eventLoop: loop), ticks)
        }.get()
    }

    func run(
        seconds: Int, underWay: Int, _ tenants: Load.Tenants, isTimed: Bool = false
    ) async throws -> Load.Outcome {
        let promise = loop.makePromise(of: Load.Outcome.self)
        loop.execute { [self] in
            Load(
                store.value, group, loop, seconds: seconds, underWay: underWay, tenants: tenants, isTimed: isTimed
            ) { promise.succeed($0) }.start()
        }
        return try await promise.futureResult.get()
    }

    func end() async throws {
        ticks?.cancel()
        try await loops.shutdownGracefully()
    }
}
