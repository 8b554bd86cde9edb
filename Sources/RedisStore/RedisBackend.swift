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
}

extension RedisStore: RedisBackend {}

extension ClusterStore: RedisBackend {}

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
