import LimiterCore
import Logging
package import NIOCore
import Telemetry
import WeirConfiguration

extension RedisStore: RedisConnectionDelegate {
    /// Connects, and connects again whenever the connection is lost, until `shutdown`. On the event loop.
    package func start() {
        eventLoop.preconditionInEventLoop()
        guard case .idle = phase else { return }
        access.join(self)
        attempt()
    }

    /// Fails what waits and closes the connection. The store answers nothing but `.shutdown` from then on. On the event loop.
    package func shutdown() -> EventLoopFuture<Void> {
        eventLoop.preconditionInEventLoop()
        let before = phase
        phase = .shutdown
        access.leave(self)
        switch before {
        case .searching(let inquiry): inquiry.cancel()
        case .connecting(let connection), .ready(let connection): connection.close(Self.shutDown)
        case .waiting(_, let retry): retry.cancel()
        case .idle, .shutdown: break
        }
        failQueued(Self.shutDown)
        return eventLoop.makeSucceededVoidFuture()
    }

    static let shutDown = StoreError(.shutdown, "the store was shut down")
    private static let notConnected = StoreError(.disconnected, "there is no connection to Redis")

    /// Why nothing can be sent just now.
    var unavailability: StoreError {
        switch phase {
        case .shutdown: Self.shutDown
        case .waiting(let error, _) where !error.isTransient: error
        case .idle, .searching, .connecting, .ready, .waiting: Self.notConnected
        }
    }

    func attempt() {
        if search != nil { return searchPrimary() }
        connect(to: server)
    }

    /// There is reason to believe that an attempt succeeds.
    func hurry() {
        guard case .waiting(let error, let retry) = phase, error.isTransient else { return }
        retry.cancel()
        attempt()
    }

    func connect(to server: RedisAddress.Server) {
        let connection = RedisConnection(to: server, access, deadline: deadline, on: eventLoop, delegate: self)
        phase = .connecting(connection)
        dialer.open(connection)
    }

    // MARK: What the connection says

    func connectionBecameReady(_ connection: RedisConnection) {
        guard case .connecting(let expected) = phase, expected === connection else { return }
        phase = .ready(connection)
        if wasConnected { metrics?.countReconnect() }
        wasConnected = true
        loggedOutage = nil
        logger.info("connected to Redis", metadata: ["server": "\(connection.server)"])
        if let warning = connection.state.handshake.eviction?.warning, access.saysFirst(warning) {
            logger.warning("\(warning)")
        }
        foundPrimary(connection)
        access.reached(by: self)
    }

    func connection(_ connection: RedisConnection, landed flight: Flight, with reply: Reply) -> StoreError? {
        land(flight, reply)
    }

    func connection(_ connection: RedisConnection, isLateWith flight: Flight) { giveBack(flight) }

    func connectionClosed(_ connection: RedisConnection, _ error: StoreError, owing flights: CircularBuffer<Flight>) {
        switch phase {
        case .connecting(let current) where current === connection && search != nil:
            primaryFailed(error)
        case .connecting(let current), .ready(let current):
            if current === connection { reconnectLater(after: error) }
        case .idle, .searching, .waiting, .shutdown: break
        }
        var reason = StoreError(.interrupted, "the connection to Redis was lost: \(error.detail)")
        if case .shutdown = phase { reason = Self.shutDown }
        for flight in flights {
            if flight.isOverdue { queue.recycle(flight) } else { fail(flight, reason) }
        }
        failQueued(unavailability)
    }

    func reconnectLater(after error: StoreError) {
        if loggedOutage != error {
            loggedOutage = error
            // What waiting does not cure, people must.
            logger.log(
                level: error.isTransient ? .warning : .critical, "no connection to Redis",
                metadata: ["reason": "\(error)"])
        }
        let delay = backoff.next(isTransient: error.isTransient, random: .random(in: 0..<1))
        let retry = eventLoop.assumeIsolated().scheduleTask(in: delay) {
            guard case .waiting = self.phase else { return }
            self.attempt()
        }
        phase = .waiting(error, retry)
    }
}
