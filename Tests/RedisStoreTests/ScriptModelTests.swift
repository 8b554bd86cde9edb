import Foundation
import LimiterCore
import Testing
import TestSupport

@testable import RedisStore

/// As the script packs a state.
private func packed(_ state: CounterState, _ rule: CounterRule) -> [UInt8] {
    var numbers = [state.position, state.count, state.rest, state.generation]
    if rule.algorithm == .tokenBucket { numbers.append(rule.periodTicks) }
    return numbers.flatMap { number in withUnsafeBytes(of: Double(number).bitPattern.bigEndian) { Array($0) } }
}

@Suite struct ScriptModelTests {
    /// Several versions of one configuration: the same counters under different numbers.
    private static func groups() throws -> [LimitGroup] {
        [
            try DeclaredLimits(.window("global", "20/h")).group,
            try DeclaredLimits(.window("global", "7/h"), .bucket("pay", "7/h", burst: 9)).group,
            try DeclaredLimits(
                .window("global", "1000000000/h"), .bucket("pay", "5/h", burst: 30), .window("day", "40/d")
            ).group,
            try DeclaredLimits(
                .window("day", "12/d") { $0.isShadow = true },
                .bucket("pay", "11/d", burst: 4) { $0.isShadow = true }, .window("global", "9/h")
            ).group,
            try DeclaredLimits(.bucket("slow", "3/w", burst: 15_000), .window("week", "5000000000/w")).group,
            try DeclaredLimits(.bucket("pay", "7/h", burst: 9)).group,
            try DeclaredLimits(.calendar("hours", "30/hour"), .calendar("days", "50/day")).group,
            try DeclaredLimits(.calendar("days", "70/day") { $0.isShadow = true }, .window("global", "20/h")).group,
        ]
    }

    /// Keys that expire within a test's run would make it depend on how fast it runs; both sides forget them.
    private static let shortestLife: Int64 = 30_000

