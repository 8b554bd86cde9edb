package import LimiterCore
import Synchronization
package import WeirConfiguration

/// How a process reaches its Redis: where, as whom, over what. Its event loops share it.
package final class RedisAccess: Sendable {
    package let address: RedisAddress
    let sentinel: SentinelSettings
    let tls: RedisTLS?
    private let said = Mutex<Set<String>>([])

    /// Throws where the files that TLS needs cannot be used.
    package init(_ settings: StoreSettings) throws(StoreError) {
        address = settings.redis
        sentinel = settings.sentinel
        tls = settings.redis.usesTLS ? try RedisTLS(settings.tls) : nil
    }

    /// Whether none of the loops has said this yet; from now on, one has.
    func saysFirst(_ sentence: String) -> Bool { said.withLock { $0.insert(sentence).inserted } }
}
