import LimiterCore
import NIOCore
import NIOPosix
import Synchronization
import TestSupport

/// Several gateways over one Redis, of whatever form, and one upstream, and the load on them.
final class Fleet: Sendable {
    let gateways: [WeirProcess]
    private let upstream: Upstream

    enum Mode: String, CaseIterable, Sendable {
        case exact
        case leased
        case local

        /// In these the fleet shares a counter.
        static let allCases = [Mode.exact, .leased]
    }

    private init(gateways: [WeirProcess], upstream: Upstream) {
        self.gateways = gateways
        self.upstream = upstream
    }

    /// Runs `body` with gateways over a Redis of their own.
    static func run(
        gateways count: Int, limit: Int, mode: Mode, deadline: String = shortDeadline,
        _ body: (Fleet, RedisServer) async throws -> Void
    ) async throws {
        let redis = try await RedisServer.start()
        defer { redis.stop() }
        let url = "redis://127.0.0.1:\(redis.port)"
        try await run(gateways: count, limit: limit, mode: mode, over: url, deadline: deadline) { fleet in
            try await body(fleet, redis)
        }
    }

    /// Where Redis is paused, callers wait so long; where it is not, a busy machine is no fault, and the deadline may be longer.
    static let shortDeadline = "500ms"

    /// Runs `body` with gateways that admit `limit` requests a long window and tenant.
    static func run(
        gateways count: Int, limit: Int, mode: Mode, over url: String, deadline: String = shortDeadline,
        _ body: (Fleet) async throws -> Void
    ) async throws {
        let upstream = try await Upstream.start()
        var gateways: [WeirProcess] = []
        defer { for gateway in gateways { gateway.stop() } }
        for _ in 0..<count {
            gateways.append(
                try await WeirProcess.serve(
                    """
                    store:
                      redis: \(url)
                      replicas: \(count)
                      deadline: \(deadline)
                    identity:
                      header: X-Tenant
                    limits:
                      - {name: long, per: tenant, rate: \(limit)/\(LongWindow.period), mode: \(mode)}
                    services:
                      - name: api
                        routes: [{path: /}]
                        upstreams: ["http://127.0.0.1:\(upstream.port)"]
                    """))
        }
        let fleet = Fleet(gateways: gateways, upstream: upstream)
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

    /// Of all gateways.
    func degradedDecisions() async throws -> Double {
        var sum = 0.0
        for gateway in gateways { sum += try await gateway.degradedDecisions() }
        return sum
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

    /// Loads these tenants at each gateway for as long as `body` runs; each one's answers by status.
    func load(
        _ tenants: [String], at a: Int, during body: () async throws -> Void
    ) async throws -> [String: [Int: Int]] {
        let isOver = Flag()
        async let answers = load(tenants, at: a, until: isOver)
        do {
            try await body()
        } catch {
            isOver.raise()
            _ = try await answers
            throw error
        }
        isOver.raise()
        return try await answers
    }

    private func load(_ tenants: [String], at a: Int, until isOver: Flag) async throws -> [String: [Int: Int]] {
        try await withThrowingTaskGroup(of: (String, [Int: Int]).self) { tasks in
            for tenant in tenants {
                for gateway in gateways {
                    for _ in 0..<a {
                        tasks.addTask {
                            var statuses: [Int: Int] = [:]
                            while !isOver.isRaised {
                                let status = try await HTTP.get(gateway.gateway, "/", tenant: tenant).status
                                statuses[status, default: 0] += 1
                            }
                            return (tenant, statuses)
                        }
                    }
                }
            }
            return try await tasks.reduce(into: [:]) { $0[$1.0, default: [:]].merge($1.1, uniquingKeysWith: +) }
        }
    }
}

final class Flag: Sendable {
    private let value = Atomic<Bool>(false)

    var isRaised: Bool { value.load(ordering: .relaxed) }

    func raise() { value.store(true, ordering: .relaxed) }
}

final class Counter: Sendable {
    private let value = Atomic<Int>(0)

    func take() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
}
