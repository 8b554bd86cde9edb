import LimiterCore

/// What a replica asks a store for.
enum RedisCommand {
    /// A copy of the call, for the owner may use it again before the command is executed; and the store's time as the replica knows it.
    case decide(LimitCall, floor: Int64)
    case lease([LeaseRequest], ReplicaID, floor: Int64)
    case periods([PeriodRequest], floor: Int64)
    case heartbeat(ReplicaID, floor: Int64)
    case leave(ReplicaID)

    /// The store's time as the replica knows it.
    var floor: Int64? {
        switch self {
        case .decide(_, let floor), .lease(_, _, let floor), .periods(_, let floor),
            .heartbeat(_, let floor):
            floor
        case .leave: nil
        }
    }

    var isScript: Bool { if case .leave = self { false } else { true } }
}

/// What a store says to it.
enum RedisReply {
    /// The call of the command is filled in.
    case decided(now: Int64)
    case leased(LeaseAnswer)
    case periods(PeriodAnswer)
    case fleet(FleetView)
    case left
    case refused(StoreError)
    /// The server is no primary any more: who is told so leaves.
    case readOnly(StoreError)
    /// Nothing was executed: the text of the script must come first.
    case noScript
}
