import LimiterCore

/// The shared store as one event loop of a replica reaches it: one pipelined connection, a deadline for each command, and late
/// replies that still count. It does what RedisStore does, over a simulated network.
final class SimulatedRedis: SharedStore {
    var observer: (any SharedStoreObserver)?

    let world: World
    let network: Network
    let redis: RedisModel
    unowned let replica: Replica
    var connection: Connection?
    private var attempts = 0
    /// The process is gone.
    private var isClosed = false

    /// Microseconds.
    static let deadline: Int64 = 20_000
    /// So long after its deadline a reply may be owed before the connection counts as dead.
    private static let patience: Int64 = 10_000_000
    /// Connecting and the handshake take so many messages.
    private static let handshakeMessages: Int64 = 6
    private static let readyWithin: Int64 = 1_000_000

    /// One connection's life: what is owed, in order.
    final class Connection {
        let node: RedisNode
        var flights: [Flight] = []
        var isClosed = false
        /// Bytes stay in order, both ways.
        var lastArrival: Int64 = 0
        var lastReply: Int64 = 0

        init(_ node: RedisNode) { self.node = node }
    }

    init(_ world: World, _ network: Network, _ redis: RedisModel, _ replica: Replica) {
        self.world = world
        self.network = network
        self.redis = redis
        self.replica = replica
    }

    // MARK: What the limiter asks

    func decide(_ call: LimitCall) {
        call.makeKeys()
        redis.referee.asks(call, replica)
        guard connection != nil else { return fail(call, Self.notConnected) }
        send(Flight(call, at: replica.moment, floor: floor))
    }

    func lease(
        _ requests: [LeaseRequest], of replica: ReplicaID,
        _ completion: @escaping (Result<LeaseAnswer, StoreError>) -> Void
    ) {
        redis.referee.asks(requests, self.replica)
        guard connection != nil else {
            redis.referee.isOver(requests, self.replica)
            return self.replica.delivering(nil) { completion(.failure(Self.notConnected)) }
        }
        send(
            Flight(.lease(requests, replica, floor: floor), at: self.replica.moment) { [self] result in
                redis.referee.isOver(requests, self.replica)
                self.replica.delivering(nil) {
                    switch result {
                    case .success(.leased(let answer)):
                        redis.referee.heard(answer, requests, self.replica)
                        completion(.success(answer))
                        redis.referee.settled(requests, self.replica)
                    case .success: completion(.failure(Self.unexpected))
                    case .failure(let error): completion(.failure(error))
                    }
                }
            })
    }

    func periods(
        _ requests: [PeriodRequest], _ completion: @escaping (Result<PeriodAnswer, StoreError>) -> Void
    ) {
        guard connection != nil else { return completion(.failure(Self.notConnected)) }
        send(
            Flight(.periods(requests, floor: floor), at: replica.moment) { result in
                switch result {
                case .success(.periods(let answer)): completion(.success(answer))
                case .success: completion(.failure(Self.unexpected))
                case .failure(let error): completion(.failure(error))
                }
            })
    }

    func heartbeat(of replica: ReplicaID, _ completion: @escaping (Result<FleetView, StoreError>) -> Void) {
        guard connection != nil else { return completion(.failure(Self.notConnected)) }
        send(
            Flight(.heartbeat(replica, floor: floor), at: self.replica.moment) { [self] result in
                switch result {
                case .success(.fleet(let view)):
                    redis.referee.heard(view, self.replica)
                    completion(.success(view))
                case .success: completion(.failure(Self.unexpected))
                case .failure(let error): completion(.failure(error))
                }
            })
    }

    func leave(_ replica: ReplicaID, _ completion: @escaping () -> Void) {
        guard connection != nil else { return completion() }
        send(Flight(.leave(replica), at: self.replica.moment) { _ in completion() })
    }

    private var floor: Int64 { max(1, observer?.storeTime ?? 1) }

    static let notConnected = StoreError(.disconnected, "there is no connection")
    private static let unexpected = StoreError(.incompatible, "an answer to something else")

    // MARK: Connecting

