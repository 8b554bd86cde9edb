import LimiterCore
import TestSupport

/// A way to keep one limit over a fleet, in a world without faults.
protocol Scheme: AnyObject {
    /// Calls to the store, or to the owner of the counter, up to now.
    var operations: Int { get }

    /// `admitted` is called if and when the request is let through.
    func arrive(at replica: Int, _ admitted: @escaping () -> Void)
}

/// The schemes that are compared.
package enum SchemeKind: String, CaseIterable, Sendable {
    case exact = "**exact**"
    case leased = "**leased**"
    case synced100 = "Kong-like, every 100 ms"
    case synced1000 = "Kong-like, every 1 s"
    case broadcast = "Gubernator-like, every 100 ms"

    /// `limit` units a second.
    func make(_ world: World, _ network: Network, limit: Int64) throws -> any Scheme {
        switch self {
        case .exact: try LimiterScheme(world, network, limit: limit, mode: .exact)
        case .leased: try LimiterScheme(world, network, limit: limit, mode: .leased)
        case .synced100: SyncedScheme(world, network, limit: limit, interval: 100_000)
        case .synced1000: SyncedScheme(world, network, limit: limit, interval: 1_000_000)
        case .broadcast: BroadcastScheme(world, network, limit: limit)
        }
    }
}

/// The real limiter, over a model of Redis.
final class LimiterScheme: Scheme {
    private let redis: RedisModel
    private let replicas: [Replica]
    private let limits: DeclaredLimits

    init(_ world: World, _ network: Network, limit: Int64, mode: Limit.Mode) throws {
        limits = try DeclaredLimits(.window("limit", "\(limit)/s") { $0.mode = mode })
        let referee = Referee(world, minimumReplicas: Demand.replicas)
        referee.isAsleep = true
        redis = RedisModel(
            world, SimulatedClock(world, base: Epoch.start, partsPerMillion: 0), referee, isReplicated: false)
        var settings = Replica.Settings()
        settings.minimumReplicas = Demand.replicas
        settings.drift = 20
        replicas = (0..<Demand.replicas).map { [redis, limits] in
            Replica($0, world, network, redis, labels: limits.table.labels, settings, seed: 1)
        }
        for replica in replicas { replica.start() }
    }

    var operations: Int { redis.commands }

    func arrive(at replica: Int, _ admitted: @escaping () -> Void) {
        Asking(admitted).ask(replicas[replica].stores[0], limits.group, tenant: "t")
    }
}

/// One request that only wants to know whether it may pass.
final class Asking: DecisionReceiver {
    private let admitted: () -> Void

    init(_ admitted: @escaping () -> Void) { self.admitted = admitted }

    func ask(_ store: LeasingStore, _ group: LimitGroup, tenant: String) {
        let call = LimitCall()
        call.prepare(group)
        for _ in group.dimensions { call.appendValue(tenant) }
        call.receiver = self
        store.decide(call)
    }

    func decided(_ call: LimitCall) {
        if call.decision.isAllowed { admitted() }
    }
}
