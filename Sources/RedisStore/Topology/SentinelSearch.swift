import LimiterCore
import WeirConfiguration

/// Finds the primary that sentinels name: a value that is told what was heard and says what to do next. It does no I/O.
///
/// A round asks one sentinel after the other, beginning with the one that was right last, until a server that one of them names says of
/// itself that it is a primary. A sentinel that is down, does not know the name, or names a server that is none is passed over, and no
/// server is tried twice in a round.
struct SentinelSearch {
    enum Action: Hashable {
        /// Ask this sentinel where the primary is.
        case ask(RedisAddress.Server)
        /// Connect there, and hear whether it is a primary.
        case connect(RedisAddress.Server)
        /// Nobody could say. The next round should wait.
        case giveUp(StoreError)
    }

    let primary: String
    private(set) var sentinels: [RedisAddress.Server]
    /// The sentinel that is asked, or whose word is tried.
    private var current = 0
    private var tried: Set<RedisAddress.Server> = []
    /// Why those that were asked so far could not help.
    private var failures: [StoreError] = []

    /// `sentinels` are asked in this order at first; there is at least one.
    init(primary: String, sentinels: [RedisAddress.Server]) {
        self.primary = primary
        self.sentinels = sentinels
    }

    /// Starts a round.
    mutating func begin() -> Action {
        current = 0
        tried = []
        failures = []
        return .ask(sentinels[0])
    }

    /// The sentinel named this server; nil: it does not know the primary's name.
    mutating func named(_ server: RedisAddress.Server?) -> Action {
        guard let server else {
            let error = StoreError(.incompatible, "no sentinel knows a primary called `\(primary)`")
            return passOver(error)
        }
        guard tried.insert(server).inserted else { return next() }
        return .connect(server)
    }

    /// The sentinel did not answer, or refused to.
    mutating func sentinelFailed(_ error: StoreError) -> Action { passOver(error) }

    /// The server that the sentinel named cannot be reached, or is no primary.
    mutating func serverFailed(_ error: StoreError) -> Action { passOver(error) }

    /// The server is a primary: its sentinel is the first to be asked in the next round.
    mutating func found() { sentinels.swapAt(0, current) }

    /// This sentinel was of no help while there was no search: others are asked first.
    mutating func putLast(_ sentinel: RedisAddress.Server) {
        guard let index = sentinels.firstIndex(of: sentinel) else { return }
        sentinels.append(sentinels.remove(at: index))
    }

    private mutating func passOver(_ error: StoreError) -> Action {
        failures.append(error)
        return next()
    }

    private mutating func next() -> Action {
        current += 1
        guard current < sentinels.count else { return .giveUp(reason) }
        return .ask(sentinels[current])
    }

    /// What people can do something about comes first; that nobody knows the name only if nobody said anything else.
    private var reason: StoreError {
        failures.first { $0.code == .unauthorized } ?? failures.last { $0.isTransient } ?? failures.last
            ?? StoreError(.disconnected, "no sentinel could be asked")
    }
}
