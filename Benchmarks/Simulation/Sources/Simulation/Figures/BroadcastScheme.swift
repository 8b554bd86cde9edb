/// Each replica decides by its own copy, sends its hits to the counter's owner every 100 ms, and the owner sends what is left to all:
/// Gubernator's GLOBAL behaviour, with its fixed windows that begin with the first hit.
final class BroadcastScheme: Scheme {
    private struct Bucket {
        var left: Int64
        /// When it is full again.
        var ends: Int64 = 0

        mutating func begin(at now: Int64, _ limit: Int64) {
            if now >= ends { (left, ends) = (limit, now + 1_000_000) }
        }
    }

    private static let interval: Int64 = 100_000

    private let world: World
    private let network: Network
    private let limit: Int64
    private var owner: Bucket
    private var hasNews = false
    private var copies: [Bucket]
    private var hits = [Int64](repeating: 0, count: Demand.replicas)
    private(set) var operations = 0

    init(_ world: World, _ network: Network, limit: Int64) {
        self.world = world
        self.network = network
        self.limit = limit
        owner = Bucket(left: limit)
        copies = Array(repeating: Bucket(left: limit), count: Demand.replicas)
        for replica in copies.indices {
            world.after(Self.interval * Int64(replica + 1) / Int64(copies.count)) { [self] in
                world.every(Self.interval) {
                    self.send(replica)
                    return true
                }
            }
        }
        world.every(Self.interval) {
            self.broadcast()
            return true
        }
    }

    func arrive(at replica: Int, _ admitted: @escaping () -> Void) {
        copies[replica].begin(at: world.now, limit)
        hits[replica] += 1
        guard copies[replica].left > 0 else { return }
        copies[replica].left -= 1
        admitted()
    }

    private func send(_ replica: Int) {
        guard hits[replica] > 0 else { return }
        let units = hits[replica]
        hits[replica] = 0
        operations += 1
        world.after(network.delay(of: replica)) { [self] in
            owner.begin(at: world.now, limit)
            owner.left = max(0, owner.left - units)
            hasNews = true
        }
    }

    private func broadcast() {
        guard hasNews else { return }
        hasNews = false
        let word = owner
        for replica in copies.indices {
            operations += 1
            world.after(network.delay(of: replica)) { self.copies[replica] = word }
        }
    }
}
