import TestSupport

@testable import LimiterCore

/// A shared store as tests want it: counters in memory, the same for every replica that holds a `ModelConnection`, which can be told to
/// fail. What a real Redis does is tested against a real Redis.
final class ModelStore {
    var counters: [[UInt8]: CounterState] = [:]
    var merged: [[UInt8]: [ReplicaID: (position: Int64, total: Int64, previous: Int64)]] = [:]
    var replicas: [ReplicaID] = []
    var peak = 0
    let time: ManualTime
    /// Its clock is ahead of the replicas' by this.
    var offset: Int64 = 0

    init(_ time: ManualTime) { self.time = time }

    var now: Int64 { time.nowMicroseconds + offset }

    func decide(_ call: LimitCall) {
        let keys = call.group.limits.indices.map { call.withKey($0) { [UInt8]($0) } }
        call.states = call.group.limits.indices.map { index in
            current(keys[index], call.group.limits[index].rule, call.carried[index])
        }
        if call.resolve(at: now) { for (index, key) in keys.enumerated() { counters[key] = call.states[index] } }
    }

    func merge(_ spending: Spending) -> SharedSnapshot {
        let rule = spending.rule
        var state = current(spending.key, rule, spending.carried)
        let record = merged[spending.key]?[spending.replica]
        func new(_ total: Int64, _ settled: Int64, _ known: Int64?) -> Int64 {
            max(0, total - max(settled, known ?? 0))
        }
        let sameWindow = record?.position == spending.position
        let amount = new(spending.total, spending.settled, sameWindow ? record?.total : nil)
        switch rule.algorithm {
        case .slidingWindow:
            let known = sameWindow ? record?.previous : record?.position == spending.position - 1 ? record?.total : nil
            let previous = new(spending.previousTotal, spending.previousSettled, known)
            if spending.position == state.position {
                state.count += amount
                state.rest += previous
            } else if spending.position == state.position - 1 {
                state.rest += amount
            }
        case .tokenBucket: state.count = max(-rule.limit, state.count - amount)
        }
        merged[spending.key, default: [:]][spending.replica] = (
            spending.position, spending.total, spending.previousTotal
        )
        counters[spending.key] = state
        return SharedSnapshot(now: now, state: state)
    }

    private func current(_ key: [UInt8], _ rule: CounterRule, _ carried: CounterState) -> CounterState {
        var state = rule.current(counters[key] ?? rule.neutral(at: now), at: now)
        if carried.position >= 0 { state = rule.merged(state, carried, at: now) }
        return state
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
        /// Answers all but merges, which it executes.
        case losesMergeReplies
    }

    private let model: ModelStore
    var behaviour = Behaviour.works
    var observer: (any SharedStoreObserver)?
    private(set) var decided = 0
    private(set) var heartbeats = 0
    private(set) var merges = 0
    private var late: [LateAnswer] = []

    init(_ model: ModelStore) { self.model = model }

    func decide(_ call: LimitCall) {
        decided += 1
        switch behaviour {
        case .works, .losesMergeReplies:
            model.decide(call)
            observer?.answered(call, at: model.now)
        case .disconnected: _ = observer?.failed(call, StoreError(.disconnected, "test"))
        case .refuses: _ = observer?.failed(call, StoreError(.refused, "READONLY"))
        case .losesRequests: _ = observer?.failed(call, StoreError(.timeout, "test"))
        case .losesReplies:
            let keys = call.group.limits.indices.map { call.withKey($0) { [UInt8]($0) } }
            let (group, costs) = (call.group, call.costs)
            model.decide(call)
            let (states, isAllowed, now) = (call.states, call.decision.isAllowed, model.now)
            let spent = observer?.failed(call, StoreError(.timeout, "test")) ?? []
            late.append(
                LateAnswer(
                    group: group, keys: keys, now: now, states: states, charged: isAllowed ? costs : [],
                    spentLocally: spent))
        }
    }

    func deliverLateReplies() {
        for answer in late { observer?.answeredLate(answer) }
        late = []
    }

    func merge(_ spending: Spending, _ completion: @escaping (Result<SharedSnapshot, StoreError>) -> Void) {
        switch behaviour {
        case .works: completion(.success(model.merge(spending)))
        case .losesReplies, .losesMergeReplies:
            merges += 1
            _ = model.merge(spending)
            completion(.failure(StoreError(.timeout, "test")))
        case .disconnected, .losesRequests, .refuses: completion(.failure(StoreError(.timeout, "test")))
        }
    }

    func heartbeat(of replica: ReplicaID, _ completion: @escaping (Result<FleetView, StoreError>) -> Void) {
        heartbeats += 1
        switch behaviour {
        case .works, .losesMergeReplies:
            if !model.replicas.contains(replica) { model.replicas.append(replica) }
            model.peak = max(model.peak, model.replicas.count)
            let rank = model.replicas.firstIndex(of: replica) ?? 0
            completion(.success(FleetView(now: model.now, alive: model.replicas.count, rank: rank, peak: model.peak)))
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
    let state: FallbackState
    let store: FallbackStore

    init(_ model: ModelStore, _ limits: DeclaredLimits, number: UInt64 = 1, minimumReplicas: Int = 1) {
        connection = ModelConnection(model)
        state = FallbackState(
            labels: limits.table.labels, time: model.time, minimumReplicas: minimumReplicas, replica: ReplicaID(number),
            seed: number)
        store = FallbackStore(primary: connection, state: state)
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
