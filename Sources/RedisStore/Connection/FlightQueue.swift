import LimiterCore

/// What is to be sent when the event loop has done its reads: the calls of one tick, those that belong together in one flight.
struct FlightQueue {
    private(set) var flights: [Flight] = []
    private(set) var requests = 0

    private var pool: [Flight] = []
    /// Open addressing: where the last flight with such keys is. An entry of another round is empty.
    private var slots: [(round: UInt32, flight: UInt32)]
    private var round: UInt32 = 1
    private var taken = 0

    private static let mostPooled = 4096

    init() { slots = Array(repeating: (0, 0), count: 256) }

    var isEmpty: Bool { flights.isEmpty }

    /// Adds a call whose keys are made; to a flight with equal keys, limits and operation, if one is open.
    mutating func append(_ call: LimitCall) {
        requests += 1
        // A second reset starts from what the first one made of the state, so each is a command of its own.
        guard call.operation != .reset else {
            seal()
            begin(call)
            return
        }
        if taken * 2 >= slots.count { grow() }
        let slot = slot(of: call)
        if slots[slot].round == round {
            let flight = flights[Int(slots[slot].flight)]
            if flight.requests < DecisionFormat.mostRequests {
                flight.calls.append(call)
                flight.requests += 1
                return
            }
        } else {
            taken += 1
        }
        slots[slot] = (round, UInt32(flights.count))
        begin(call)
    }

    /// Adds a command of its own. Calls that come after it are also sent after it.
    mutating func append(_ flight: Flight) {
        seal()
        requests += flight.requests
        flights.append(flight)
    }

    /// A cleared flight, to be filled.
    mutating func take() -> Flight {
        let flight = pool.popLast() ?? Flight()
        flight.isPooled = false
        return flight
    }

    mutating func recycle(_ flight: Flight) {
        precondition(!flight.isPooled, "a flight ends once")
        flight.clear()
        flight.isPooled = true
        if pool.count < Self.mostPooled { pool.append(flight) }
    }

    /// Forgets the flights, which were sent or failed, and starts the next round.
    mutating func removeAll() {
        flights.removeAll(keepingCapacity: true)
        requests = 0
        seal()
    }

    private mutating func begin(_ call: LimitCall) {
        let flight = take()
        flight.group = call.group
        flight.rules = call.rules
        flight.operation = call.operation
        flight.calls.append(call)
        flights.append(flight)
    }

    private mutating func seal() {
        taken = 0
        round &+= 1
        if round == 0 {
            for index in slots.indices { slots[index] = (0, 0) }
            round = 1
        }
    }

    private func slot(of call: LimitCall) -> Int {
        var hasher = Hasher()
        call.keyBytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        var slot = hasher.finalize() & (slots.count - 1)
        while slots[slot].round == round, !Self.belong(flights[Int(slots[slot].flight)], call) {
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }

    private static func belong(_ flight: Flight, _ call: LimitCall) -> Bool {
        let first = flight.calls[0]
        return first.group === call.group && first.operation == call.operation && first.keyBytes == call.keyBytes
            && first.keyEnds == call.keyEnds && (!call.group.hasCalendar || first.rules == call.rules)
    }

    private mutating func grow() {
        let held = slots
        slots = Array(repeating: (0, 0), count: held.count * 2)
        for entry in held where entry.round == round {
            slots[slot(of: flights[Int(entry.flight)].calls[0])] = entry
        }
    }
}
