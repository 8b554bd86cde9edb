import LimiterCore
import Logging
import NIOCore
import RedisStore
import Synchronization

/// Keeps a process's overrides where its counters are: in its memory, or in Redis.
final class OverrideKeeper: Sendable {
    let board: OverrideBoard
    let store: any OverrideStore
    private let redis: RedisOverrides?
    private let ticks = Mutex<RepeatedTask?>(nil)

    private static let tick = TimeAmount.milliseconds(50)
    /// How long the start waits for Redis's overrides before this replica serves without them.
    private static let patience = Duration.seconds(1)
    private static let attemptDelay = Duration.milliseconds(10)

    /// In memory, and looked after on `loop`.
    init(_ limits: LimitTable, on loop: any EventLoop) {
        board = OverrideBoard(limits)
        let local = LocalOverrideStore(board, time: MonotonicEpoch())
        store = local
        redis = nil
        let repeated = loop.scheduleRepeatedTask(initialDelay: .zero, delay: Self.tick) { _ in local.tick() }
        ticks.withLock { $0 = repeated }
    }

    /// In the Redis that the counters are in.
    init(_ limits: LimitTable, in loopStore: LoopStore, storeTime: @escaping @Sendable () -> Int64, logger: Logger)
        async throws
    {
        board = OverrideBoard(limits)
        let redis = try await loopStore.makeOverrides(board, storeTime: storeTime, logger: logger)
        self.redis = redis
        store = redis
    }

    /// Overrides outlive configurations: the log names those that are for nothing in this one, one of each place once.
    func warnOfUselessOnes(_ logger: Logger) {
        let seen = Mutex<Set<Place>>([])
        board.listen { overrides in
            for override in overrides.list {
                let place = Place(limit: override.subject.limit, service: override.subject.service)
                guard seen.withLock({ $0.insert(place).inserted }),
                    let refusal = overrides.limits.refusal(of: override.change)
                else { continue }
                logger.warning(
                    "an override changes nothing: \(refusal)", metadata: ["tenant": "\(override.subject.tenant)"])
            }
        }
    }

    private struct Place: Hashable {
        let limit: String
        let service: String?
    }

    /// Returns whether they are known, or once they are, after a second at most.
    func areKnown() async -> Bool {
        guard let redis else { return true }
        let deadline = ContinuousClock.now.advanced(by: Self.patience)
        while true {
            if await redis.areKnown() { return true }
            if ContinuousClock.now >= deadline { return false }
            try? await Task.sleep(for: Self.attemptDelay)
        }
    }

    func stop() async {
        ticks.withLock { $0?.cancel() }
        await redis?.stop()
    }
}
