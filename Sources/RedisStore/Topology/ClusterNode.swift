import LimiterCore
import Logging
import NIOCore
import WeirConfiguration

/// One node of a cluster: its store, and whether it is asked. It hears how calls end before whoever made them does.
final class ClusterNode: SharedStoreObserver {
    let server: RedisAddress.Server
    let store: RedisStore
    private let cluster: ClusterStore
    private(set) var breaker: Breaker
    /// Since when the map has no slots of it, in microseconds; nil: it has some.
    var idleSince: Int64?

    init(_ server: RedisAddress.Server, _ store: RedisStore, of cluster: ClusterStore) {
        self.server = server
        self.store = store
        self.cluster = cluster
        breaker = Breaker(seed: .random(in: .min ... .max))
        store.observer = self
        store.router = cluster
    }

    var isReady: Bool { if case .ready = store.phase { true } else { false } }

    /// Whether calls may go there.
    var isAsked: Bool { breaker.isClosed }

    func stop() {
        _ = store.shutdown()
        store.observer = nil
    }

    // MARK: How calls end

    var storeTime: Int64? { cluster.observer?.storeTime }

    func answered(_ call: LimitCall, at now: Int64) {
        breaker.succeeded(at: cluster.now)
        cluster.tellAnswered(call, at: now)
    }

    func failed(_ call: LimitCall, _ error: StoreError) -> [Int64] {
        noteFailure(error)
        return cluster.tellFailed(call, error)
    }

    func answeredLate(_ answer: LateAnswer) { cluster.observer?.answeredLate(answer) }

    func noteFailure(_ error: StoreError) {
        switch error.code {
        case .disconnected, .overloaded, .shutdown: return
        case .timeout, .interrupted, .refused, .unauthorized, .incompatible: break
        }
        guard breaker.isClosed else { return }
        breaker.failed(at: cluster.now)
        guard !breaker.isClosed else { return }
        cluster.wantMap()
        cluster.logger.warning(
            "a node of the Redis cluster does not decide; this replica enforces its share of what lives there until it does",
            metadata: ["server": "\(server)", "reason": "\(error)"])
    }

    // MARK: Coming back

    /// Writes to the node if it is time to see whether it takes that; `key` is one of its slots'.
    func probe(at now: Int64, _ key: () -> [UInt8]?) {
        guard isReady, !breaker.isClosed, breaker.shouldProbe(at: now) else { return }
        guard let key = key() else { return breaker.probeFailed(at: now) }
        store.probe(key) { [self] result in
            let now = cluster.now
            switch result {
            case .success: breaker.probePassed(at: now)
            case .failure: breaker.probeFailed(at: now)
            }
            if breaker.isClosed {
                cluster.logger.notice("the node of the Redis cluster decides again", metadata: ["server": "\(server)"])
            }
        }
    }
}
