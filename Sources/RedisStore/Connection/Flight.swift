import LimiterCore
import NIOCore

/// One command that was or will be sent, and who waits for its reply. Reused.
final class Flight {
    enum Purpose {
        case decision
        case lease([LeaseRequest], ReplicaID, (Result<LeaseAnswer, StoreError>) -> Void)
        case periods([PeriodRequest], (Result<PeriodAnswer, StoreError>) -> Void)
        case heartbeat(ReplicaID, (Result<FleetView, StoreError>) -> Void)
        case leave(ReplicaID, () -> Void)
        /// Writes a key of its own, to see whether the server takes writes.
        case probe([UInt8], (Result<Void, StoreError>) -> Void)
        /// Reads which change of overrides was the last one. Who waits hears of the reply whenever it comes.
        case overrideVersion((Result<OverrideFormat.Version, StoreError>) -> Void)
        /// Announces that what comes next asks for keys that are on their way here.
        case asking
    }

    /// What is remembered of a request that was given back at its deadline, in case the reply still comes.
    struct OverdueCall {
        let keys: [[UInt8]]
        let costs: [Int64]
        let spentLocally: [Int64]
    }

    var purpose: Purpose = .decision
    /// The requests of a decision, in order of arrival; empty once they were answered or given back.
    var calls: [LimitCall] = []
    var overdue: [OverdueCall] = []
    /// Outlive the calls, for a late reply.
    var group: LimitGroup?
    var rules: [CounterRule] = []
    var operation = LimitCall.Operation.decide
    /// How many requests it decides; 1 for anything else.
    var requests = 1
    var deadline = NIODeadline.distantFuture
    /// What it tells the script of the time, as `DecisionFormat` says.
    var clock: Int64 = -1
    /// Whoever waited was told that nothing came in time.
    var isOverdue = false
    /// The script's text was sent, because its name was not known.
    var isResent = false
    /// How often it was sent with other calendar periods, because the server's clock was outside those before.
    var periodMoves = 0
    /// Cluster: how often it was sent elsewhere, or again, because of MOVED, ASK and TRYAGAIN.
    var moves = 0
    var asks = 0
    var repetitions = 0
    /// Whether ASKING goes before it.
    var isAsking = false
    /// Nobody uses it; the queue that it came from keeps it.
    var isPooled = false

    func clear() {
        purpose = .decision
        calls.removeAll(keepingCapacity: true)
        overdue.removeAll(keepingCapacity: true)
        group = nil
        rules = []
        operation = .decide
        requests = 1
        deadline = .distantFuture
        clock = -1
        isOverdue = false
        isResent = false
        periodMoves = 0
        (moves, asks, repetitions, isAsking) = (0, 0, 0, false)
    }
}
