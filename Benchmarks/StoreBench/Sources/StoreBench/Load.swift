import LimiterCore
import NIOCore

/// Keeps a number of decisions under way at one store: each caller asks its next question when its last is answered. On the store's event
/// loop.
final class Load {
    /// Whose counters are asked for.
    enum Tenants {
        /// One that was not asked for before, each time.
        case fresh
        case one
        /// Drawn of so many.
        case drawn(Int)
        /// So many, one after the other.
        case counted(Int)
    }

    struct Outcome: Sendable {
        var perSecond = 0.0
        var answered = 0
        /// Of every decision, in ascending order; none where they were not timed.
        var nanoseconds: [UInt32] = []

        func percentile(_ percent: Int) -> UInt32 { nanoseconds[(nanoseconds.count - 1) * percent / 100] }
    }

    private let store: any LimitStore
    private let group: LimitGroup
    private let loop: any EventLoop
    private let duration: TimeAmount
    private let underWay: Int
    private let tenants: Tenants
    private let isTimed: Bool
    private let done: (Outcome) -> Void
    private var next = UInt64.random(in: 0..<1 << 32) << 24
    private var random = SplitMix()
    private var outcome = Outcome()
    private var started = NIODeadline.now()
    private var isOver = false

    /// Of a store that answers at once, so many decisions are made before the event loop gets its turn.
    private static let atOnce = 64

    init(
        _ store: any LimitStore, _ group: LimitGroup, _ loop: any EventLoop, seconds: Int, underWay: Int,
        tenants: Tenants, isTimed: Bool = false, _ done: @escaping (Outcome) -> Void
    ) {
        self.store = store
        self.group = group
        self.loop = loop
        self.underWay = underWay
        self.tenants = tenants
        self.isTimed = isTimed
        self.done = done
        duration = .seconds(Int64(seconds))
        if case .counted = tenants { next = 0 }
    }

    func start() { Caller(self, isFirst: true).run() }

    private var tenant: UInt64 {
        switch tenants {
        case .fresh, .counted:
            next += 1
            return next
        case .one: return 0
        case .drawn(let count): return UInt64(random.next(below: count)) + 1
        }
    }

    private func count(since asked: NIODeadline) {
        outcome.answered += 1
        let now = NIODeadline.now()
        if isTimed { outcome.nanoseconds.append(UInt32(clamping: (now - asked).nanoseconds)) }
        let elapsed = now - started
        let isEnough = if case .counted(let most) = tenants { outcome.answered >= most } else { elapsed >= duration }
        guard isEnough, !isOver else { return }
        isOver = true
        outcome.perSecond = Double(outcome.answered) / (Double(elapsed.nanoseconds) / 1e9)
        outcome.nanoseconds.sort()
        done(outcome)
    }

    private final class Caller: DecisionReceiver {
        private let load: Load
        private let call = LimitCall()
        private var isFirst: Bool
        private var asked = NIODeadline.uptimeNanoseconds(0)
        private var isAsking = false
        private var isAnswered = false

        init(_ load: Load, isFirst: Bool) {
            self.load = load
            self.isFirst = isFirst
        }

        /// Asks until an answer has to be waited for, or it is somebody else's turn.
        func run() {
            for _ in 0..<Load.atOnce {
                guard !load.isOver else { return }
                isAnswered = false
                isAsking = true
                if load.isTimed { asked = .now() }
                call.prepare(load.group)
                call.appendTenant(load.tenant)
                call.receiver = self
                load.store.decide(call)
                isAsking = false
                guard isAnswered else { return }
            }
            again(after: .zero)
        }

        private func again(after delay: TimeAmount) {
            let bound = NIOLoopBound(self, eventLoop: load.loop)
            load.loop.scheduleTask(in: delay) { bound.value.run() }
        }

        func decided(_ call: LimitCall) {
            if load.isOver { return }
            // Until the connection stands, calls are refused at once.
            guard call.decision.outcome != .unavailable, !call.decision.isDegraded else {
                return again(after: .milliseconds(10))
            }
            if isFirst {
                isFirst = false
                load.started = .now()
                for _ in 1..<load.underWay { Caller(load, isFirst: false).again(after: .zero) }
            }
            load.count(since: asked)
            if isAsking { isAnswered = true } else { run() }
        }
    }
}
