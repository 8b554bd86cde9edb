package import LimiterCore
package import Logging
package import NIOCore
package import Telemetry
import WeirConfiguration

/// Exact decisions in a Redis Cluster: each goes to the primary that has the slot of its keys, which all limits of a request must share.
///
/// Belongs to one event loop. It has a store, and a breaker, for each primary: what one of them does not decide is failed at once, and the
/// others go on.
package final class ClusterStore: SharedStore, LimitStore {
    package var observer: (any SharedStoreObserver)?
    package var guardsItself: Bool { true }

    let eventLoop: any EventLoop
    let access: RedisAccess
    let deadline: TimeAmount
    let logger: Logger
    let metrics: StoreMetrics?
    var dialer: any Dialer

    /// nil: no node said yet.
    private(set) var map: SlotMap?
    /// In the order of `map.primaries`.
    private(set) var primaries: [ClusterNode] = []
    /// With those that had slots until lately.
    var nodes: [RedisAddress.Server: ClusterNode] = [:]
    var survey = MapSurvey()
    var inquiry: Inquiry?
    var isRunning = false
    var isShutDown = false
    /// Why there is no map, as it was logged.
    var surveyFailure: StoreError?
    private var lastView: FleetView?
    /// By the parts that are under way.
    private var peeks: [ObjectIdentifier: SplitPeek] = [:]
    /// Instead of Redis's time, for tests: microseconds since the epoch.
    package var scriptClock: Int64?

    /// `deadline` is what one decision may take before it fails with `.timeout`.
    package init(
        _ access: RedisAccess, deadline: Duration, on eventLoop: any EventLoop, logger: Logger, metrics: StoreMetrics?
    ) {
        self.access = access
        self.deadline = TimeAmount(deadline)
        self.eventLoop = eventLoop
        self.metrics = metrics
        var logger = logger
        logger[metadataKey: "redis"] = "\(access.address)"
        self.logger = logger
        dialer = NetworkDialer(eventLoop: eventLoop, access: access)
    }

    /// Microseconds that only measure durations.
    var now: Int64 { Int64(eventLoop.now.uptimeNanoseconds / 1000) }

    // MARK: What a gateway asks

    package func decide(_ call: LimitCall) {
        call.makeKeys()
        guard !call.keyEnds.isEmpty else {
            // Nothing limits it: any node may say so.
            guard let node = primaries.first else { return fail(call, unavailability) }
            return node.store.decide(call)
        }
        guard let slot = Self.slot(of: call) else { return split(call) }
        guard let node = node(of: slot) else { return fail(call, unavailability) }
        guard node.isAsked else { return fail(call, Self.leftAlone(node)) }
        node.store.decide(call)
    }

    package func lease(
        _ requests: [LeaseRequest], of replica: ReplicaID,
        _ completion: @escaping (Result<LeaseAnswer, StoreError>) -> Void
    ) {
        // The counters are one tenant's, or a single one without: they share a slot.
        switch askedNode(ofKey: requests.first?.key ?? []) {
        case .success(let node):
            node.store.lease(requests, of: replica) { result in
                if case .failure(let error) = result { node.noteFailure(error) }
                completion(result)
            }
        case .failure(let error): completion(.failure(error))
        }
    }

    package func periods(
        _ requests: [PeriodRequest], _ completion: @escaping (Result<PeriodAnswer, StoreError>) -> Void
    ) {
        switch askedNode(ofKey: requests.first?.key ?? []) {
        case .success(let node):
            node.store.periods(requests) { result in
                if case .failure(let error) = result { node.noteFailure(error) }
                completion(result)
            }
        case .failure(let error): completion(.failure(error))
        }
    }

    /// While the node that has the list is away, the fleet is as it was last seen, as long as others take writes.
    package func heartbeat(
        of replica: ReplicaID, _ completion: @escaping (Result<FleetView, StoreError>) -> Void
    ) {
        let finish = { (result: Result<FleetView, StoreError>) in
            switch result {
            case .success(let view):
                self.lastView = view
                completion(result)
            case .failure:
                guard var view = self.lastView, let time = self.observer?.storeTime, self.isAnyoneThere else {
                    return completion(result)
                }
                view.now = time
                completion(.success(view))
            }
        }
        switch askedNode(ofKey: SharedFormat.fleetKey) {
        case .success(let node):
            node.store.heartbeat(of: replica) { result in
                if case .failure(let error) = result { node.noteFailure(error) }
                finish(result)
            }
        case .failure(let error): finish(.failure(error))
        }
    }

    package func leave(_ replica: ReplicaID, _ completion: @escaping () -> Void) {
        guard case .success(let node) = askedNode(ofKey: SharedFormat.fleetKey) else { return completion() }
        node.store.leave(replica, completion)
    }

    // MARK: Several slots

    private func split(_ call: LimitCall) {
        guard call.operation == .peek else { return fail(call, Self.severalSlots) }
        let peek = SplitPeek(call)
        let parts = peek.calls
        for part in parts { peeks[ObjectIdentifier(part)] = peek }
        for part in parts { decide(part) }
    }

    func tellAnswered(_ call: LimitCall, at now: Int64) {
        if !peeks.isEmpty, let peek = peeks.removeValue(forKey: ObjectIdentifier(call)) {
            return finish(peek, peek.answered(call, at: now))
        }
        if let observer { observer.answered(call, at: now) } else { call.answer() }
    }

    func tellFailed(_ call: LimitCall, _ error: StoreError) -> [Int64] {
        if !peeks.isEmpty, let peek = peeks.removeValue(forKey: ObjectIdentifier(call)) {
            finish(peek, peek.failed(error))
            return []
        }
        if let observer { return observer.failed(call, error) }
        call.decideUnavailable()
        call.answer()
        return []
    }

    private func finish(_ peek: SplitPeek, _ outcome: SplitPeek.Outcome) {
        switch outcome {
        case .waits: break
        case .answered(let now): tellAnswered(peek.whole, at: now)
        case .failed(let error): _ = tellFailed(peek.whole, error)
        }
    }

    // MARK: Who has what

    private func node(of slot: Int) -> ClusterNode? { map?.ownerIndex(of: slot).map { primaries[$0] } }

    func askedNode(ofKey key: [UInt8]) -> Result<ClusterNode, StoreError> {
        let slot = key.withUnsafeBytes { SlotMap.slot(of: $0) }
        guard let node = node(of: slot) else { return .failure(unavailability) }
        return node.isAsked ? .success(node) : .failure(Self.leftAlone(node))
    }

    /// The one slot of all keys; nil: there are several.
    private static func slot(of call: LimitCall) -> Int? {
        let first = call.withKey(0) { SlotMap.slot(of: $0) }
        for index in 1..<max(1, call.keyEnds.count) where call.withKey(index, { SlotMap.slot(of: $0) }) != first {
            return nil
        }
        return first
    }

    /// Whether some node decides.
    private var isAnyoneThere: Bool { primaries.contains { $0.isReady && $0.isAsked } }

    func take(_ map: SlotMap) {
        self.map = map
        placeNodes()
    }

    /// A node said that another one has this slot.
    func move(_ slot: Int, to server: RedisAddress.Server) {
        map?.move(slot, to: server)
        placeNodes()
    }

    /// Nodes and cluster hold each other until now.
    func forgetNodes() {
        map = nil
        primaries = []
        nodes = [:]
    }

    /// Makes a node of each primary that is new, and lets those rest that have no slots any more.
    private func placeNodes() {
        guard let map, map.primaries != primaries.map(\.server) || map.primaries.count != nodes.count else { return }
        primaries = map.primaries.map { node(at: $0) }
        for node in nodes.values {
            let isPrimary = map.primaries.contains(node.server)
            node.idleSince = isPrimary ? nil : node.idleSince ?? now
        }
    }

    /// The node at this place, connecting to it if it is new.
    func node(at server: RedisAddress.Server) -> ClusterNode {
        if let known = nodes[server] { return known }
        var logger = logger
        logger[metadataKey: "server"] = "\(server)"
        let store = RedisStore(access, server, deadline: deadline, on: eventLoop, logger: logger, metrics: metrics)
        store.dialer = dialer
        store.scriptClock = scriptClock
        let node = ClusterNode(server, store, of: self)
        node.idleSince = now
        nodes[server] = node
        store.start()
        return node
    }

    // MARK: Failures

    private static let severalSlots = StoreError(
        .incompatible, "the limits of this request lie in several slots of the cluster")

    private static func leftAlone(_ node: ClusterNode) -> StoreError {
        StoreError(.disconnected, "the node \(node.server) is left alone for a while, because it failed")
    }

    private var unavailability: StoreError {
        if isShutDown { return RedisStore.shutDown }
        if let surveyFailure, !surveyFailure.isTransient { return surveyFailure }
        return StoreError(.disconnected, "nobody says which node of the cluster has this slot")
    }

    private func fail(_ call: LimitCall, _ error: StoreError) {
        metrics?.countError(error.code.rawValue)
        _ = tellFailed(call, error)
    }
}
