import LimiterCore
import Logging
package import NIOCore
import WeirConfiguration

extension ClusterStore {
    private static let tickEvery = TimeAmount.milliseconds(50)
    /// A node without slots may still be asked for some that are on their way.
    private static let idleMicroseconds: Int64 = 5_000_000
    /// The keys of a tenant are moved within moments.
    private static let repeatAfter = TimeAmount.milliseconds(2)
    private static let mostRepetitions = 2

    /// Finds the cluster and connects to its primaries, and follows them until `shutdown`. On the event loop.
    package func start() {
        eventLoop.preconditionInEventLoop()
        guard !isRunning, !isShutDown else { return }
        isRunning = true
        tick()
    }

    /// Fails what waits and closes all connections. The store answers nothing but `.shutdown` from then on. On the event loop.
    package func shutdown() -> EventLoopFuture<Void> {
        eventLoop.preconditionInEventLoop()
        isShutDown = true
        isRunning = false
        inquiry?.cancel()
        for node in nodes.values { node.stop() }
        forgetNodes()
        return eventLoop.makeSucceededVoidFuture()
    }

    private func tick() {
        guard isRunning else { return }
        let now = now
        if primaries.contains(where: { !$0.isReady || !$0.isAsked }) { survey.want() }
        if survey.isDue(at: now) { ask(survey.begin(at: now, asking: candidates)) }
        for node in nodes.values {
            node.probe(at: now) { probeKey(of: node) }
            if let since = node.idleSince, now - since > Self.idleMicroseconds {
                nodes[node.server] = nil
                node.stop()
            }
        }
        eventLoop.assumeIsolated().scheduleTask(in: Self.tickEvery) { self.tick() }
    }

    // MARK: The map

    func wantMap() { survey.want() }

    /// Nodes that answer come first, then whoever may know.
    private var candidates: [RedisAddress.Server] {
        let (ready, others) = (primaries.filter(\.isReady), primaries.filter { !$0.isReady })
        return ready.map(\.server) + (map?.replicas ?? []) + access.address.servers + others.map(\.server)
    }

    private func ask(_ server: RedisAddress.Server?) {
        guard let server else { return }
        var commands: [[String]] = []
        if let password = access.address.password {
            commands.append(["AUTH"] + (access.address.user.map { [$0] } ?? []) + [password])
        }
        commands.append(["CLUSTER", "SLOTS"])
        inquiry = dialer.ask(server, commands) { result in
            guard self.isRunning else { return }
            self.inquiry = nil
            switch result.flatMap({ Self.map($0.last, asked: server) }) {
            case .success(let map):
                self.survey.succeeded()
                self.surveyFailure = nil
                self.take(map)
            case .failure(let error): self.noMap(from: server, error)
            }
        }
    }

    private static func map(_ answer: RedisValue?, asked: RedisAddress.Server) -> Result<SlotMap, StoreError> {
        guard let map = answer.flatMap({ SlotMap($0, asked: asked) }) else {
            return .failure(StoreError(.refused, "\(asked) knows of no slots"))
        }
        return .success(map)
    }

    private func noMap(from server: RedisAddress.Server, _ error: StoreError) {
        if let next = survey.failed() { return ask(next) }
        guard surveyFailure != error else { return }
        surveyFailure = error
        logger.warning(
            "no node tells the map of the Redis cluster", metadata: ["server": "\(server)", "reason": "\(error)"])
    }

    /// A key in one of the node's slots.
    private func probeKey(of node: ClusterNode) -> [UInt8]? {
        for number in 0..<SlotMap.slots {
            let key = Array("weir:{~probe\(number)}:p".utf8)
            let slot = key.withUnsafeBytes { SlotMap.slot(of: $0) }
            if map?.owner(of: slot) == node.server { return key }
        }
        return nil
    }

    // MARK: Redirections

    /// Sends a flight that did not run to where its keys are. Returns false where that is of no use, and it has failed.
    func redirect(_ flight: Flight, _ remedy: ServerFault.Remedy, from store: RedisStore) -> Bool {
        switch remedy {
        case .move(let slot, let named):
            let server = Self.place(named, heardFrom: store)
            move(slot, to: server)
            wantMap()
            guard flight.moves == 0 else { return false }
            flight.moves += 1
            flight.isAsking = false
            node(at: server).store.resubmit(flight)
            return true
        case .ask(let named):
            guard flight.asks == 0 else { return false }
            flight.asks += 1
            flight.isAsking = true
            node(at: Self.place(named, heardFrom: store)).store.resubmit(flight)
            return true
        case .tryAgain:
            guard flight.repetitions < Self.mostRepetitions, eventLoop.now + Self.repeatAfter < flight.deadline else {
                return false
            }
            flight.repetitions += 1
            eventLoop.assumeIsolated().scheduleTask(in: Self.repeatAfter) { store.resubmit(flight) }
            return true
        case .askForMap:
            wantMap()
            return false
        case .none, .sendText, .reconnect: return false
        }
    }

    private static func place(_ named: RedisAddress.Server, heardFrom store: RedisStore) -> RedisAddress.Server {
        named.host.isEmpty ? RedisAddress.Server(host: store.server.host, port: named.port) : named
    }
}
