package import Tokens

/// The keys of one address as one worker has them, and the exchanges that wait for others.
final class KeySource {
    /// How long an exchange waits for keys.
    static let longestWaitNanoseconds: Int64 = 2_000_000_000
    private static let mostWaiting = 1024

    let address: String
    private(set) var keys: KeySet?
    private var demand = KeyDemand()
    private var waiting: [Exchange.Ticket] = []
    /// Asks the control plane for keys.
    private let ask: @Sendable (String) -> Void

    init(_ address: String, ask: @escaping @Sendable (String) -> Void) {
        self.address = address
        self.ask = ask
    }

    /// What is known of an address already, or is to be.
    static func find(
        _ address: String, in known: inout [String: KeySource], ask: @escaping @Sendable (String) -> Void
    ) -> KeySource {
        if let source = known[address] { return source }
        let source = KeySource(address, ask: ask)
        known[address] = source
        return source
    }

    /// false: nothing would come of waiting, or too many do.
    func wait(_ exchange: Exchange, for id: [UInt8]?, at now: Int64) -> Bool {
        let verdict = demand.miss(id, at: now)
        if verdict == .ask { ask(address) }
        guard verdict != .refuse, waiting.count < Self.mostWaiting else { return false }
        waiting.append(exchange.ticket())
        return true
    }

    func missedAgain(_ id: [UInt8], at now: Int64) { demand.missedAgain(id, at: now) }

    func use(_ update: KeyUpdate) {
        let hasChanged = keys != update.keys
        if hasChanged { keys = update.keys }
        demand.answered(hasChanged: hasChanged, nextAllowedAt: update.nextAllowedAt)
        let resumed = waiting
        waiting = []
        for ticket in resumed where ticket.isCurrent && ticket.exchange.phase == .authenticating {
            Authentication.goOn(ticket.exchange)
        }
    }
}

/// What came of fetching an issuer's keys.
package struct KeyUpdate: Sendable {
    package let address: String
    /// The last that were fetched; nil: none ever were, or too long ago.
    package let keys: KeySet?
    /// When the next fetch may start, in nanoseconds of the loops' clock.
    package let nextAllowedAt: Int64

    package init(address: String, keys: KeySet?, nextAllowedAt: Int64) {
        self.address = address
        self.keys = keys
        self.nextAllowedAt = nextAllowedAt
    }
}
