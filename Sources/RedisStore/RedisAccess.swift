package import LimiterCore
import NIOCore
import Synchronization
package import WeirConfiguration

/// How a process reaches its Redis: where, as whom, over what. Its event loops share it.
package final class RedisAccess: Sendable {
    package let address: RedisAddress
    let sentinel: SentinelSettings
    let tls: RedisTLS?
    /// The stores that were started, each on its loop.
    private let stores = Mutex<[ObjectIdentifier: NIOLoopBound<RedisStore>]>([:])
    private let said = Mutex<Set<String>>([])

    /// Throws where the files that TLS needs cannot be used.
    package init(_ settings: StoreSettings) throws(StoreError) {
        address = settings.redis
        sentinel = settings.sentinel
        tls = settings.redis.usesTLS ? try RedisTLS(settings.tls) : nil
    }

    // MARK: What loops tell each other

    func join(_ store: RedisStore) {
        let bound = NIOLoopBound(store, eventLoop: store.eventLoop)
        stores.withLock { $0[ObjectIdentifier(store)] = bound }
    }

    func leave(_ store: RedisStore) { stores.withLock { $0[ObjectIdentifier(store)] = nil } }

    /// This store reached Redis: the others need not wait to try again.
    func reached(by store: RedisStore) {
        let others = stores.withLock { $0.filter { $0.key != ObjectIdentifier(store) }.values }
        for other in others { other.eventLoop.execute { other.value.hurry() } }
    }

    /// Whether none of the loops has said this yet; from now on, one has.
    func saysFirst(_ sentence: String) -> Bool { said.withLock { $0.insert(sentence).inserted } }
}
