package import LimiterCore
package import WeirConfiguration

/// How a process reaches its Redis: where, as whom, over what. Its event loops share it.
package final class RedisAccess: Sendable {
    package let address: RedisAddress
    let tls: RedisTLS?

    /// Throws where the files that TLS needs cannot be used.
    package init(_ settings: StoreSettings) throws(StoreError) {
        address = settings.redis
        tls = settings.redis.usesTLS ? try RedisTLS(settings.tls) : nil
    }
}
