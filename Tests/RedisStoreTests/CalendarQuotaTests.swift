import LimiterCore
import TestSupport
import Testing

@testable import RedisStore

@Suite struct CalendarQuotaTests {
    /// 2026-01-31T23:00:00Z, an hour before February.
    private static let start: Int64 = 1_769_900_400_000_000
    private static let hour: Int64 = 3_600_000_000

    @Test func aQuestionForAMonthThatIsOverIsAskedAgainForTheNextOneAndChargedOnce() async throws {
        let group = try DeclaredLimits(.calendar("monthly", "100/month"), .window("hourly", "1000/h")).group
        try await withStore { server, client in
            let redis = try RawConnection(port: server.port)
            try await client.setClock(Self.start)
            // What is asked first has no period yet, so the server says its time.
            #expect(try await client.decide(Question(group: group, costs: [60, 60])).isAllowed)
            try await client.setClock(Self.start + Self.hour)
            let next = try await client.decide(Question(group: group, costs: [70, 70]))
            #expect(next.isAllowed && next.decision.verdicts[0].remaining == 30)
            let key = try #require(next.keys.first { $0.contains("monthly") })
            #expect(key.hasSuffix(":cm"))
            let life = redis.timeToLive(key)
            #expect(life > (28 + 12 * 28) * 86_400_000)
        }
    }

    @Test func aLeaseForAMonthThatIsOverIsRefusedWithTheTimeAndChangesNothing() async throws {
        let group = try DeclaredLimits(.calendar("monthly", "100/month")).group
        try await withStore { server, client in
            let redis = try RawConnection(port: server.port)
            try await client.setClock(Self.start + Self.hour)
            let rule = group.limits[0].rule(at: Self.start)
            let key = Array("weir:{acme}:monthly::cm".utf8)
            let request = LeaseRequest(
                key: key, rule: rule, position: rule.number, total: 5, wanted: 10, sequence: 1)
            let answer = try await client.lease([request], of: ReplicaID(1)).get()
            #expect(answer.isOutsidePeriods && answer.now == Self.start + Self.hour)
            #expect(redis.get("weir:{acme}:monthly::cm") == nil)
        }
    }

    @Test(arguments: [1e10, 4e15, -1, 0.5, .infinity])
    func aStateOfNoPeriodThatCanBeCountsAsAbsent(position: Double) async throws {
        let group = try DeclaredLimits(.calendar("hours", "100/hour")).group
        try await withStore { server, client in
            let redis = try RawConnection(port: server.port)
            try await client.setClock(Self.start)
            let packed = [position, 90, 0, 0].flatMap { number in
                withUnsafeBytes(of: number.bitPattern.bigEndian) { [UInt8]($0) }
            }
            let key = "weir:{acme}:hours::ch"
            redis.command([Array("SET".utf8), Array(key.utf8), packed])
            let answer = try await client.decide(Question(group: group))
            #expect(answer.error == nil && answer.decision.verdicts.map(\.remaining) == [99])
        }
    }

    @Test func whatClientsChooseIsKeptNoLongerThanItCounts() async throws {
        let group = try DeclaredLimits(.calendar("ip", "100/hour", per: [.clientIP])).group
        try await withStore { server, client in
            let redis = try RawConnection(port: server.port)
            try await client.setClock(Self.start)
            let answer = try await client.decide(Question(group: group, tenant: "10.0.0.1"))
            #expect(answer.isAllowed && redis.timeToLive(answer.keys[0]) <= 2 * 3_600_000)
        }
    }

    @Test func theCountsOfThirteenPeriodsBeforeAreKept() async throws {
        let group = try DeclaredLimits(.calendar("hours", "1000/hour")).group
        try await withStore { server, client in
            let redis = try RawConnection(port: server.port)
            var key = ""
            for hour in 0..<20 {
                // Nothing in every third hour.
                guard hour % 3 != 1 else { continue }
                try await client.setClock(Self.start + Int64(hour) * Self.hour)
                let answer = try await client.decide(Question(group: group, costs: [Int64(hour + 1)]))
                #expect(answer.isAllowed)
                key = answer.keys[0]
            }
            let stored = try #require(redis.get(key))
            let counts = stride(from: 0, to: stored.count, by: 8).map { at in
                Int64(Double(bitPattern: stored[at..<at + 8].reduce(0) { $0 << 8 | UInt64($1) }))
            }
            // The period, its count, the one before, the generation, and those before that.
            #expect(counts[1] == 19)
            let before = (1...13).map { back -> Int64 in (18 - back) % 3 == 1 ? 0 : Int64(19 - back) }
            #expect([counts[2]] + counts[4...] == before)
        }
    }
}

@Suite struct PeriodsScriptTests {
    /// The script against the same written in Swift.
    @Test func theScriptMergesPeriodsAsSwiftDoes() async throws {
        var random = SeededGenerator()
        let group = try DeclaredLimits(.calendar("hours", "1000/hour")).group
        try await withStore { _, client in
            var model = SharedCounters()
            var now: Int64 = 1_769_900_400_000_000
            for step in 0..<600 {
                now += Int64.random(in: 0...4, using: &random) * 1_800_000_000
                try await client.setClock(now)
                let number = group.limits[0].rule(at: now).number
                var question = Question(group: group, tenant: ["a", "b"].randomElement(using: &random)!)
                question.costs = [Int64.random(in: 0...9, using: &random)]
                if Int.random(in: 0..<20, using: &random) == 0 { question.operation = .reset }
                let call = question.call()
                if Bool.random(using: &random) {
                    let answer = try await client.decide(question)
                    model.decide(call, at: now)
                    try #require(answer.states == call.states, "step \(step)")
                }
                call.makeKeys()
                var request = PeriodRequest(key: call.withKey(0) { [UInt8]($0) }, lifeMilliseconds: 100_000_000)
                if Bool.random(using: &random) {
                    request.remembered = PeriodCounts(
                        number: number - Int64.random(in: 0...16, using: &random),
                        generation: Int.random(in: 0..<4, using: &random) == 0 ? now / 1000 : 0,
                        units: (0..<14).map { _ in Int64.random(in: 0...40, using: &random) })
                }
                let answer = try await client.periods([request]).get()
                try #require(answer == model.periods([request], at: now), "step \(step)")
            }
        }
    }

    @Test func aHeartbeatSaysWhenTheMemoryOfRedisBegan() async throws {
        try await withStore { server, client in
            let first = try await client.heartbeat(of: ReplicaID(1)).get().birth
            #expect(first > 0)
            #expect(try await client.heartbeat(of: ReplicaID(2)).get().birth == first)
            let redis = try RawConnection(port: server.port)
            redis.command(["FLUSHALL"])
            try await client.setClock(first * 1000 + 60_000_000)
            #expect(try await client.heartbeat(of: ReplicaID(1)).get().birth > first)
        }
    }
}
