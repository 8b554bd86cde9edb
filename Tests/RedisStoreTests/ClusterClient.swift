import LimiterCore
import Logging
import NIOCore
import NIOPosix
import TestSupport
import WeirConfiguration

@testable import RedisStore

/// A cluster's store on an event loop of its own, asked from a test's task.
final class ClusterClient: Sendable {
    private struct Parts {
        let store: ClusterStore
        let recorder: Recorder
    }

    private let group: MultiThreadedEventLoopGroup
    private let loop: any EventLoop
    private let parts: NIOLoopBound<Parts>

    convenience init(_ url: String) async throws {
        try await self.init(StoreSettings(redis: RedisAddress(parsing: url)))
    }

    init(_ settings: StoreSettings, deadline: Duration = .seconds(5)) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        self.group = group
        self.loop = loop
        let access = try RedisAccess(settings)
        parts = try await loop.submit {
            let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            let store = ClusterStore(access, deadline: deadline, on: loop, logger: logger, metrics: nil)
            let recorder = Recorder()
            store.observer = recorder
            store.start()
            return NIOLoopBound(Parts(store: store, recorder: recorder), eventLoop: loop)
        }.get()
    }

    func onLoop<Result: Sendable>(_ body: @escaping @Sendable (ClusterStore) -> Result) async throws -> Result {
        let parts = parts
        return try await loop.submit { body(parts.value.store) }.get()
    }

    /// Waits until the primaries of all slots are connected.
    func becomesReady(_ primaries: Int = 3) async throws {
        try await eventually(within: .seconds(20), "connections to \(primaries) primaries") {
            try await self.onLoop { $0.primaries.count == primaries && $0.primaries.allSatisfy(\.isReady) }
        }
    }

    func ports() async throws -> Set<Int> { try await onLoop { Set($0.primaries.map(\.server.port)) } }

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
        _ = try await onLoop { store in store.lease(requests, of: replica) { promise.succeed($0) } }
        return try await promise.futureResult.get()
    }

    func heartbeat(of replica: ReplicaID) async throws -> Result<FleetView, StoreError> {
        let promise = loop.makePromise(of: Result<FleetView, StoreError>.self)
        _ = try await onLoop { store in store.heartbeat(of: replica) { promise.succeed($0) } }
        return try await promise.futureResult.get()
    }

    func makeOverrides(_ board: OverrideBoard) async throws -> RedisOverrides {
        let loop = loop
        return try await onLoop { store in
            let overrides = store.makeOverrides(
                on: loop, board: board, storeTime: { MachineTime().nowMicroseconds },
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
            overrides.start()
            return overrides
        }
    }

    func shutdown() async throws {
        _ = try await onLoop { store in _ = store.shutdown() }
        try await group.shutdownGracefully()
    }
}
