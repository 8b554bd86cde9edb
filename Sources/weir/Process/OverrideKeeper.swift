import LimiterCore
import Logging
import NIOCore
import Synchronization

/// Keeps a process's overrides: in its memory.
final class OverrideKeeper: Sendable {
    let board: OverrideBoard
    let store: any OverrideStore
    private let local: LocalOverrideStore
    private let ticks = Mutex<RepeatedTask?>(nil)

    private static let tick = TimeAmount.milliseconds(50)

    init(_ limits: LimitTable) {
        board = OverrideBoard(limits)
        local = LocalOverrideStore(board, time: MonotonicEpoch())
        store = local
    }

    /// Looks after them on `loop` until `stop`.
    func start(on loop: any EventLoop) {
        let repeated = loop.scheduleRepeatedTask(initialDelay: .zero, delay: Self.tick) { [local] _ in local.tick() }
        ticks.withLock { $0 = repeated }
    }

    func stop() { ticks.withLock { $0?.cancel() } }
}
