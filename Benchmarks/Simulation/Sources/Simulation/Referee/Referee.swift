import LimiterCore
import TestSupport

/// Watches everything that happens in a world, and says which invariants did not hold.
///
/// It keeps accounts of its own: what each counter was charged, what replicas were granted and what they spent, from the commands and
/// answers that it sees. Nothing of that comes from the limiter's own books.
final class Referee {
    /// Units that one command charged or granted.
    struct Debit {
        let account: Int
        let position: Int64
        let units: Int64
    }

    unowned let world: World
    private(set) var violations: [Violation] = []
    private(set) var tally = Tally()
    /// No fault is planned: then the store decides everything, and every answer is its word.
    var isFaultless = false
    /// It looks at nothing: where figures are taken of millions of counters.
    var isAsleep = false
    /// When an answer may last have been lost or a store have been replaced, in microseconds of the world.
    var disturbedAt: Int64 = -1

    /// What each tenant was answered, where that is compared with another world.
    var isTranscribing = false
    private(set) var transcripts: [Int: [String]] = [:]
    /// Which counters tenants share once there are too many, only replicas know.
    var hasTenantsThatShare = false
    /// Processes may start with clocks that are wrong: one that is less than a second ahead moves a window on early, and units that were
    /// taken meanwhile for a request that was refused then stay taken until it ends.
    var hasWrongClocks = false
    /// Every request's answer is shown to it.
    var knowsAllRequests = true
    /// Requests have one limit.
    var isOfOneLimit = false
    /// A process ended: what it had not told is not known to the store.
    var hasLostReplicas = false

    private(set) var accounts: [Account] = []
    private var admissions: [Int: Int] = [:]
    private var indices: [[UInt8]: Int] = [:]
    /// Of each replica's running process: what it knows of each counter.
    private var views: [Int: [Int: View]] = [:]
    private var fleets: [Int: (shares: Int, rank: Int?)] = [:]
    private let minimumReplicas: Int

    private static let mostViolations = 8

    init(_ world: World, minimumReplicas: Int) {
        self.world = world
        self.minimumReplicas = minimumReplicas
    }

    /// How much happened.
    struct Tally {
        var decisions = 0
        var admitted = 0
        var degraded = 0
        var executions = 0
        var leaseCalls = 0
        var longestMicroseconds: Int64 = 0
    }

    func count(_ change: (inout Tally) -> Void) { change(&tally) }

    func violated(_ invariant: Invariant, _ text: @autoclosure () -> String) {
        guard violations.count < Self.mostViolations else { return }
        let violation = Violation(invariant: invariant, time: world.now, text: text())
        violations.append(violation)
        world.note(.failure, Int64(invariant.rawValue), "VIOLATED: \(violation)")
    }

    func expect(_ holds: Bool, _ invariant: Invariant, _ text: @autoclosure () -> String) {
        if !holds { violated(invariant, text()) }
    }

    // MARK: Counters

    /// Of all counters that were ever asked for, in the order in which they were.
    var keys: [[UInt8]] { accounts.map(\.key) }

    func index(of key: [UInt8], _ rule: CounterRule) -> Int {
        if let index = indices[key] { return index }
        accounts.append(Account(key, rule, at: world.now))
        indices[key] = accounts.count - 1
        return accounts.count - 1
    }

    func account(_ key: [UInt8], _ rule: CounterRule) -> Account {
        let account = accounts[index(of: key, rule)]
        account.widen(rule)
        return account
    }

    func view(_ replica: Replica, _ key: [UInt8], _ rule: CounterRule) -> View {
        let index = index(of: key, rule)
        if let view = views[replica.index]?[index] { return view }
        let view = View()
        views[replica.index, default: [:]][index] = view
        return view
    }

    // MARK: Replicas

    func started(_ replica: Replica, _ id: ReplicaID) {
        views[replica.index] = [:]
        fleets[replica.index] = (minimumReplicas, nil)
    }

    func ended(_ replica: Replica) { views[replica.index] = nil }

    func admitted(by replica: Replica) -> Int { admissions[replica.index] ?? 0 }

    func countAdmission(by replica: Replica) { admissions[replica.index, default: 0] += 1 }

