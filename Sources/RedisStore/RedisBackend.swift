package import LimiterCore
package import Logging
package import NIOCore
package import Telemetry
import WeirConfiguration

/// A store over Redis in any of its forms. It belongs to one event loop, where all of this is called.
package protocol RedisBackend: SharedStore, LimitStore {
    /// Connects, and connects again whenever that is lost, until `shutdown`.
    func start()
    /// Fails what waits. The store answers nothing but `.shutdown` from then on.
    func shutdown() -> EventLoopFuture<Void>
    /// The overrides that are kept in the same Redis, which `board` shows from their `start` on. `storeTime`: Redis's clock as far as it
    /// is known, in microseconds.
    func makeOverrides(
        on loop: any EventLoop, board: OverrideBoard, storeTime: @escaping @Sendable () -> Int64, logger: Logger
    ) -> RedisOverrides
}

/// What overrides need of a store, on its event loop.
protocol OverrideBackend: RedisBackend {
    /// Which change was the last one, on the connection that there is. It may take as long as the server does to answer, and where
    /// the connection is lost meanwhile there is no answer at all.
    func overrideVersion(_ completion: @escaping (Result<OverrideFormat.Version, StoreError>) -> Void)

    /// Some commands for the server that keeps overrides, on a connection of their own; their answers, in order.
    func converse(_ commands: [[String]], _ completion: @escaping (Result<[RedisValue], StoreError>) -> Void)
}

extension RedisStore: OverrideBackend {
    func converse(_ commands: [[String]], _ completion: @escaping (Result<[RedisValue], StoreError>) -> Void) {
        guard case .ready(let connection) = phase else { return completion(.failure(unavailability)) }
        var first: [[String]] = []
        if let password = access.address.password {
            first.append(["AUTH"] + (access.address.user.map { [$0] } ?? []) + [password])
        }
        if access.address.database != 0 { first.append(["SELECT", "\(access.address.database)"]) }
        _ = dialer.ask(connection.server, first + commands) { result in
            completion(result.map { Array($0.dropFirst(first.count)) })
        }
    }
}

extension ClusterStore: OverrideBackend {
    func overrideVersion(_ completion: @escaping (Result<OverrideFormat.Version, StoreError>) -> Void) {
        switch askedNode(ofKey: Array(OverrideFormat.versionKey.utf8)) {
        case .success(let node): node.store.overrideVersion(completion)
        case .failure(let error): completion(.failure(error))
        }
    }

    func converse(_ commands: [[String]], _ completion: @escaping (Result<[RedisValue], StoreError>) -> Void) {
        switch askedNode(ofKey: Array(OverrideFormat.versionKey.utf8)) {
        case .success(let node):
            node.store.converse(commands) { result in
                // The slot may be somewhere else by now.
                if case .failure = result { self.wantMap() }
                completion(result)
            }
        case .failure(let error): completion(.failure(error))
        }
    }
}

extension RedisAccess {
    /// The store for this Redis; `deadline` is what one decision may take before it fails with `.timeout`.
    package func makeStore(
        deadline: Duration, on eventLoop: any EventLoop, logger: Logger, metrics: StoreMetrics?
    ) -> any RedisBackend {
        switch address.form {
        case .server, .sentinel:
            RedisStore(self, deadline: deadline, on: eventLoop, logger: logger, metrics: metrics)
        case .cluster: ClusterStore(self, deadline: deadline, on: eventLoop, logger: logger, metrics: metrics)
        }
    }
}
