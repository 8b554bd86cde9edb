import LimiterCore
import NIOCore
import WeirConfiguration

/// One connection's life as a value: preparing, ready, closed; and the commands whose replies it owes, in order.
///
/// It does no I/O and reads no clock: it is told what happened and says what to do.
struct ConnectionState {
    private enum Phase {
        case preparing(until: NIODeadline)
        case ready
        case closed
    }

    enum Action {
        /// Nothing to do.
        case proceed
        /// The handshake is done: commands may be sent.
        case becomeReady
        /// The reply is this flight's, which is over with it.
        case land(Flight)
        /// The connection is of no more use.
        case drop(StoreError)
    }

    /// What a moment brings that was waited for.
    struct Expiry {
        /// Flights whose deadline has passed; their replies may still come.
        var overdue: [Flight] = []
        var drop: StoreError?
        /// When to look again; nil: nothing is awaited.
        var next: NIODeadline?
    }

    private var phase: Phase
    private(set) var handshake: Handshake
    private var flights = CircularBuffer<Flight>(initialCapacity: 64)
    /// Requests whose replies are owed, those that were given back included.
    private(set) var requestsInFlight = 0
    /// How long after its deadline a reply may be owed before the connection counts as dead.
    private let patience: TimeAmount

    private let usesTLS: Bool

    init(address: RedisAddress, patience: TimeAmount, readyBy: NIODeadline) {
        usesTLS = address.usesTLS
        phase = .preparing(until: readyBy)
        handshake = Handshake(address)
        self.patience = patience
    }

    var isReady: Bool { if case .ready = phase { true } else { false } }

    var isClosed: Bool { if case .closed = phase { true } else { false } }

    mutating func sent(_ flight: Flight) {
        flights.append(flight)
        requestsInFlight += flight.requests
    }

    mutating func received(_ reply: Reply) -> Action {
        switch phase {
        case .preparing:
            do throws(StoreError) {
                guard try handshake.received(reply) else { return .proceed }
                phase = .ready
                return .becomeReady
            } catch {
                return .drop(error)
            }
        case .ready:
            guard let flight = flights.popFirst() else {
                return .drop(StoreError(.incompatible, "the server answered what it was not asked"))
            }
            requestsInFlight -= flight.requests
            return .land(flight)
        case .closed: return .proceed
        }
    }

    /// Marks what is overdue at `now`.
    mutating func expire(at now: NIODeadline) -> Expiry {
        var expiry = Expiry()
        switch phase {
        case .preparing(let until):
            if now >= until {
                let hint = usesTLS ? "; is it a port for TLS?" : ""
                expiry.drop = StoreError(.disconnected, "the server did not get ready within a second\(hint)")
            } else {
                expiry.next = until
            }
        case .ready:
            for flight in flights {
                var due = flight.deadline
                if !flight.isOverdue, due <= now {
                    flight.isOverdue = true
                    expiry.overdue.append(flight)
                }
                if flight.isOverdue {
                    due = due + patience
                    if due <= now {
                        expiry.drop = StoreError(.timeout, "the server stopped answering")
                        continue
                    }
                }
                expiry.next = min(expiry.next ?? due, due)
            }
        case .closed: break
        }
        return expiry
    }

    /// The connection is gone. Returns what it still owed.
    mutating func close() -> CircularBuffer<Flight> {
        phase = .closed
        requestsInFlight = 0
        let owed = flights
        flights.removeAll()
        return owed
    }
}
