package import LimiterCore
package import Logging
package import NIOCore
package import Telemetry
import WeirConfiguration

/// Exact decisions: each is made by a script in Redis, at Redis's time, for the whole fleet.
///
/// Belongs to one event loop and has one pipelined connection. The calls of one tick leave in one write; those with
/// equal keys and limits in one command. Without an observer it answers calls itself.
package final class RedisStore: SharedStore, LimitStore {
    package var observer: (any SharedStoreObserver)?

    let eventLoop: any EventLoop
    let deadline: TimeAmount
    let logger: Logger
    let metrics: StoreMetrics?
    let access: RedisAccess

    /// The one to connect to, unless it is searched for.
    let server: RedisAddress.Server
    /// Where it is a node of a cluster: who sends elsewhere what was sent here in error.
    weak var router: ClusterStore?
    /// nil: there are no sentinels.
    var search: SentinelSearch?

    var phase = Phase.idle
    var queue = FlightQueue()
    var backoff = Backoff()
    var dialer: any Dialer
    /// Instead of Redis's time, for tests: microseconds since the epoch.
    package var scriptClock: Int64?
    /// Requests that the script and `LimitCall.resolve` decided differently. Always 0, unless one of them is wrong.
    package internal(set) var disagreements = 0
    /// Redis's time in the last reply.
    var lastNow: Int64 = 0
    /// A connection that comes after another one is counted as a reconnect.
    var wasConnected = false
    /// What was logged last, so that a long outage is one line.
    var loggedOutage: StoreError?

    private var isFlushScheduled = false

    enum Phase {
        case idle
        /// A sentinel is asked where the primary is.
        case searching(Inquiry)
        case connecting(RedisConnection)
        case ready(RedisConnection)
        /// Why there is no connection, and the next attempt.
        case waiting(StoreError, Scheduled<Void>)
        case shutdown
    }

    /// Requests that wait or whose replies are owed, at most.
    static let mostRequestsInFlight = 8192

    /// `deadline` is what one decision may take before it fails with `.timeout`.
    package convenience init(
        _ access: RedisAccess, deadline: Duration, on eventLoop: any EventLoop, logger: Logger, metrics: StoreMetrics?
    ) {
        self.init(
            access, access.address.servers[0], deadline: TimeAmount(deadline), on: eventLoop, logger: logger,
            metrics: metrics)
    }

    /// Of `server`, or of the primary that sentinels name.
    init(
        _ access: RedisAccess, _ server: RedisAddress.Server, deadline: TimeAmount, on eventLoop: any EventLoop,
        logger: Logger, metrics: StoreMetrics?
    ) {
        self.access = access
        self.server = server
        if case .sentinel(let primary) = access.address.form {
            search = SentinelSearch(primary: primary, sentinels: access.address.servers)
        }
        dialer = NetworkDialer(eventLoop: eventLoop, access: access)
        self.deadline = deadline
        self.eventLoop = eventLoop
        self.metrics = metrics
        var logger = logger
        logger[metadataKey: "redis"] = "\(access.address)"
        self.logger = logger
    }

    // MARK: What a gateway asks

    package func decide(_ call: LimitCall) {
        guard case .ready(let connection) = phase else { return fail(call, unavailability) }
        call.makeKeys()
        guard (1...DecisionFormat.mostLimits).contains(call.keyEnds.count) else { return decideUncounted(call) }
        guard connection.state.requestsInFlight + queue.requests < Self.mostRequestsInFlight else {
            return fail(call, Self.overloaded)
        }
        queue.append(call)
        scheduleFlush()
    }

    package func lease(
        _ requests: [LeaseRequest], of replica: ReplicaID,
        _ completion: @escaping (Result<LeaseAnswer, StoreError>) -> Void
    ) {
        submit(.lease(requests, replica, completion))
    }

    package func periods(
        _ requests: [PeriodRequest], _ completion: @escaping (Result<PeriodAnswer, StoreError>) -> Void
    ) {
        submit(.periods(requests, completion))
    }

    package func heartbeat(
        of replica: ReplicaID, _ completion: @escaping (Result<FleetView, StoreError>) -> Void
    ) {
        submit(.heartbeat(replica, completion))
    }

    package func leave(_ replica: ReplicaID, _ completion: @escaping () -> Void) {
        submit(.leave(replica, completion))
    }

    /// Writes `key` for a second.
    func probe(_ key: [UInt8], _ completion: @escaping (Result<Void, StoreError>) -> Void) {
        submit(.probe(key, completion))
    }

    func overrideVersion(_ completion: @escaping (Result<OverrideFormat.Version, StoreError>) -> Void) {
        submit(.overrideVersion(completion))
    }

    /// Takes what another node was asked in error; it keeps its deadline.
    func resubmit(_ flight: Flight) {
        guard case .ready = phase else { return fail(flight, unavailability) }
        guard eventLoop.now < flight.deadline else { return fail(flight, Self.timeout) }
        queue.append(flight)
        scheduleFlush()
    }

    private func submit(_ purpose: Flight.Purpose) {
        let flight = queue.take()
        flight.purpose = purpose
        guard case .ready(let connection) = phase else { return fail(flight, unavailability) }
        guard connection.state.requestsInFlight + queue.requests < Self.mostRequestsInFlight else {
            return fail(flight, Self.overloaded)
        }
        queue.append(flight)
        scheduleFlush()
    }

    /// A request that nothing limits passes; one that more limits than a call may carry apply to is refused by name.
    private func decideUncounted(_ call: LimitCall) {
        guard call.keyEnds.isEmpty else {
            return fail(
                call,
                StoreError(
                    .incompatible,
                    "\(call.keyEnds.count) limits apply to one request; Redis decides at most \(DecisionFormat.mostLimits)"
                ))
        }
        call.states.removeAll(keepingCapacity: true)
        _ = call.resolve(at: lastNow)
        deliver(call, at: lastNow)
    }

    // MARK: Sending

    /// Tasks run after the loop's reads, so whatever one tick asks is there when the task comes.
    func scheduleFlush() {
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        eventLoop.assumeIsolated().execute { self.flush() }
    }

    private func flush() {
        isFlushScheduled = false
        guard !queue.isEmpty else { return }
        guard case .ready(let connection) = phase else { return failQueued(unavailability) }
        let deadline = eventLoop.now + deadline
        let clock = scriptClock ?? -max(1, observer?.storeTime ?? 1)
        // One text is enough: whatever comes behind it finds the script there.
        var texts: Set<Script> = []
        for index in queue.flights.indices {
            let flight = queue.flights[index]
            // One that is sent again keeps the deadline it had.
            flight.deadline = min(flight.deadline, deadline)
            flight.clock = clock
            if flight.isAsking { announce(flight, on: connection) }
            connection.send(flight) { writer, names in write(flight, names, &texts, to: &writer) }
            let isFirst = !flight.isResent && flight.moves + flight.periodMoves + flight.asks + flight.repetitions == 0
            if case .decision = flight.purpose, isFirst { metrics?.countBatch(decisions: flight.requests) }
        }
        queue.removeAll()
        connection.flush()
    }

    /// ASKING holds for the one command behind it.
    private func announce(_ flight: Flight, on connection: RedisConnection) {
        let announcement = queue.take()
        announcement.purpose = .asking
        announcement.deadline = flight.deadline
        var texts: Set<Script> = []
        connection.send(announcement) { writer, names in write(announcement, names, &texts, to: &writer) }
    }

    private func write(
        _ flight: Flight, _ names: [[UInt8]], _ texts: inout Set<Script>, to writer: inout CommandWriter
    ) {
        func script(_ script: Script) {
            if flight.isResent, texts.insert(script).inserted {
                writer.argument("EVAL")
                writer.argument(script.text)
            } else {
                writer.argument("EVALSHA")
                writer.argument(names[script.rawValue])
            }
        }
        switch flight.purpose {
        case .decision:
            script(.decide)
            DecisionFormat.appendKeysAndArguments(of: flight.calls, clock: flight.clock, to: &writer)
        case .lease(let requests, let replica, _):
            script(.lease)
            SharedFormat.append(requests, of: replica, clock: flight.clock, to: &writer)
        case .periods(let requests, _):
            script(.periods)
            SharedFormat.append(requests, clock: flight.clock, to: &writer)
        case .heartbeat(let replica, _):
            script(.heartbeat)
            SharedFormat.appendHeartbeat(of: replica, clock: flight.clock, to: &writer)
        case .leave(let replica, _): SharedFormat.appendLeave(replica, to: &writer)
        case .probe(let key, _): SharedFormat.appendProbe(key, to: &writer)
        case .overrideVersion:
            writer.argument("MGET")
            writer.argument(OverrideFormat.versionKey)
        case .asking: writer.argument("ASKING")
        }
    }

    static let overloaded = StoreError(
        .overloaded, "\(mostRequestsInFlight) requests wait for Redis already")
}
