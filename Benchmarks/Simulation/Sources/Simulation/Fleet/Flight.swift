import LimiterCore

/// One command that was sent, and who waits for its reply.
final class Flight {
    let command: RedisCommand
    /// The call that waits for a decision; nil once it was given back.
    var call: LimitCall?
    let askedAt: Replica.Moment
    /// When it was executed, in microseconds of the world.
    var executedAt: Int64 = 0
    /// Whoever waited was told that nothing came in time.
    var isOverdue = false
    /// The text of the script was sent.
    var isResent = false
    /// It landed or failed.
    var isOver = false
    /// What was spent locally when it was given back.
    var spentLocally: [Int64] = []
    private var completion: ((Result<RedisReply, StoreError>) -> Void)?

    init(_ call: LimitCall, at now: Replica.Moment, floor: Int64) {
        self.call = call
        // All of its limits; the copy has the keys of the call, whatever the call is used for meanwhile.
        let copy = call.part(of: Array(call.group.limits.indices))
        command = .decide(copy, floor: floor)
        askedAt = now
        completion = nil
    }

    init(
        _ command: RedisCommand, at now: Replica.Moment,
        _ completion: @escaping (Result<RedisReply, StoreError>) -> Void
    ) {
        self.command = command
        self.completion = completion
        askedAt = now
    }

    /// Tells whoever waits, once.
    func complete(_ result: Result<RedisReply, StoreError>) {
        let completion = self.completion
        self.completion = nil
        completion?(result)
    }

    /// Executing it again changes nothing: that is what the protocol promises of leases and heartbeats.
    var mayRepeat: Bool {
        switch command {
        case .lease, .periods, .heartbeat: true
        case .decide, .leave: false
        }
    }
}