    func heard(_ fleet: FleetView, _ replica: Replica) {
        guard !isAsleep else { return }
        if fleets[replica.index]?.rank == nil { heardFirst(replica) }
        fleets[replica.index] = (max(fleet.peak, minimumReplicas), fleet.rank)
        expect(
            fleet.rank >= 0 && fleet.rank < fleet.alive && fleet.alive <= fleet.peak, .outageWithinShares,
            "a heartbeat of replica \(replica.index) was answered \(fleet)")
    }

    /// From now on it goes by the store's time. What it spent of buckets before may have come back with that: a jump of a clock.
    private func heardFirst(_ replica: Replica) {
        for account in accounts.indices where !accounts[account].isWindow {
            views[replica.index]?[account]?.settle(at: world.now, holding: 0)
        }
    }

    /// This replica's part of an amount: equal parts, the remainder by rank.
    func share(of amount: Int64, _ replica: Replica) -> Int64 {
        let (shares, rank) = fleets[replica.index] ?? (minimumReplicas, nil)
        guard amount > 0, shares > 1 else { return max(0, amount) }
        return amount / Int64(shares) + (Int64(rank ?? .max) < amount % Int64(shares) ? 1 : 0)
    }

    func transcribe(_ call: LimitCall, _ request: Request) {
        guard isTranscribing else { return }
        let decision = call.decision
        var line = "\(request.askedAt) \(request.replica.index) \(call.operation) \(call.costs) \(decision.outcome)"
        // A lease that came wakes all calls that wait, whoever's they are: then answers may come at other times.
        if call.group.limits.allSatisfy({ $0.limit.mode == .exact }) {
            line += " at \(world.now): \(decision.verdicts)"
        }
        transcripts[request.tenant, default: []].append(line)
    }

    // MARK: What a store forgets

    func lost(_ debits: [Debit]) {
        for debit in debits { lose(debit) }
    }

    private func lose(_ debit: Debit) {
        let account = accounts[debit.account]
        account.isDisturbed = true
        account[debit.position].lost += debit.units
        account.level.forgive(debit.units, at: world.now, until: world.now + forgiveness(account))
    }

    /// How long units that a replica was granted may be spent after the store forgot them.
    func forgiveness(_ account: Account) -> Int64 {
        account.isWindow ? 2 * account.rule.periodMicroseconds : 1_000_000
    }

    /// A whole counter was forgotten.
    func evicted(_ key: [UInt8], _ state: CounterState, on node: RedisNode) {
        guard let index = indices[key] else { return }
        let account = accounts[index]
        let rule = account.rule
        if account.isWindow {
            lose(Debit(account: index, position: state.position, units: state.count))
            lose(Debit(account: index, position: state.position - 1, units: state.rest))
        } else {
            let now = node.scriptTime(floor: 0)
            let debt = rule.limit - min(rule.limit, Oracle(state, rule, at: now).available)
            lose(Debit(account: index, position: 0, units: debt))
        }
    }

    /// A key expired by the store's clock. By the time that scripts go by, it may have had to stay only where that clock was set.
    func expired(_ key: [UInt8], _ state: CounterState, on node: RedisNode, at now: Int64) {
        guard let index = indices[key] else { return }
        let rule = accounts[index].rule
        // Of two versions of a bucket, each writes when it is full to itself; a window is over for all of them at one time.
        guard accounts[index].isWindow || !accounts[index].isWidened,
            Oracle(state, rule, at: now).available < rule.limit
        else { return }
        expect(
            disturbedAt >= 0, .timeToLive,
            "\(accounts[index].name): \(state) expired at \(now), when it still counted")
        evicted(key, state, on: node)
    }

    /// Units come back at once: at most the limit. What replicas hold of it they may spend until they hear of that.
    func wasReset(_ account: Account, position: Int64, before: SharedCounters.Counter?) {
        let held = account.isWindow ? account.rule.limit : before.map { $0.lease.held + $0.lease.heldBefore } ?? 0
        account.level.credit(held, until: world.now + forgiveness(account))
        account.isDisturbed = true
        // The window that the counter was in may be ahead of the time of whoever resets it.
        let latest = account.isWindow ? max(position, before?.state.position ?? position) : position
        account[position].resets += 1
        if latest > position { account[latest].resets += 1 }
        account.level.forgive(account.rule.limit, at: world.now, until: world.now + forgiveness(account))
    }
}
