import LimiterCore
import NIOCore
import NIOPosix
import Synchronization
import TestSupport

/// Several gateways over one Redis and one upstream, and the load on them.
final class Fleet: Sendable {
    let redis: RedisServer
    let gateways: [WeirProcess]
    private let upstream: Upstream

    static let limitName = "hourly"

    enum Mode: String, CaseIterable, Sendable {
        case exact
        case leased
    }

    private init(redis: RedisServer, gateways: [WeirProcess], upstream: Upstream) {
        self.redis = redis
        self.gateways = gateways
        self.upstream = upstream
    }

    /// Runs `body` with gateways that admit `limit` requests an hour and tenant. Their deadline is long: a busy machine is
    /// no fault.
    static func run(
        gateways count: Int, limit: Int, mode: Mode, _ body: (Fleet) async throws -> Void
    ) async throws {
        let upstream = try await Upstream.start()
        let redis = try await RedisServer.start()
        var gateways: [WeirProcess] = []
        for _ in 0..<count {
            gateways.append(
                try await WeirProcess.serve(
                    """
                    store:
                      redis: redis://127.0.0.1:\(redis.port)
                      replicas: \(count)
                      deadline: 500ms
                    identity:
                      header: X-Tenant
                    limits:
                      - {name: \(limitName), per: tenant, rate: \(limit)/hour, mode: \(mode)}
                    services:
                      - name: api
                        routes: [{path: /}]
                        upstreams: ["http://127.0.0.1:\(upstream.port)"]
                    """))
        }
        let fleet = Fleet(redis: redis, gateways: gateways, upstream: upstream)
        defer {
            for gateway in gateways { gateway.stop() }
            redis.stop()
        }
        try await fleet.becomesShared()
        try await body(fleet)
        try await upstream.stop()
    }

    /// Every gateway asks Redis, and none has anything left to tell it.
    func becomesShared() async throws {
        for gateway in gateways {
            try await eventually(within: .seconds(30), "the gateway on port \(gateway.gateway) uses Redis") {
                let degraded = try await gateway.metric("weir_store_degraded")
                let unmerged = try await gateway.metric("weir_store_unmerged")
                return degraded == 0 && unmerged == 0
            }
        }
    }

    /// The hour that Redis is in.
    func hour() throws -> Int {
        let lines = try redis.cli(["TIME"]).split(separator: "\n")
        return (Int(lines.first ?? "") ?? 0) / 3600
    }

    /// Sends `count` requests to each gateway, several at a time, and counts the answers by status.
    func load(_ count: Int, tenant: String, at a: Int = 16) async throws -> [Int: Int] {
        try await withThrowingTaskGroup(of: [Int: Int].self) { tasks in
            for gateway in gateways {
                let next = Counter()
                for _ in 0..<a {
                    tasks.addTask {
                        var statuses: [Int: Int] = [:]
                        while next.take() < count {
                            statuses[try await HTTP.get(gateway.gateway, "/", tenant: tenant).status, default: 0] += 1
                        }
                        return statuses
                    }
                }
            }
            return try await tasks.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
        }
    }
}

final class Counter: Sendable {
    private let value = Atomic<Int>(0)

    func take() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
}
