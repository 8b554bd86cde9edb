import LimiterCore
import TestSupport

/// A Redis server: the counters of `SharedCounters`, keys that expire, a clock of its own, and whatever is wrong with it just now.
final class RedisNode {
    /// Everything that is replicated.
    struct Memory {
        var counters = SharedCounters()
        var fleet = FleetRegistry()
        /// When keys expire, in milliseconds by the node's clock.
        var counterExpiry: [[UInt8]: Int64] = [:]
        var ledgerExpiry: [[UInt8]: Int64] = [:]

        /// A counter and what its ledger says of one replica.
        struct Lease {
            let counter: SharedCounters.Counter?
            let record: SharedCounters.Record?
        }

        func lease(of replica: ReplicaID, _ key: [UInt8]) -> Lease {
            Lease(counter: counters.counters[key], record: counters.ledgers[key]?.records[replica])
        }

        /// A key that has expired is gone when somebody looks. Returns the counter that is gone by that.
        mutating func expire(_ key: [UInt8], at milliseconds: Int64) -> SharedCounters.Counter? {
            if let expiry = ledgerExpiry[key], expiry <= milliseconds { forgetLedger(key) }
            guard let expiry = counterExpiry[key], expiry <= milliseconds else { return nil }
            defer { forgetCounter(key) }
            return counters.counters[key]
        }

        mutating func forgetCounter(_ key: [UInt8]) {
            counters.counters[key] = nil
            counterExpiry[key] = nil
        }

        mutating func forgetLedger(_ key: [UInt8]) {
            counters.ledgers[key] = nil
            ledgerExpiry[key] = nil
        }
    }

    let number: Int
    let clock: SimulatedClock
    var memory: Memory
    /// Answers every script with this instead of running it.
    var refusal: StoreError?
    /// It lost its place to another.
    var isReadOnly = false
    /// It is gone: nobody reaches it.
    var isDown = false
    /// It stands still until then, in microseconds of the world.
    var pausedUntil: Int64 = 0
    /// Scripts that it has forgotten, as many commands as that.
    var forgottenScripts = 0
    /// How long each command takes, in microseconds.
    var serviceTime: Int64 = 0
    /// When it is done with what it was sent, in microseconds of the world.
    private var freeAt: Int64 = 0

    init(_ number: Int, _ clock: SimulatedClock, memory: Memory = Memory()) {
        self.number = number
        self.clock = clock
        self.memory = memory
    }

    /// When it comes to a command that arrives at `now`.
    func begins(_ now: Int64) -> Int64 {
        freeAt = max(now, pausedUntil, freeAt) + serviceTime
        return freeAt
    }

    /// The time that scripts decide at: where the node's fell more than a second behind what the replica knows, the latter.
    func scriptTime(floor: Int64) -> Int64 {
        let now = clock.nowMicroseconds
        return now < floor - 1_000_000 ? floor : now
    }
}
