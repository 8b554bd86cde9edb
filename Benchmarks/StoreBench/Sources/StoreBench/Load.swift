import LimiterCore
import NIOCore
import RedisStore

/// Keeps a number of decisions under way, each for a tenant that was not asked for before.
final class Load {
    private let store: RedisStore
    private let group: LimitGroup
    private let loop: any EventLoop
    private let duration: TimeAmount
    private let underWay: Int
    private let done: (Double) -> Void
    private var next = UInt64.random(in: 0..<1 << 32) << 24
    private var answered = 0
    private var started = NIODeadline.now()
    private var isOver = false

    init(
        _ store: RedisStore, _ group: LimitGroup, _ loop: any EventLoop, seconds: Int, underWay: Int,
        _ done: @escaping (Double) -> Void
    ) {
        self.store = store
        self.group = group
        self.loop = loop
        self.done = done
        self.underWay = underWay
        duration = .seconds(Int64(seconds))
    }

    func start() { ask(LimitCall(), Slot(self, isFirst: true)) }

    private func ask(_ call: LimitCall, _ slot: Slot) {
        call.prepare(group)
        next += 1
        call.appendTenant(next)
        call.receiver = slot
        store.decide(call)
    }

    /// Until the connection stands, calls are refused at once.
    private func retry(_ call: LimitCall, _ slot: Slot) {
        let bound = NIOLoopBound((self, call, slot), eventLoop: loop)
        loop.scheduleTask(in: .milliseconds(10)) {
            let (load, call, slot) = bound.value
            load.ask(call, slot)
        }
    }

    private final class Slot: DecisionReceiver {
        private let load: Load
        private var isFirst: Bool

        init(_ load: Load, isFirst: Bool) {
            self.load = load
            self.isFirst = isFirst
        }

        func decided(_ call: LimitCall) {
            if load.isOver { return }
            guard call.decision.outcome != .unavailable else { return load.retry(call, self) }
            if isFirst {
                isFirst = false
                load.started = .now()
                for _ in 1..<load.underWay { load.ask(LimitCall(), Slot(load, isFirst: false)) }
            }
            load.answered += 1
            let elapsed = NIODeadline.now() - load.started
            if elapsed >= load.duration {
                load.isOver = true
                return load.done(Double(load.answered) / (Double(elapsed.nanoseconds) / 1e9))
            }
            load.ask(call, self)
        }
    }
}
