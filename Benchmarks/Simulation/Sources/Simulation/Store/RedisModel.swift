import LimiterCore
import TestSupport

/// A primary, what its replica has not heard of yet, and former primaries that somebody may still reach.
final class RedisModel {
    let world: World
    let referee: Referee
    private(set) var primary: RedisNode
    /// Commands that were executed.
    private(set) var commands = 0
    /// The primary's memory as the replica had it, and what it has done since.
    private var replicated: RedisNode.Memory
    private var log: [Effect] = []
    private var nodes = 1
    /// Whether there is a replica that may take over.
    private let isReplicated: Bool

    /// What one command wrote.
    private struct Effect {
        struct Write {
            let key: [UInt8]
            let counter: SharedCounters.Counter?
            let counterExpiry: Int64?
            let ledger: SharedCounters.Ledger?
            let ledgerExpiry: Int64?
        }

        let time: Int64
        let writes: [Write]
        let fleet: FleetRegistry?
        /// Units that were charged or granted by it.
        let debits: [Referee.Debit]

        func apply(to memory: inout RedisNode.Memory) {
            for write in writes {
                memory.counters.counters[write.key] = write.counter
                memory.counters.ledgers[write.key] = write.ledger
                memory.counterExpiry[write.key] = write.counterExpiry
                memory.ledgerExpiry[write.key] = write.ledgerExpiry
            }
            if let fleet { memory.fleet = fleet }
        }
    }

    /// No replica is further behind.
    static let mostLag: Int64 = 1_000_000

    init(_ world: World, _ clock: SimulatedClock, _ referee: Referee, isReplicated: Bool) {
        self.isReplicated = isReplicated
        self.world = world
        self.referee = referee
        primary = RedisNode(0, clock)
        replicated = primary.memory
    }

    // MARK: Commands

    /// Executes one command atomically.
    func execute(_ command: RedisCommand, on node: RedisNode) -> RedisReply {
        commands += 1
        if command.isScript {
            if node.isReadOnly { return .readOnly(StoreError(.refused, "READONLY")) }
            if let refusal = node.refusal { return .refused(refusal) }
            if node.forgottenScripts > 0 {
                node.forgottenScripts -= 1
                return .noScript
            }
        }
        switch command {
        case .decide(let call, let floor): return decide(call, floor, on: node)
        case .lease(let requests, let replica, let floor): return lease(requests, replica, floor, on: node)
        case .periods(let requests, let floor):
            let now = node.scriptTime(floor: floor)
            for request in requests { expire(request.key, on: node, at: now) }
            return .periods(node.memory.counters.periods(requests, at: now))
        case .heartbeat(let replica, let floor):
            let now = node.scriptTime(floor: floor)
            let view = node.memory.fleet.heartbeat(of: replica, clock: node.clock.nowMicroseconds, now: now)
            append(node, [], [], fleet: node.memory.fleet)
            world.note(.execution, Int64(view.alive), "node \(node.number): heartbeat of \(replica.text): \(view)")
            return .fleet(view)
        case .leave(let replica):
            node.memory.fleet.leave(replica)
            append(node, [], [], fleet: node.memory.fleet)
            return .left
        }
    }

    private func decide(_ call: LimitCall, _ floor: Int64, on node: RedisNode) -> RedisReply {
        let keys = call.group.limits.indices.map { call.withKey($0) { [UInt8]($0) } }
        let milliseconds = node.clock.nowMicroseconds / 1000
        let now = node.scriptTime(floor: floor)
        for key in keys { expire(key, on: node, at: now) }
        let before = keys.map { node.memory.counters.counters[$0] }
        node.memory.counters.decide(call, at: now)
        var written: [[UInt8]] = []
        for (index, key) in keys.enumerated() {
            let after = node.memory.counters.counters[key]
            guard after != before[index] || call.operation == .reset else { continue }
            node.memory.counterExpiry[key] = milliseconds + (after?.lifeMilliseconds ?? 0)
            written.append(key)
        }
        let after = keys.map { node.memory.counters.counters[$0] }
        let debits = referee.decided(call, keys, before, after, at: now, on: node, isPrimary: node === primary)
        append(node, written, debits)
        world.note(
            .execution, call.decision.isAllowed ? 1 : 0,
            "node \(node.number): \(call.operation) \(call.costs) at \(now): \(call.decision.outcome) \(call.states)")
        return .decided(now: now)
    }

