/// The connections of one worker to one upstream: which are idle, how many there are, and who waits for one.
///
/// It performs nothing; each method names an event and returns what is to be done. Connections and waiters are only
/// handed through. Idle, leased and opening connections together never exceed `maximumConnections`. Waiters for whom no connection can be
/// opened never exceed `maximumWaiters`.
struct UpstreamPool<Connection: AnyObject, Waiter: AnyObject> {
    enum Acquisition {
        case leased(Connection)
        /// In the queue; with `connect`, a connection is to be opened as well.
        case waiting(connect: Bool)
        /// As many wait as may.
        case refused
    }

    private struct Idle {
        let connection: Connection
        let since: Int64
    }

    let maximumConnections: Int
    let maximumWaiters: Int
    private var idle: [Idle] = []
    /// A queue: entries before `firstWaiter` are served, nil ones have left.
    private var waiters: [Waiter?] = []
    private var firstWaiter = 0
    private(set) var waiting = 0
    private(set) var leased = 0
    private(set) var opening = 0

    init(maximumConnections: Int, maximumWaiters: Int) {
        self.maximumConnections = maximumConnections
        self.maximumWaiters = maximumWaiters
    }

    var idleCount: Int { idle.count }
    /// Requests that this upstream has or is about to get.
    var inFlight: Int { leased + waiting }
    private var total: Int { idle.count + leased + opening }
    /// Whether a waiter waits for another request to end rather than for a connection to open.
    var isSaturated: Bool { opening == 0 && leased >= maximumConnections }

    mutating func acquire(for waiter: Waiter) -> Acquisition {
        if let last = idle.popLast() {
            leased += 1
            return .leased(last.connection)
        }
        guard waiting < maximumWaiters || waiting < maximumConnections - leased else { return .refused }
        waiters.append(waiter)
        waiting += 1
        return .waiting(connect: opensAnother())
    }

    /// A leased connection is gone, and whoever had it opens another for itself alone: it then tells `openedOwn` or `ownFailed`.
    mutating func replaceLeased() {
        leased -= 1
        opening += 1
    }

    mutating func openedOwn() {
        opening -= 1
        leased += 1
    }

    /// Returns whether a connection is to be opened for those who wait.
    mutating func ownFailed() -> Bool {
        opening -= 1
        return opensAnother()
    }

    /// Returns who is to be served with it; nil: it is idle now.
    mutating func opened(_ connection: Connection, at now: Int64) -> Waiter? {
        opening -= 1
        leased += 1
        return released(connection, at: now)
    }

    /// Returns whom that fails, and whether another connection is to be opened for the rest.
    mutating func openingFailed() -> (failed: Waiter?, connect: Bool) {
        opening -= 1
        let failed = popWaiter()
        return (failed, opensAnother())
    }

    /// A leased connection can take another request. Returns who is to be served with it; nil: it is idle now.
    mutating func released(_ connection: Connection, at now: Int64) -> Waiter? {
        if let waiter = popWaiter() { return waiter }
        leased -= 1
        idle.append(Idle(connection: connection, since: now))
        return nil
    }

    /// A leased connection is gone. Returns whether another is to be opened for those who wait.
    mutating func leasedClosed() -> Bool {
        leased -= 1
        return opensAnother()
    }

    mutating func idleClosed(_ connection: Connection) {
        if let index = idle.lastIndex(where: { $0.connection === connection }) { idle.remove(at: index) }
    }

    /// Takes the one that has been idle longest, if since before `time`; it is to be closed.
    mutating func popIdle(since time: Int64) -> Connection? {
        guard let first = idle.first, first.since < time else { return nil }
        return idle.removeFirst().connection
    }

    /// The waiter no longer wants a connection.
    mutating func withdraw(_ waiter: Waiter) {
        guard let index = waiters[firstWaiter...].firstIndex(where: { $0 === waiter }) else { return }
        waiters[index] = nil
        waiting -= 1
    }

    /// Whether one more connection is to be opened, which is then counted: never more at a time than there are waiters.
    private mutating func opensAnother() -> Bool {
        guard waiting > opening, total < maximumConnections else { return false }
        opening += 1
        return true
    }

    private mutating func popWaiter() -> Waiter? {
        while firstWaiter < waiters.count {
            let waiter = waiters[firstWaiter]
            waiters[firstWaiter] = nil
            firstWaiter += 1
            if firstWaiter == waiters.count || firstWaiter > 64 {
                waiters.removeFirst(firstWaiter)
                firstWaiter = 0
            }
            if let waiter {
                waiting -= 1
                return waiter
            }
        }
        return nil
    }
}
