import LimiterCore
import Testing
import TestSupport

@testable import RedisStore

@Suite struct DecisionTests {
    private static let start: Int64 = 1_767_225_723_456_789

    @Test(arguments: [
        "10/minute window", "7/s window", "1000000000/h window", "3/w window", "9/d bucket", "1000/s bucket",
        "7/w bucket",
    ])
    func theSameRequestPassesAtRetryAfterAndNotATickSooner(_ limit: String) async throws {
        var random = SeededGenerator(for: "retry after of \(limit)")
        let words = limit.split(separator: " ").map(String.init)
        let group =
            try words[1] == "window"
            ? DeclaredLimits(.window("one", words[0])).group : DeclaredLimits(.bucket("one", words[0], burst: 12)).group
        let rule = group.limits[0].rule
        try await withStore { _, client in
            var denials = 0
            var now = Self.start
            for _ in 0..<300 where denials < 40 {
                now += Int64.random(in: 0...rule.periodMicroseconds, using: &random)
                try await client.setClock(now)
                let question = Question(
                    group: group, costs: [Int64.random(in: max(1, rule.limit / 3)...rule.limit, using: &random)])
                let answer = try await client.decide(question)
                guard !answer.isAllowed else { continue }
                denials += 1
                let retry = try #require(answer.decision.retryAfterMicroseconds)
                #expect(retry > 0)
                var peek = question
                peek.operation = .peek
                // Where the state is kept in real time, less than a tick of it has passed.
                peek.carried = answer.states
                try await client.setClock(now + retry)
                #expect(try await client.decide(peek).isAllowed, "denied at retry after \(retry) µs")
                try await client.setClock(now + retry - rule.tickMicroseconds)
                #expect(try await !client.decide(peek).isAllowed, "allowed a tick before \(retry) µs")
            }
            #expect(denials > 5)
        }
    }

    @Test func ofManyRequestsAtOnceExactlyTheLimitPasses() async throws {
        let group = try DeclaredLimits(.window("global", "100/h"), .bucket("pay", "60/h", burst: 70)).group
        try await withStore { _, client in
            let answers = try await client.decide((0..<500).map { _ in Question(group: group) })
            #expect(answers.filter(\.isAllowed).count == 70)
            #expect(answers.prefix(70).allSatisfy { $0.isAllowed }, "in the order of arrival")
            #expect(answers[69].decision.verdicts[0].remaining == 30)
        }
    }

    @Test func overManyTicksEachOfManyCountersIsChargedOnceATime() async throws {
        let group = try DeclaredLimits(.window("global", "1000/h"), .bucket("pay", "1/h", burst: 1000)).group
        try await withStore { _, client in
            try await client.setClock(Self.start)
            for round in 1...30 {
                let answers = try await client.decide(
                    (0..<80).map { Question(group: group, tenant: "t\($0 % 40)") })
                for (index, answer) in answers.enumerated() {
                    let charged = Int64(2 * round - (index < 40 ? 1 : 0))
                    #expect(answer.states.map(\.count) == [charged, 1000 - charged])
                }
            }
        }
    }

    @Test func aRefusedRequestDoesNotBlockACheaperLaterOne() async throws {
        let group = try DeclaredLimits(.window("global", "10/h")).group
        try await withStore { _, client in
            let answers = try await client.decide([8, 5, 2, 1, 0].map { Question(group: group, costs: [$0]) })
            #expect(answers.map(\.isAllowed) == [true, false, true, false, true])
        }
    }

    @Test func requestsDecidedTogetherAreDecidedAsOneByOne() async throws {
        var random = SeededGenerator()
        let group = try DeclaredLimits(
            .window("global", "50/h"), .bucket("pay", "40/h", burst: 30),
            .window("shown", "20/h") { $0.isShadow = true }
        ).group
        let costs = (0..<200).map { _ in (0..<3).map { _ in Int64.random(in: 0...4, using: &random) } }
        try await withStore { _, client in
            try await client.setClock(Self.start)
            let together = try await client.decide(costs.map { Question(group: group, tenant: "together", costs: $0) })
            for (index, cost) in costs.enumerated() {
                let alone = try await client.decide(Question(group: group, tenant: "alone", costs: cost))
                #expect(alone.isAllowed == together[index].isAllowed, "request \(index)")
                #expect(alone.states == together[index].states)
                #expect(alone.decision.verdicts == together[index].decision.verdicts)
            }
        }
    }

    @Test func aShadowLimitRefusesNobody() async throws {
        let group = try DeclaredLimits(
            .window("shown", "1/w") { $0.isShadow = true }, .window("global", "3/w")
        ).group
        try await withStore { _, client in
            var answers: [Answer] = []
            for _ in 0..<4 { answers.append(try await client.decide(Question(group: group))) }
            #expect(answers.map(\.isAllowed) == [true, true, true, false])
            #expect(answers[2].states.map(\.count) == [1, 3])
        }
    }

