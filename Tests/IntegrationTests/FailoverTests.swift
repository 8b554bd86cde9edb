import TestSupport
import Testing

/// Three gateways over a primary that three sentinels replace.
@Suite(.serialized) struct FailoverTests {
    enum Fault: String, CaseIterable, Sendable {
        case killed
        /// It comes back after its replacement, with all its connections, and believes that it is the primary.
        case paused
        /// The operator's own; the old primary takes writes until the sentinels tell it.
        case ordered

        func strike(_ trio: SentinelTrio) {
            switch self {
            case .killed: trio.servers[0].kill()
            case .paused: trio.servers[0].pause()
            case .ordered: break
            }
        }
    }

    /// 900 a window, 600 of them spent and known to all: whatever then happens to the primary, at most 300 remain in Redis and the
    /// shares of 300 with the gateways.
    @Test(arguments: Fault.allCases, Fleet.Mode.allCases)
    func aFailoverUnderLoadStaysWithinTheBoundAndTheNewPrimaryIsUsed(fault: Fault, mode: Fleet.Mode) async throws {
        let (limit, spent, left) = (900, 600, 300)
        let trio = try await SentinelTrio.start()
        defer { trio.stop() }
        try await Fleet.run(gateways: 3, limit: limit, mode: mode, over: trio.url) { fleet async throws in
            let tenant = "acme"
            #expect(try await fleet.load(spent / 3, tenant: tenant) == [200: spent])
            for gateway in fleet.gateways {
                try await eventually(within: .seconds(10), "what is left is known") {
                    let known = try await HTTP.get(gateway.control, "/v1/tenants/\(tenant)/budget").body
                    return known.contains("\"remaining\":\(left)")
                }
            }
            try await trio.replicasAreLevel()

            let old = trio.servers[0]
            let answers = try await fleet.load([tenant], at: 4) {
                fault.strike(trio)
                try await trio.becomesPrimary(otherThan: old, isOrdered: fault == .ordered)
            }
            let during = answers[tenant] ?? [:]
            #expect(Set(during.keys).isSubset(of: [200, 429]), "\(during)")
            if fault == .paused { old.resume() }

            try await fleet.becomesShared()
            try await eventually(within: .seconds(20), "the primary decides for all") {
                // Sentinels may change their mind about which one it is.
                guard let primary = try trio.primary() else { return false }
                let before = (try calls(of: primary), try await fleet.degradedDecisions())
                _ = try await fleet.load(1, tenant: "another")
                let degraded = try await fleet.degradedDecisions()
                return try calls(of: primary) >= before.0 + 3 && degraded == before.1
                    && trio.primary() === primary
            }
            let after = try await fleet.load(150, tenant: tenant)
            #expect(Set(after.keys).isSubset(of: [200, 429]), "\(after)")
            let admitted = spent + (during[200] ?? 0) + (after[200] ?? 0)
            #expect(admitted <= limit + left)
            #expect(after[429] ?? 0 > 0, "the budget ends")

            try await eventually(within: .seconds(10), "the end of the budget") {
                try await fleet.load(1, tenant: tenant) == [429: 3]
            }
        }
    }

    /// Scripts that the server ran so far.
    private func calls(of server: RedisServer) throws -> Int {
        let text = try server.cli(["INFO", "commandstats"])
        let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("cmdstat_evalsha:calls=") }
        return line.flatMap { Int($0.dropFirst("cmdstat_evalsha:calls=".count).prefix { $0 != "," }) } ?? 0
    }

    @Test func gatewaysStartWhereTheFirstSentinelAndAReplicaAreDown() async throws {
        let trio = try await SentinelTrio.start()
        defer { trio.stop() }
        trio.sentinels[0].kill()
        trio.servers[2].kill()
        try await Fleet.run(gateways: 2, limit: 20, mode: .exact, over: trio.url, deadline: "5s") {
            fleet async throws in
            let tenant = "acme"
            #expect(try await fleet.load(15, tenant: tenant) == [200: 20, 429: 10])
        }
    }
}
