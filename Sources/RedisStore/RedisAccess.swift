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
    private let alarms = Mutex<[String: NIODeadline]>([:])
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

    /// Whether the log should hear of a refusal that people must cure: each kind once a minute.
    func mayAlarm(of error: StoreError, at now: NIODeadline) -> Bool {
        let kind = String(error.detail.prefix { $0 != " " })
        return alarms.withLock { alarms in
            if let last = alarms[kind], now - last < .minutes(1) { return false }
            alarms[kind] = now
            return true
        }
    }

    /// Whether none of the loops has said this yet; from now on, one has.
    func saysFirst(_ sentence: String) -> Bool { said.withLock { $0.insert(sentence).inserted } }
}