    func connect() {
        guard !isClosed, connection == nil else { return }
        let node = replica.reachablePrimary
        guard !node.isDown, !network.cut.contains(replica.index), !network.deaf.contains(replica.index) else {
            return world.after(node.isDown ? network.delay(of: replica.index) : Self.readyWithin) { self.retry() }
        }
        var delay: Int64 = 0
        for _ in 0..<Self.handshakeMessages { delay += network.delay(of: replica.index) }
        delay += max(0, node.pausedUntil - world.now)
        guard delay < Self.readyWithin else { return world.after(Self.readyWithin) { self.retry() } }
        world.after(delay) { [self] in
            replica.whenAwake { [self] in
                guard !isClosed, connection == nil else { return }
                guard !node.isDown, node === replica.reachablePrimary else { return retry() }
                attempts = 0
                connection = Connection(node)
                world.note(.phase, Int64(replica.index), "replica \(replica.index) connected to node \(node.number)")
            }
        }
    }

    /// 50 ms, doubling to 2 s, each ± 50 %.
    private func retry() {
        guard !isClosed else { return }
        let base = min(2_000_000, Int64(50_000) << Int64(min(attempts, 16)))
        attempts += 1
        world.after(base / 2 + world.random.number(0...base)) { self.connect() }
    }

    /// The connection is gone; commands that were sent may or may not have been executed.
    func reset(_ reason: String) {
        guard let connection else { return }
        self.connection = nil
        connection.isClosed = true
        world.note(.failure, Int64(replica.index), "replica \(replica.index) lost its connection: \(reason)")
        let owed = connection.flights
        connection.flights = []
        for flight in owed where !flight.isOverdue { fail(flight, StoreError(.interrupted, reason)) }
        retry()
    }

    /// Who is connected to a server that lost its place connects to the one that has it.
    func leaveFormer() {
        guard let connection, connection.node !== replica.reachablePrimary else { return }
        replica.whenAwake { if connection === self.connection { self.reset("another server is the primary now") } }
    }

    /// The process ends: nobody is told anything any more.
    func close() {
        isClosed = true
        observer = nil
        connection?.isClosed = true
        connection?.flights = []
        connection = nil
    }

    // MARK: Sending

    private func send(_ flight: Flight) {
        guard let connection else { return }
        connection.flights.append(flight)
        transmit(flight, on: connection)
        world.after(Self.deadline) { [self] in
            replica.whenAwake { [self] in
                guard !flight.isOver, !connection.isClosed else { return }
                giveBack(flight)
                world.after(Self.patience) { [self] in
                    if !flight.isOver, connection === self.connection { reset("the server stopped answering") }
                }
            }
        }
    }

    func transmit(_ flight: Flight, on connection: Connection) {
        guard !network.cut.contains(replica.index) else { return }
        connection.lastArrival = max(connection.lastArrival, world.now + network.delay(of: replica.index))
        world.at(connection.lastArrival) { self.arrive(flight, on: connection) }
        if flight.mayRepeat, network.isDuplicated() {
            world.after(world.random.number(0...1_000_000)) { [self] in
                guard !connection.node.isDown else { return }
                _ = redis.execute(flight.command, on: connection.node)
            }
        }
    }

    private func arrive(_ flight: Flight, on connection: Connection) {
        let node = connection.node
        guard !node.isDown, !network.cut.contains(replica.index) else { return }
        let start = node.begins(world.now)
        guard start > world.now else { return execute(flight, on: connection) }
        world.at(start) { self.execute(flight, on: connection) }
    }

    private func execute(_ flight: Flight, on connection: Connection) {
        guard !connection.node.isDown else { return }
        let reply = redis.execute(flight.command, on: connection.node)
        flight.executedAt = world.now
        guard !connection.isClosed, !network.cut.contains(replica.index), !network.deaf.contains(replica.index) else {
            return
        }
        connection.lastReply = max(connection.lastReply, world.now + network.delay(of: replica.index))
        world.at(connection.lastReply) { [self] in
            replica.whenAwake { self.land(flight, reply, on: connection) }
        }
    }
}