    @Test(arguments: [1, 2, 3])
    func theScriptCountsAsSwiftDoes(_ part: Int) async throws {
        var random = SeededGenerator(for: "theScriptCountsAsSwiftDoes(\(part))")
        let groups = try Self.groups()
        try await withStore { server, client in
            let redis = try RawConnection(port: server.port)
            var model = SharedCounters()
            var seen: [String: [CounterState]] = [:]
            var now: Int64 = 1_767_225_723_456_789

            for step in 0..<1500 {
                switch Int.random(in: 0..<20, using: &random) {
                case 0: now -= Int64.random(in: 0...7_200_000_000, using: &random)
                case 1: now += Int64.random(in: 0...172_800_000_000, using: &random)
                case 2: now += Int64.random(in: 0...3, using: &random)
                case 3: now = (now / 3_600_000_000 + 1) * 3_600_000_000 - Int64.random(in: 0...2, using: &random)
                case 4...12: now += Int64.random(in: 0...1_200_000_000, using: &random)
                default: break
                }
                let clock = now
                try await client.setClock(clock)

                let group = groups.randomElement(using: &random)!
                let tenant = ["a", "b", "c"].randomElement(using: &random)!
                var question = Question(group: group, tenant: tenant)
                question.operation =
                    switch Int.random(in: 0..<20, using: &random) {
                    case 0: .reset
                    case 1...3: .peek
                    default: .decide
                    }
                let rules = group.limits.map { $0.rule(at: clock) }
                let probe = question.call()
                probe.makeKeys()
                let keys = group.limits.indices.map { probe.withKey($0) { String(decoding: $0, as: UTF8.self) } }
                let carries = Int.random(in: 0..<3, using: &random) == 0
                if carries {
                    question.carried = group.limits.indices.map { index in
                        let nothing = CounterState(position: -1, count: 0, rest: 0)
                        guard var state = seen[keys[index]]?.randomElement(using: &random) else { return nothing }
                        let rule = rules[index]
                        if Bool.random(using: &random) {
                            let most = rule.algorithm == .tokenBucket ? rule.limit : rule.limit * 2
                            state.count = min(most, max(0, state.count + Int64.random(in: -3...3, using: &random)))
                        }
                        return state
                    }
                }
                let requests = question.operation == .reset ? 1 : [1, 1, 1, 2, 5, 40].randomElement(using: &random)!
                let questions = (0..<requests).map { _ in
                    var one = question
                    one.costs = group.limits.map { limit in
                        switch Int.random(in: 0..<8, using: &random) {
                        case 0: 0
                        case 1: Int64.random(in: 1...(limit.rule.limit + 2), using: &random)
                        default: Int64.random(in: 1...3, using: &random)
                        }
                    }
                    return one
                }

                let before = keys.map { redis.get($0) }
                let answers = try await client.decide(questions)

                var states = group.limits.indices.map { index in
                    let carried = carries ? question.carried[index] : CounterState(position: -1, count: 0, rest: 0)
                    return model.current(Array(keys[index].utf8), rules[index], carried: carried, at: clock).state
                }
                var isWritten = group.limits.map { _ in question.operation == .reset }
                for (request, answer) in answers.enumerated() {
                    try #require(answer.error == nil)
                    if question.operation == .reset {
                        for (index, rule) in rules.enumerated() { states[index] = rule.reset(states[index], at: clock) }
                    }
                    let costs = questions[request].costs
                    let passes =
                        question.operation == .reset
                        || group.limits.indices.allSatisfy { index in
                            group.limits[index].limit.isShadow
                                || rules[index].admits(states[index], cost: costs[index], at: clock)
                        }
                    if passes, question.operation == .decide {
                        for (index, rule) in rules.enumerated()
                        where costs[index] > 0 && rule.admits(states[index], cost: costs[index], at: clock) {
                            rule.charge(&states[index], cost: costs[index])
                            isWritten[index] = true
                        }
                    }
                    #expect(answer.now == clock)
                    #expect(answer.isAllowed == passes, "step \(step), request \(request)")
                    #expect(answer.states == states, "step \(step), request \(request)")
                }

                for (index, rule) in rules.enumerated() {
                    let key = keys[index]
                    let after = redis.get(key)
                    seen[key, default: []].append(states[index])
                    if seen[key]!.count > 5 { seen[key]!.removeFirst() }
                    guard isWritten[index] else {
                        #expect(after == before[index], "step \(step): nothing was charged to \(key)")
                        continue
                    }
                    var life = rule.timeToLiveMilliseconds(states[index], at: clock)
                    if rule.algorithm == .calendar {
                        let kept = rule.periodsKept * rule.periodMicroseconds
                        life = (rule.start(ofWindow: rule.number + 1) - clock + kept + 999) / 1000
                    }
                    if rule.algorithm == .tokenBucket, states[index].generation > 0 {
                        let refilled = Double(2 * rule.limit * rule.periodTicks) / Double(rule.refill) + 1
                        let kept =
                            Double(states[index].generation) + refilled * Double(rule.tickMicroseconds) / 1000
                            - Double(clock) / 1000
                        life = max(life, Int64(kept.rounded(.up)))
                    }
                    life = min(life, 100_000_000_000_000)
                    model.counters[Array(key.utf8)] = SharedCounters.Counter(
                        state: states[index], periodTicks: rule.periodTicks)
                    if life >= Self.shortestLife {
                        let kept = rule.algorithm == .calendar ? after.map { Array($0.prefix(32)) } : after
                        #expect(kept == packed(states[index], rule), "step \(step): what is kept in \(key)")
                        #expect((life - 20_000...life + 1).contains(redis.timeToLive(key)), "step \(step)")
                    } else {
                        model.counters[Array(key.utf8)] = nil
                        redis.command(["DEL", key])
                    }
                }
            }
            let disagreements = try await client.onLoop { store, _ in store.disagreements }
            #expect(disagreements == 0)
        }
    }
}
