import LimiterCore
import Testing
import TestSupport

@testable import RedisStore

@Suite struct HeartbeatTests {
    @Test func replicasSeeEachOtherAndThePeakOfTenMinutes() async throws {
        try await withStore { _, client in
            let start: Int64 = 1_767_225_723_456_789
            try await client.setClock(start)
            for number in 1...3 {
                let view = try await client.heartbeat(of: ReplicaID(UInt64(number))).get()
                #expect(
                    view == FleetView(now: start, alive: number, rank: number - 1, peak: number, birth: start / 1000))
            }
            try await client.leave(ReplicaID(2))
            let left = try await client.heartbeat(of: ReplicaID(3)).get()
            #expect(left == FleetView(now: start, alive: 2, rank: 1, peak: 3, birth: start / 1000))

            let later = start + 10_000_001
            try await client.setClock(later)
            let alone = try await client.heartbeat(of: ReplicaID(3)).get()
            #expect(alone == FleetView(now: later, alive: 1, rank: 0, peak: 3, birth: start / 1000))

            let muchLater = start + 11 * 60_000_000
            try await client.setClock(muchLater)
            #expect(try await client.heartbeat(of: ReplicaID(3)).get().peak == 1)
        }
    }

    @Test func theScriptKnowsTheFleetAsSwiftDoes() async throws {
        var random = SeededGenerator()
        try await withStore { _, client in
            var model = FleetRegistry()
            var now: Int64 = 1_767_225_723_456_789
            for step in 0..<600 {
                switch Int.random(in: 0..<30, using: &random) {
                case 0: now += Int64.random(in: 0...900_000_000, using: &random)
                case 1: now -= Int64.random(in: 0...100_000_000, using: &random)
                case 2...9: now += Int64.random(in: 0...6_000_000, using: &random)
                default: now += Int64.random(in: 0...400_000, using: &random)
                }
                try await client.setClock(now)
                let replica = ReplicaID(UInt64.random(in: 1...9, using: &random))
                if Int.random(in: 0..<12, using: &random) == 0 {
                    try await client.leave(replica)
                    model.leave(replica)
                } else {
                    let view = try await client.heartbeat(of: replica).get()
                    try #require(view == model.heartbeat(of: replica, clock: now, now: now), "step \(step)")
                }
            }
        }
    }

    @Test func aClockThatWentBackHidesNobodyForLong() async throws {
        try await withStore { _, client in
            let start: Int64 = 1_767_225_723_456_789
            try await client.setClock(start + 3_600_000_000)
            for number in 1...2 { _ = try await client.heartbeat(of: ReplicaID(UInt64(number))).get() }
            try await client.setClock(start)
            #expect(try await client.heartbeat(of: ReplicaID(1)).get().alive == 1)
            #expect(try await client.heartbeat(of: ReplicaID(2)).get().alive == 2)
        }
    }
}
