/// Each replica decides by its own copy of the window's count, and tells the store what it let through every so often: Kong's
/// `sync_rate`, APISIX's `sync_interval`, Limitador's cached counters.
final class SyncedScheme: Scheme {
    /// A sliding window of one second: two buckets, the one before weighed by the part of it that is still covered.
    private struct Window {
        var number: Int64 = 0
        var count: Int64 = 0
        var before: Int64 = 0

        mutating func move(to now: Int64) {
            let current = now / 1_000_000
            guard current > number else { return }
            (before, count) = (current == number + 1 ? count : 0, 0)
            number = current
        }

        func used(at now: Int64) -> Int64 {
            let left = (number + 1) * 1_000_000 - now
            return count + (before * left + 999_999) / 1_000_000
        }
    }

    private struct Copy {
        var window = Window()
        /// What the store has not been told of, by window.
        var untold: [(window: Int64, units: Int64)] = []
    }

    private let world: World
    private let network: Network
    private let limit: Int64
    private let interval: Int64
    private var store = Window()
    private var copies = [Copy](repeating: Copy(), count: Demand.replicas)
    private(set) var operations = 0

    init(_ world: World, _ network: Network, limit: Int64, interval: Int64) {
        self.world = world
        self.network = network
        self.limit = limit
        self.interval = interval
        for replica in copies.indices {
            world.after(interval * Int64(replica + 1) / Int64(copies.count)) { [self] in
                world.every(interval) {
                    self.tell(replica)
                    return true
                }
            }
        }
    }

    func arrive(at replica: Int, _ admitted: @escaping () -> Void) {
        copies[replica].window.move(to: world.now)
        guard copies[replica].window.used(at: world.now) < limit else { return }
        copies[replica].window.count += 1
        let number = copies[replica].window.number
        if copies[replica].untold.last?.window != number { copies[replica].untold.append((number, 0)) }
        copies[replica].untold[copies[replica].untold.count - 1].units += 1
        admitted()
    }

    private func tell(_ replica: Int) {
        let told = copies[replica].untold
        copies[replica].untold = []
        operations += 1
        world.after(network.delay(of: replica)) { [self] in
            store.move(to: world.now)
            for (window, units) in told {
                if window == store.number { store.count += units }
                if window == store.number - 1 { store.before += units }
            }
            let answer = store
            world.after(network.delay(of: replica)) { self.hear(answer, replica) }
        }
    }

    private func hear(_ answer: Window, _ replica: Int) {
        copies[replica].window.move(to: world.now)
        guard answer.number == copies[replica].window.number else { return }
        let since = copies[replica].untold.filter { $0.window == answer.number }.reduce(0) { $0 + $1.units }
        copies[replica].window.count = answer.count + since
        copies[replica].window.before = answer.before
    }
}
