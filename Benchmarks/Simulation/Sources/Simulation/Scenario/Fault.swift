import LimiterCore
import TestSupport

/// What may go wrong. Times in microseconds.
enum Fault {
    /// Messages take longer, for everybody or for one replica.
    case slowNetwork(replica: Int?, Int64)
    /// One message in so many is lost for a while.
    case lossyNetwork(Int64)
    /// Lease calls and heartbeats are executed twice now and then, the second time up to a second later.
    case duplicates(Int64)
    /// Nothing reaches these replicas and nothing comes from them.
    case partition([Int])
    /// The store's replies do not arrive.
    case deaf([Int])
    /// Connections are reset.
    case resets([Int])
    /// The store stands still.
    case storePause
    /// Each command takes so long.
    case slowStore(Int64)
    /// Scripts are answered like this.
    case refusal(String)
    /// The store forgets scripts.
    case scriptsForgotten
    /// A replica of the store takes over, so far behind, with a clock that is so far ahead; where `split`, some still reach the former.
    case failover(lag: Int64, clockAhead: Int64, split: [Int])
    case flush
    case eviction(counters: Bool, ledgers: Bool)
    case clockJump(Int64)
    case crash(Int)
    case restart(Int)
    case replicaPause(Int)
    /// So many replicas come, or go.
    case scaleUp(Int)
    case scaleDown(Int)
    /// Replicas take the other version of the configuration.
    case configuration([Int])
}

/// A fault, when it begins, and for how long it lasts.
struct PlannedFault: CustomStringConvertible {
    let fault: Fault
    let time: Int64
    let duration: Int64

    var description: String { "\(fault) at \(Double(time / 10_000) / 100) s for \(Double(duration / 1000) / 1000) s" }

    /// One to six of them.
    static func draw(
        _ random: inout SeededGenerator, replicas: Int, from: Int64, until: Int64
    ) -> [PlannedFault] {
        (0..<random.pick([1, 1, 2, 2, 3, 4, 6])).map { _ in
            let time = random.number(from / 2...until - 500_000)
            let duration = min(random.exponential(700_000) + 10_000, until - time)
            return PlannedFault(fault: draw(&random, replicas: replicas), time: time, duration: duration)
        }.sorted { $0.time < $1.time }
    }

    private static func draw(_ random: inout SeededGenerator, replicas: Int) -> Fault {
        let one = Int(random.number(0...Int64(replicas - 1)))
        var some: [Int] = []
        for index in 0..<replicas where random.oneIn(2) { some.append(index) }
        let milliseconds = random.number(1...60)
        switch random.number(0...23) {
        case 0: return .slowNetwork(replica: nil, milliseconds * 500)
        case 1: return .slowNetwork(replica: one, milliseconds * 1000)
        case 2: return .lossyNetwork(random.number(3...60))
        case 3: return .duplicates(random.number(2...20))
        case 4, 5: return .partition(random.oneIn(2) ? Array(0..<replicas) : some)
        case 6, 7: return .deaf(random.oneIn(2) ? Array(0..<replicas) : some)
        case 8: return .resets(random.oneIn(2) ? Array(0..<replicas) : some)
        case 9: return .storePause
        case 10: return .slowStore(random.number(50...3000))
        case 11: return .refusal(random.pick(["OOM", "NOREPLICAS", "BUSY", "LOADING", "MISCONF", "READONLY"]))
        case 12: return .scriptsForgotten
        case 13, 14:
            return .failover(
                lag: random.pick([0, random.number(0...50_000), random.number(0...900_000)]),
                clockAhead: random.pick([0, random.number(-3000...3000), random.number(-900_000...900_000)]),
                split: random.oneIn(3) ? some : [])
        case 15: return .flush
        case 16:
            return .eviction(counters: !random.oneIn(3), ledgers: random.oneIn(2))
        case 17: return .clockJump(random.pick([-1, 1]) * random.pick([3_600_000_000, random.number(0...3_000_000)]))
        case 18: return .crash(one)
        case 19: return .restart(one)
        case 20: return .replicaPause(one)
        case 21: return .scaleUp(Int(random.number(1...3)))
        case 22: return .scaleDown(one)
        default: return .configuration(random.oneIn(2) ? Array(0..<replicas) : some)
        }
    }
}
