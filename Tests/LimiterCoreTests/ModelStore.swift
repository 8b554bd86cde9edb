import TestSupport

@testable import LimiterCore

/// A shared store as tests want it: counters in memory, the same for every replica that holds a `ModelConnection`, which can be told to
/// fail. What a real Redis does is tested against a real Redis.
final class ModelStore {
    var shared = SharedCounters()
    var replicas: [ReplicaID] = []
    var peak = 0
    var birth: Int64 = 1
    let time: ManualTime
    /// Its clock is ahead of the replicas' by this.
    var offset: Int64 = 0

    init(_ time: ManualTime) { self.time = time }

    var now: Int64 { time.nowMicroseconds + offset }

    /// Forgets all, and begins anew.
    func loseEverything() {
        shared = SharedCounters()
        birth += 1
    }

    func decide(_ call: LimitCall) { shared.decide(call, at: now) }

    func lease(_ requests: [LeaseRequest], of replica: ReplicaID) -> LeaseAnswer {
        shared.lease(requests, of: replica, at: now)
    }
}

final class ModelConnection: SharedStore {
    enum Behaviour {
        case works
        case disconnected
        /// Executes, and never says so in time.
        case losesReplies
        /// Does not execute.
        case losesRequests
        case refuses
        /// Answers all but lease calls, which it executes.
        case losesLeaseReplies
    }

    private let model: ModelStore
    var behaviour = Behaviour.works
    var observer: (any SharedStoreObserver)?
    private(set) var decided = 0
    private(set) var heartbeats = 0
    private(set) var leases = 0
    private var late: [LateAnswer] = []

    init(_ model: ModelStore) { self.model = model }

    func decide(_ call: LimitCall) {
        decided += 1
        switch behaviour {
        case .works, .losesLeaseReplies:
            model.decide(call)
            observer?.answered(call, at: model.now)
        case .disconnected: _ = observer?.failed(call, StoreError(.disconnected, "test"))
        case .refuses: _ = observer?.failed(call, StoreError(.refused, "READONLY"))
        case .losesRequests: _ = observer?.failed(call, StoreError(.timeout, "test"))
        case .losesReplies:
            let keys = call.group.limits.indices.map { call.withKey($0) { [UInt8]($0) } }
            let (group, costs) = (call.group, call.costs)
            model.decide(call)
            let rules = call.rules
            let (states, isAllowed, now) = (call.states, call.decision.isAllowed, model.now)
            let spent = observer?.failed(call, StoreError(.timeout, "test")) ?? []
            late.append(
                LateAnswer(
                    group: group, rules: rules, keys: keys, now: now, states: states, charged: isAllowed ? costs : [],
                    spentLocally: spent))
        }
    }

    func deliverLateReplies() {
        for answer in late { observer?.answeredLate(answer) }
        late = []
    }

    func lease(
        _ requests: [LeaseRequest], of replica: ReplicaID,
        _ completion: @escaping (Result<LeaseAnswer, StoreError>) -> Void
    ) {
        leases += 1
        switch behaviour {
        case .works: completion(.success(model.lease(requests, of: replica)))
        case .losesReplies, .losesLeaseReplies:
            _ = model.lease(requests, of: replica)
            completion(.failure(StoreError(.timeout, "test")))
        case .disconnected: completion(.failure(StoreError(.disconnected, "test")))
        case .losesRequests, .refuses: completion(.failure(StoreError(.timeout, "test")))
        }
    }

    func periods(
        _ requests: [PeriodRequest], _ completion: @escaping (Result<PeriodAnswer, StoreError>) -> Void
    ) {
        switch behaviour {
        case .works, .losesLeaseReplies: completion(.success(model.shared.periods(requests, at: model.now)))
        case .disconnected: completion(.failure(StoreError(.disconnected, "test")))
        case .losesReplies, .losesRequests, .refuses: completion(.failure(StoreError(.timeout, "test")))
        }
    }

    func heartbeat(of replica: ReplicaID, _ completion: @escaping (Result<FleetView, StoreError>) -> Void) {
        heartbeats += 1
        switch behaviour {
        case .works, .losesLeaseReplies:
            if !model.replicas.contains(replica) { model.replicas.append(replica) }
            model.peak = max(model.peak, model.replicas.count)
            let rank = model.replicas.firstIndex(of: replica) ?? 0
            completion(
                .success(
                    FleetView(
                        now: model.now, alive: model.replicas.count, rank: rank, peak: model.peak, birth: model.birth)))
        case .disconnected: completion(.failure(StoreError(.disconnected, "test")))
        case .losesReplies, .losesRequests: completion(.failure(StoreError(.timeout, "test")))
        case .refuses: completion(.failure(StoreError(.refused, "READONLY")))
        }
    }

    func leave(_ replica: ReplicaID, _ completion: @escaping () -> Void) {
        model.replicas.removeAll { $0 == replica }
        completion()
    }
}

/// A replica of the fleet, over the model.
struct ModelReplica {
    let connection: ModelConnection
    let state: LeasingState
    let store: LeasingStore

    init(_ model: ModelStore, _ limits: DeclaredLimits, number: UInt64 = 1, minimumReplicas: Int = 1) {
        connection = ModelConnection(model)
        state = LeasingState(
            labels: limits.table.labels, time: model.time, minimumReplicas: minimumReplicas, replica: ReplicaID(number),
            seed: number)
        store = LeasingStore(primary: connection, state: state)
    }

    /// Lets the time pass in steps as the real timer would.
    func tick(for duration: Duration, _ time: ManualTime) {
        for _ in 0..<Int(duration / .milliseconds(50)) {
            time.advance(by: .milliseconds(50))
            store.tick()
        }
    }

    func admitted(_ group: LimitGroup, of tries: Int, tenant: String = "acme") -> Int {
        (0..<tries).count { _ in store.ask(group, .decide, [tenant])?.isAllowed == true }
    }
}