    @Test(arguments: ["nonsense", "", String(repeating: "\u{7f}", count: 32), String(repeating: "z", count: 40)])
    func aMalformedStateCountsAsNone(_ value: String) async throws {
        let group = try DeclaredLimits(.window("global", "3/h"), .bucket("pay", "3/h")).group
        try await withStore { server, client in
            let redis = try RawConnection(port: server.port)
            let question = Question(group: group)
            for key in try await client.decide(question).keys {
                redis.command(["SET", key, value])
            }
            let answer = try await client.decide(question)
            #expect(answer.decision.verdicts.map(\.remaining) == [2, 2])
        }
    }

    @Test func aKeyOfAnotherTypeCountsAsNone() async throws {
        let group = try DeclaredLimits(.window("global", "3/h")).group
        try await withStore { server, client in
            let redis = try RawConnection(port: server.port)
            let key = try await client.decide(Question(group: group)).keys[0]
            redis.command(["DEL", key])
            redis.command(["LPUSH", key, "x"])
            #expect(try await client.decide(Question(group: group)).decision.verdicts[0].remaining == 2)
        }
    }

    @Test func whatAReplicaRemembersSurvivesARedisThatForgot() async throws {
        let group = try DeclaredLimits(.window("global", "10/h"), .bucket("pay", "10/h")).group
        try await withStore { server, client in
            let before = try await client.decide(Question(group: group, costs: [7, 7]))
            try server.cli(["FLUSHALL"])
            let after = try await client.decide(Question(group: group, costs: [4, 4], carried: before.states))
            #expect(!after.isAllowed)
            #expect(after.decision.verdicts.map(\.remaining) == [3, 3])
            #expect(try server.cli(["DBSIZE"]) == "0", "a refusal writes nothing")
        }
    }

    @Test func aResetIsNotUndoneByWhatWasSeenBefore() async throws {
        let group = try DeclaredLimits(.window("global", "10/h"), .bucket("pay", "10/h", burst: 10)).group
        try await withStore { _, client in
            let before = try await client.decide(Question(group: group, costs: [10, 10]))
            #expect(before.isAllowed)
            let reset = try await client.decide(Question(group: group, operation: .reset))
            #expect(reset.decision.verdicts.map(\.remaining) == [10, 10])
            for _ in 0..<3 {
                let after = try await client.decide(Question(group: group, costs: [1, 1], carried: before.states))
                #expect(after.isAllowed)
                #expect(after.states.allSatisfy { $0.generation > 0 })
            }
        }
    }

    @Test func resetsOfOneTickFollowEachOther() async throws {
        let group = try DeclaredLimits(.window("global", "10/h")).group
        try await withStore { _, client in
            try await client.setClock(Self.start)
            let answers = try await client.decide([
                Question(group: group, costs: [10]), Question(group: group, operation: .reset),
                Question(group: group, costs: [10]), Question(group: group, operation: .reset),
                Question(group: group, costs: [10]),
            ])
            #expect(answers.map(\.isAllowed) == [true, true, true, true, true])
            #expect(answers[4].states[0].generation == Self.start / 1000 + 1)
        }
    }

    @Test func aPeekChangesNothing() async throws {
        let group = try DeclaredLimits(.window("global", "10/h")).group
        try await withStore { server, client in
            let answer = try await client.decide(Question(group: group, operation: .peek))
            #expect(answer.decision.verdicts[0].remaining == 10)
            #expect(try server.cli(["DBSIZE"]) == "0")
        }
    }

    @Test func moreLimitsThanACallCarriesAreRefusedByName() async throws {
        var scope = LimitScope()
        for index in 0...DecisionFormat.mostLimits { try scope.declare(.window("limit-\(index)", "9/h")) }
        let table = LimitTable(
            global: scope, services: [LimitTable.ServiceLimits(name: "api", scope: scope.service("api"), routes: [])])
        try await withStore { _, client in
            let answer = try await client.decide(Question(group: table.services[0].whole))
            #expect(answer.error?.code == .incompatible)
            let free = try await client.decide(Question(group: LimitTable(global: LimitScope(), services: []).guards))
            #expect(free.isAllowed)
        }
    }

    @Test func asManyLimitsAsACallCarriesAreDecidedTogether() async throws {
        var scope = LimitScope()
        for index in 0..<DecisionFormat.mostLimits { try scope.declare(.window("limit-\(index)", "9/h")) }
        let table = LimitTable(
            global: scope, services: [LimitTable.ServiceLimits(name: "api", scope: scope.service("api"), routes: [])])
        try await withStore { _, client in
            let answers = try await client.decide((0..<128).map { _ in Question(group: table.services[0].whole) })
            #expect(answers.filter(\.isAllowed).count == 9)
        }
    }
}