    private func lease(
        _ requests: [LeaseRequest], _ replica: ReplicaID, _ floor: Int64, on node: RedisNode
    ) -> RedisReply {
        let milliseconds = node.clock.nowMicroseconds / 1000
        let now = node.scriptTime(floor: floor)
        for request in requests { expire(request.key, on: node, at: now) }
        let before = requests.map { node.memory.lease(of: replica, $0.key) }
        let answer = node.memory.counters.lease(requests, of: replica, at: now)
        let after = requests.map { node.memory.lease(of: replica, $0.key) }
        for (index, request) in requests.enumerated() {
            let key = request.key
            if let counter = after[index].counter {
                node.memory.counterExpiry[key] = milliseconds + counter.lifeMilliseconds
            }
            if let ledger = node.memory.counters.ledgers[key], after[index].record != before[index].record {
                node.memory.ledgerExpiry[key] = milliseconds + ledger.lifeMilliseconds
            }
        }
        let debits = referee.leased(
            requests, answer, of: replica, from: before, to: after, on: node, isPrimary: node === primary)
        append(node, requests.map(\.key), debits)
        world.note(
            .execution, answer.entries.reduce(0) { $0 &+ $1.taken },
            "node \(node.number): lease of \(replica.text) at \(now): \(requests.map(Self.words)) -> \(answer.entries)")
        return .leased(answer)
    }

    private func expire(_ key: [UInt8], on node: RedisNode, at now: Int64) {
        guard let counter = node.memory.expire(key, at: node.clock.nowMicroseconds / 1000) else { return }
        referee.expired(key, counter.state, on: node, at: now)
    }

    private static func words(_ request: LeaseRequest) -> String {
        "\(String(decoding: request.key, as: UTF8.self)) #\(request.sequence) \(request.position): total \(request.total) settled "
            + "\(request.settled) wanted \(request.wanted) holds \(request.holds)"
    }

    // MARK: Replication

    private func append(_ node: RedisNode, _ keys: [[UInt8]], _ debits: [Referee.Debit], fleet: FleetRegistry? = nil) {
        guard node === primary, isReplicated, !keys.isEmpty || fleet != nil else { return }
        let memory = node.memory
        let writes = keys.map {
            Effect.Write(
                key: $0, counter: memory.counters.counters[$0], counterExpiry: memory.counterExpiry[$0],
                ledger: memory.counters.ledgers[$0], ledgerExpiry: memory.ledgerExpiry[$0])
        }
        log.append(Effect(time: world.now, writes: writes, fleet: fleet, debits: debits))
        if log.count >= 8192 { replicate(until: world.now - Self.mostLag) }
    }

    private func replicate(until time: Int64) {
        let heard = log.prefix { $0.time <= time }
        for effect in heard { effect.apply(to: &replicated) }
        log.removeFirst(heard.count)
    }

    /// The replica takes over with what it has heard of until `lag` ago; what came later is lost. Returns the former primary.
    func failOver(lag: Int64, _ clock: SimulatedClock) -> RedisNode {
        let former = primary
        replicate(until: world.now - min(lag, Self.mostLag))
        for effect in log { referee.lost(effect.debits) }
        log = []
        primary = RedisNode(nodes, clock, memory: replicated)
        nodes += 1
        return former
    }

    /// Forgets these keys of the primary: what was counted in them is lost.
    func evict(_ keys: [[UInt8]], counters: Bool, ledgers: Bool) {
        for key in keys {
            expire(key, on: primary, at: primary.clock.nowMicroseconds)
            if counters, let counter = primary.memory.counters.counters[key] {
                referee.evicted(key, counter.state, on: primary)
                primary.memory.forgetCounter(key)
            }
            if ledgers { primary.memory.forgetLedger(key) }
        }
        append(primary, keys, [])
    }

    /// What FLUSHALL does, or a restart without persistence.
    func forgetEverything() {
        evict(referee.keys, counters: true, ledgers: true)
        primary.memory.fleet = FleetRegistry()
        append(primary, [], [], fleet: primary.memory.fleet)
    }
}
