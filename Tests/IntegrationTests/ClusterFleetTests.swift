import TestSupport
import Testing

/// Three gateways over a cluster of three primaries and three replicas.
@Suite(.serialized) struct ClusterFleetTests {
    private let limit = 300
    private let spent = 200
    private let left = 100

    /// Spends so much of each tenant's budget, and lets all gateways see it.
    private func spend(_ fleet: Fleet, _ tenants: [String]) async throws {
        for tenant in tenants {
            // A multiple of the gateways' number is sent, so the last are sent by hand.
            var statuses = try await fleet.load(spent / 3, tenant: tenant)
            for _ in 0..<spent % 3 {
                statuses[try await HTTP.get(fleet.gateways[0].gateway, "/", tenant: tenant).status, default: 0] += 1
            }
            #expect(statuses == [200: spent])
            for gateway in fleet.gateways {
                try await eventually("what is left is known") {
                    let known = try await HTTP.get(gateway.control, "/v1/tenants/\(tenant)/budget").body
                    return known.contains("\"remaining\":\(left)")
                }
            }
        }
    }

    /// Loads all tenants at once; each one's statuses.
    private func load(_ fleet: Fleet, _ count: Int, _ tenants: [String]) async throws -> [String: [Int: Int]] {
        try await withThrowingTaskGroup(of: (String, [Int: Int]).self) { tasks in
            for tenant in tenants {
                tasks.addTask { (tenant, try await fleet.load(count, tenant: tenant, at: 2)) }
            }
            return try await tasks.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    private func check(_ statuses: [String: [Int: Int]]) {
        for (tenant, statuses) in statuses {
            #expect(Set(statuses.keys).isSubset(of: [200, 429]), "\(tenant): \(statuses)")
        }
    }

    /// Waits until Redis decides for all these tenants, at every gateway.
    private func redisDecides(_ fleet: Fleet, _ tenants: [String]) async throws {
        try await eventually(within: .seconds(20), "Redis decides for all tenants") {
            let before = try await fleet.degradedDecisions()
            _ = try await load(fleet, 2, tenants)
            return try await fleet.degradedDecisions() == before
        }
    }

    enum Fault: String, CaseIterable, Sendable {
        case killed
        case paused
        /// The operator's own: the replica takes over when it has everything.
        case ordered

        func strike(_ primary: RedisServer, _ replica: RedisServer) throws {
            switch self {
            case .killed: primary.kill()
            case .paused: primary.pause()
            case .ordered: try replica.cli(["CLUSTER", "FAILOVER"])
            }
        }
    }

    @Test(arguments: [
        (Fault.killed, Fleet.Mode.exact), (.paused, .exact), (.ordered, .exact), (.killed, .leased), (.paused, .leased),
    ])
    func aPrimaryThatFailsUnderLoadTakesNobodyWithIt(fault: Fault, mode: Fleet.Mode) async throws {
        let cluster = try await RedisCluster.start()
        defer { cluster.stop() }
        try await Fleet.run(gateways: 3, limit: limit, mode: mode, over: cluster.url) { fleet in
            let ranges = [0..<5461, 5461..<10_923, 10_923..<16_384]
            let tenants = ranges.map { RedisCluster.tenants(1, in: $0)[0] }
            try await spend(fleet, tenants)

            let during = try await fleet.load(tenants, at: 2) {
                try fault.strike(cluster.servers[0], cluster.servers[3])
                try await cluster.becomesPrimary(cluster.servers[3])
            }
            check(during)
            if fault == .paused { cluster.servers[0].resume() }

            // They would spend what is left of the budget.
            try await redisDecides(fleet, ranges.map { RedisCluster.tenants(2, in: $0)[1] })
            let after = try await self.load(fleet, 50, tenants)
            check(after)
            for tenant in tenants {
                let admitted = spent + (during[tenant]?[200] ?? 0) + (after[tenant]?[200] ?? 0)
                #expect(admitted <= limit + left)
                #expect(after[tenant]?[429] ?? 0 > 0, "the budget ends")
                guard tenant != tenants[0] else { continue }
                #expect(admitted <= limit, "the other primaries went on counting")
                if mode == .exact { #expect(admitted == limit) }
            }
        }
    }

    /// Budgets that last for the whole test: each unit that was admitted is counted once, wherever its slot was at that time.
    @Test func reshardingUnderLoadLosesNoUnitAndCountsNoneTwice() async throws {
        let cluster = try await RedisCluster.start()
        defer { cluster.stop() }
        try await Fleet.run(gateways: 3, limit: 1_000_000, mode: .exact, over: cluster.url) { fleet in
            let slots = 100
            let tenants = RedisCluster.tenants(4, in: 0..<slots)
            let during = try await fleet.load(tenants, at: 2) {
                try await cluster.reshard(slots, from: cluster.servers[0], to: cluster.servers[1])
                try await cluster.reshard(slots, from: cluster.servers[1], to: cluster.servers[2])
            }
            try await redisDecides(fleet, RedisCluster.tenants(5, in: 0..<slots).suffix(1))
            try await fleet.becomesShared()
            for tenant in tenants {
                let admitted = during[tenant]?[200] ?? 0
                #expect(during[tenant] == [200: admitted])
                let budget = try await HTTP.get(fleet.gateways[0].control, "/v1/tenants/\(tenant)/budget").body
                #expect(budget.contains("\"used\":\(admitted),"), "\(tenant): \(admitted) admitted, \(budget)")
            }
        }
    }

    @Test(arguments: Fleet.Mode.allCases)
    func reshardingUnderLoadKeepsEveryBudget(mode: Fleet.Mode) async throws {
        let cluster = try await RedisCluster.start()
        defer { cluster.stop() }
        try await Fleet.run(gateways: 3, limit: limit, mode: mode, over: cluster.url) { fleet in
            // The first slots are the ones that are moved.
            let slots = 40
            let tenants = RedisCluster.tenants(3, in: 0..<slots) + RedisCluster.tenants(1, in: 8000..<8100)
            try await spend(fleet, tenants)

            let during = try await fleet.load(tenants, at: 2) {
                try await cluster.reshard(slots, from: cluster.servers[0], to: cluster.servers[1])
            }
            check(during)
            try await redisDecides(fleet, [RedisCluster.tenants(4, in: 0..<slots)[3]])
            let after = try await self.load(fleet, 50, tenants)
            check(after)
            for tenant in tenants {
                let admitted = spent + (during[tenant]?[200] ?? 0) + (after[tenant]?[200] ?? 0)
                #expect(admitted <= limit + left)
                #expect(after[tenant]?[429] ?? 0 > 0, "the budget ends, wherever it is")
            }
            #expect(try cluster.servers[1].cli(["CLUSTER", "NODES"]).contains("0-\(slots - 1) "))
        }
    }

    /// One limit is the tenant's, one everybody's: they lie in two slots, and the second is leased.
    @Test func aLimitOfEveryoneIsKeptBesideThoseOfTenants() async throws {
        let cluster = try await RedisCluster.start()
        defer { cluster.stop() }
        let upstream = try await Upstream.start()
        let gateway = try await WeirProcess.serve(
            """
            store:
              redis: \(cluster.url)
              deadline: 5s
            identity:
              header: X-Tenant
            limits:
              - {name: own, per: tenant, rate: 5/\(LongWindow.period)}
              - {name: all, per: everyone, rate: 12/\(LongWindow.period)}
            services:
              - name: api
                routes: [{path: /}]
                upstreams: ["http://127.0.0.1:\(upstream.port)"]
            """)
        defer { gateway.stop() }
        try await eventually("Redis decides") { try await gateway.metric("weir_store_degraded") == 0 }
        var admitted: [Int] = []
        for tenant in ["a", "b", "c", "d"] {
            var count = 0
            for _ in 0..<7 {
                if try await HTTP.get(gateway.gateway, "/", tenant: tenant).status == 200 { count += 1 }
            }
            admitted.append(count)
        }
        #expect(admitted == [5, 5, 2, 0])
        let budget = try await HTTP.get(gateway.control, "/v1/tenants/a/budget").body
        #expect(budget.contains("\"degraded\":false"), "a look at two slots is one answer: \(budget)")
        #expect(try await gateway.degradedDecisions() == 0)
        try await upstream.stop()
    }
}
