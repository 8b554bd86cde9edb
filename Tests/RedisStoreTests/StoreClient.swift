import LimiterCore
import Logging
import NIOCore
import NIOPosix
import Telemetry
import TestSupport
import WeirConfiguration

@testable import RedisStore

/// What a test asks.
struct Question: Sendable {
    var group: LimitGroup
    var tenant = "acme"
    var operation = LimitCall.Operation.decide
    /// Empty: the limits' own.
    var costs: [Int64] = []
    /// Empty: nothing is carried.
    var carried: [CounterState] = []

    func call() -> LimitCall {
        let call = LimitCall()
        call.prepare(group, operation)
        for _ in group.dimensions { call.appendValue(tenant) }
        if !costs.isEmpty { call.costs = costs }
        if !carried.isEmpty { call.carried = carried }
        return call
    }
}

/// How a call ended.
struct Answer: Sendable {
    var decision: Decision
    var states: [CounterState]
    var keys: [String]
    var now: Int64 = 0
    var error: StoreError?

    var isAllowed: Bool { error == nil && decision.isAllowed }
}

/// Notes how calls end. It lives on the store's loop.
final class Recorder: SharedStoreObserver {
    var ended: [ObjectIdentifier: Answer] = [:]
    var late: [LateAnswer] = []
    /// What a failed call spends locally, one amount a limit.
    var spends: [Int64] = []
    var onEnd: () -> Void = {}
    var storeTime: Int64?

    func answered(_ call: LimitCall, at now: Int64) { end(call, now: now, nil) }

    func failed(_ call: LimitCall, _ error: StoreError) -> [Int64] {
        end(call, now: 0, error)
        return spends
    }

    func answeredLate(_ answer: LateAnswer) { late.append(answer) }

    /// Asks all in one tick; each answer in its question's place.
    func ask(_ store: any SharedStore, _ questions: [Question], _ promise: EventLoopPromise<[Answer]>) {
        let calls = questions.map { $0.call() }
        onEnd = { [unowned self] in
            guard ended.count == calls.count else { return }
            let answers = calls.map { ended[ObjectIdentifier($0)]! }
            ended = [:]
            promise.succeed(answers)
        }
        for call in calls { store.decide(call) }
    }

    private func end(_ call: LimitCall, now: Int64, _ error: StoreError?) {
        precondition(ended[ObjectIdentifier(call)] == nil, "a call ends once")
        let keys = call.keyEnds.indices.map { call.withKey($0) { String(decoding: $0, as: UTF8.self) } }
        ended[ObjectIdentifier(call)] = Answer(
            decision: call.decision, states: call.states, keys: keys, now: now, error: error)
        onEnd()
    }
}

/// A store on an event loop of its own, asked from a test's task.
final class StoreClient: Sendable {
    private struct Parts {
        let store: RedisStore
        let recorder: Recorder
    }

    private let group: MultiThreadedEventLoopGroup
    let loop: any EventLoop
    private let parts: NIOLoopBound<Parts>

    let metrics = Metrics(services: [], limits: [], workers: 1)

    convenience init(
        port: Int, user: String? = nil, password: String? = nil, deadline: Duration = .seconds(5)
    ) async throws {
        let address = RedisAddress(host: "127.0.0.1", port: port, user: user, password: password)
        try await self.init(StoreSettings(redis: address), deadline: deadline)
    }

    init(_ settings: StoreSettings, deadline: Duration = .seconds(5)) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        self.group = group
        self.loop = loop
        let access = try RedisAccess(settings)
        parts = try await loop.submit { [metrics] in
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let store = RedisStore(
                access, deadline: deadline, on: loop, logger: logger, metrics: metrics.store)
            let recorder = Recorder()
            store.observer = recorder
            store.start()
            return NIOLoopBound(Parts(store: store, recorder: recorder), eventLoop: loop)
        }.get()
    }

    /// A store that is connected.
    static func connected(
        to server: RedisServer, password: String? = nil, deadline: Duration = .seconds(5)
    ) async throws -> StoreClient {
        let client = try await StoreClient(port: server.port, password: password, deadline: deadline)
        try await client.becomesReady()
        return client
    }

    func onLoop<Result: Sendable>(_ body: @escaping @Sendable (RedisStore, Recorder) -> Result) async throws -> Result {
        let parts = parts
        return try await loop.submit { body(parts.value.store, parts.value.recorder) }.get()
    }

    func becomesReady(within limit: Duration = .seconds(10)) async throws {
        try await eventually(within: limit, "a connection") { try await self.isReady() }
    }

    func isReady() async throws -> Bool {
        try await onLoop { store, _ in if case .ready = store.phase { true } else { false } }
    }

    /// Waits until so many requests are on their way.
    func hasSent(_ requests: Int) async throws {
        try await eventually("the departure of \(requests) requests") {
            try await self.onLoop { store, _ in
                if case .ready(let connection) = store.phase {
                    connection.state.requestsInFlight == requests
                } else {
                    false
                }
            }
        }
    }

    func setClock(_ now: Int64) async throws { try await onLoop { store, _ in store.scriptClock = now } }

    /// Asks all in one tick; each answer in its question's place.
    func decide(_ questions: [Question]) async throws -> [Answer] {
        let parts = parts
        let promise = loop.makePromise(of: [Answer].self)
        loop.execute { parts.value.recorder.ask(parts.value.store, questions, promise) }
        return try await promise.futureResult.get()
    }

    func decide(_ question: Question) async throws -> Answer { try await decide([question])[0] }

    func lease(_ requests: [LeaseRequest], of replica: ReplicaID) async throws -> Result<LeaseAnswer, StoreError> {
        let promise = loop.makePromise(of: Result<LeaseAnswer, StoreError>.self)
        try await onLoop { store, _ in store.lease(requests, of: replica) { promise.succeed($0) } }
        return try await promise.futureResult.get()
    }

    func periods(_ requests: [PeriodRequest]) async throws -> Result<PeriodAnswer, StoreError> {
        let promise = loop.makePromise(of: Result<PeriodAnswer, StoreError>.self)
        try await onLoop { store, _ in store.periods(requests) { promise.succeed($0) } }
        return try await promise.futureResult.get()
    }

    func heartbeat(of replica: ReplicaID) async throws -> Result<FleetView, StoreError> {
        let promise = loop.makePromise(of: Result<FleetView, StoreError>.self)
        try await onLoop { store, _ in store.heartbeat(of: replica) { promise.succeed($0) } }
        return try await promise.futureResult.get()
    }

    func leave(_ replica: ReplicaID) async throws {
        let promise = loop.makePromise(of: Void.self)
        try await onLoop { store, _ in store.leave(replica) { promise.succeed(()) } }
        try await promise.futureResult.get()
    }

    func shutdown() async throws {
        _ = try await onLoop { store, _ in _ = store.shutdown() }
        try await group.shutdownGracefully()
    }
}

/// Runs `body` with a Redis and a store that is connected to it, and ends both.
func withStore(
    _ options: RedisServer.Options = RedisServer.Options(), deadline: Duration = .seconds(5),
    _ body: (RedisServer, StoreClient) async throws -> Void
) async throws {
    let server = try await RedisServer.start(options)
    defer { server.stop() }
    let client = try await StoreClient.connected(to: server, password: options.password, deadline: deadline)
    do {
        try await body(server, client)
    } catch {
        try await client.shutdown()
        throw error
    }
    try await client.shutdown()
}
