import LimiterCore
import Logging
import NIOCore
import RedisStore
import Telemetry

/// One event loop's Redis, with its fallback.
struct LoopStore: Sendable {
    let loop: any EventLoop
    let fallback: LeasingStore
    private let redis: NIOLoopBound<any RedisBackend>

    private static let attemptDelay = Duration.milliseconds(10)

    /// Call it on the loop.
    init(
        _ access: RedisAccess, deadline: Duration, _ state: LeasingState, on loop: any EventLoop, metrics: Metrics,
        logger: Logger
    ) {
        let redis = access.makeStore(deadline: deadline, on: loop, logger: logger, metrics: metrics.store)
        fallback = LeasingStore(primary: redis, state: state) { task in loop.execute(task) }
        self.loop = loop
        self.redis = NIOLoopBound(redis, eventLoop: loop)
        redis.start()
    }

    /// Writes to Redis until that succeeds once, or until the deadline.
    func reaches(_ replica: ReplicaID, until deadline: ContinuousClock.Instant) async -> Bool {
        while true {
            let view = try? await loop.flatSubmit {
                let written = loop.makePromise(of: FleetView.self)
                redis.value.heartbeat(of: replica) { written.completeWith($0.mapError { $0 }) }
                return written.futureResult
            }.get()
            if view != nil { return true }
            if ContinuousClock.now >= deadline { return false }
            try? await Task.sleep(for: Self.attemptDelay)
        }
    }

    /// The overrides that are in the same Redis, which `board` shows from now on.
    func makeOverrides(
        _ board: OverrideBoard, storeTime: @escaping @Sendable () -> Int64, logger: Logger
    ) async throws -> RedisOverrides {
        try await loop.submit {
            let overrides = redis.value.makeOverrides(on: loop, board: board, storeTime: storeTime, logger: logger)
            overrides.start()
            return overrides
        }.get()
    }

    func leave() async {
        try? await loop.flatSubmit {
            let left = loop.makePromise(of: Void.self)
            fallback.leave { left.succeed() }
            return left.futureResult
        }.get()
    }

    func close() async {
        try? await loop.flatSubmit { redis.value.shutdown() }.get()
        try? await loop.submit {
            redis.value.observer = nil
            fallback.end()
        }.get()
    }
}
