import LimiterCore
import Logging
import NIOCore
import NIOPosix
import RedisStore
import TestSupport
import Testing
import WeirConfiguration

/// The stores that must all behave alike.
enum StoreKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case local = "LocalStore"
    case redis = "RedisStore"
    case cluster = "ClusterStore"
    case exact = "LeasingStore over RedisStore, exact"
    case leased = "LeasingStore over RedisStore, leased"
    case alone = "LeasingStore over RedisStore, local"

    var mode: Limit.Mode {
        switch self {
        case .leased: .leased
        case .alone: .local
        case .local, .redis, .cluster, .exact: .exact
        }
    }

    var testDescription: String { rawValue }
}

/// A store with what it needs to run, asked from outside its event loop.
final class StoreUnderTest: Sendable {
    let limits: DeclaredLimits
    private let limiter: AsyncLimiter
    private let server: RedisServer?
    private let group: MultiThreadedEventLoopGroup
    private let redis: NIOLoopBound<any RedisBackend>?

    /// Runs `body` with a fresh, empty store that has these limits.
    static func run(
        _ kind: StoreKind, _ declarations: LimitDeclaration..., body: (StoreUnderTest) async throws -> Void
    ) async throws {
        let declarations = declarations.map { declaration in
            var declaration = declaration
            declaration.mode = kind.mode
            return declaration
        }
        let store = try await StoreUnderTest(kind, DeclaredLimits(declarations))
        do {
            try await body(store)
        } catch {
            try await store.stop()
            throw error
        }
        try await store.stop()
    }

    private init(_ kind: StoreKind, _ limits: DeclaredLimits) async throws {
        self.limits = limits
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        guard kind != .local else {
            server = nil
            redis = nil
            limiter = AsyncLimiter(store: LocalStore(labels: limits.table.labels, time: WallTime())) { $0() }
            return
        }
        let server = try await RedisServer.start(RedisServer.Options(isCluster: kind == .cluster))
        self.server = server
        let scheme = kind == .cluster ? "redis+cluster" : "redis"
        let access = try RedisAccess(
            StoreSettings(redis: RedisAddress(parsing: "\(scheme)://127.0.0.1:\(server.port)")))
        let redis = try await loop.submit {
            let store = access.makeStore(
                deadline: .seconds(5), on: loop,
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), metrics: nil)
            store.start()
            return NIOLoopBound(store, eventLoop: loop)
        }.get()
        self.redis = redis
        let labels = limits.table.labels
        limiter = try await loop.submit {
            let store: any LimitStore =
                kind == .redis || kind == .cluster
                ? redis.value
                : LeasingStore(
                    primary: redis.value, state: LeasingState(labels: labels, time: WallTime(), minimumReplicas: 1)
                ) { task in loop.execute(task) }
            return AsyncLimiter(store: store) { task in loop.execute(task) }
        }.get()
        try await eventually(within: .seconds(10), "Redis answers") {
            let decision = await ask(.peek)
            return decision.outcome == .allowed && !decision.isDegraded
        }
    }

    private func stop() async throws {
        if let redis {
            try await redis.eventLoop.flatSubmit { redis.value.shutdown() }.get()
            try await redis.eventLoop.submit { redis.value.observer = nil }.get()
        }
        server?.stop()
        try await group.shutdownGracefully()
    }

    func ask(
        _ operation: LimitCall.Operation = .decide, tenant: String = "acme", cost: Int64? = nil,
        _ change: (inout LimitQuestion) -> Void = { _ in }
    ) async -> Decision {
        var question = LimitQuestion(limits.group, operation, tenant: tenant)
        question.cost = cost
        change(&question)
        return await limiter.decide(question)
    }

    /// How many of `tries` at once pass.
    func admitted(of tries: Int, tenant: String = "acme") async -> Int {
        await withTaskGroup(of: Bool.self) { tasks in
            for _ in 0..<tries {
                tasks.addTask {
                    let decision = await self.ask(tenant: tenant)
                    #expect(!decision.isDegraded)
                    return decision.isAllowed
                }
            }
            return await tasks.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
    }
}

/// This machine's time.
struct WallTime: TimeSource {
    private let start = ContinuousClock.now
    private let startMicroseconds = Int64(1_767_225_600_000_000)

    var nowMicroseconds: Int64 {
        let (seconds, attoseconds) = (ContinuousClock.now - start).components
        return startMicroseconds + seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }
}
