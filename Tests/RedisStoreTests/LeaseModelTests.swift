import LimiterCore
import Testing
import TestSupport

@testable import RedisStore

/// The scripts against the same written in Swift: random leases and decisions on the same counters, the same integers.
@Suite struct LeaseModelTests {
    private static let nothing = CounterState(position: -1, count: 0, rest: 0)

    private static func groups() throws -> [LimitGroup] {
        [
            try DeclaredLimits(.window("global", "200/h"), .bucket("pay", "36000/h", burst: 40)).group,
            try DeclaredLimits(.bucket("slow", "7/h", burst: 30), .window("second", "50/h")).group,
            try DeclaredLimits(.bucket("pay", "3000/h", burst: 25)).group,
            try DeclaredLimits(.window("day", "5000000/d"), .bucket("week", "90000/w", burst: 70_000)).group,
            try DeclaredLimits(.calendar("hours", "300/hour"), .window("global", "200/h")).group,
            try DeclaredLimits(.calendar("days", "500000/day"), .bucket("pay", "3000/h", burst: 25)).group,
        ]
    }

    /// What a replica remembers, and sometimes wrongly.
    private struct Memory {
        var position: Int64 = 0
        var taken: Int64 = 0
        var before: Int64 = 0
        var seen = nothing
    }

    @Test(arguments: [1, 2, 3])
    func theScriptLeasesAsSwiftDoes(_ part: Int) async throws {
        var random = SeededGenerator(for: "theScriptLeasesAsSwiftDoes(\(part))")
        let groups = try Self.groups()
        try await withStore { server, client in
            let redis = try RawConnection(port: server.port)
            var model = SharedCounters()
            var memories: [[UInt8]: [Int: Memory]] = [:]
            var now: Int64 = 1_767_225_723_456_789
            var sequence: Int64 = 0
            var copies: [([LeaseRequest], ReplicaID)] = []

            for step in 0..<1500 {
                now += Self.pause(&random)
                try await client.setClock(now)
                let group = groups.randomElement(using: &random)!
                let tenant = ["a", "b"].randomElement(using: &random)!
                let question = Question(group: group, tenant: tenant)
                if Int.random(in: 0..<4, using: &random) == 0 {
                    try await decide(question, client, &model, at: now, &random, step)
                    Self.forgetWhatEndsSoon(Self.keys(question), redis, &model)
                    continue
                }
                let replica = Int.random(in: 1...3, using: &random)
                var call = (requests: [LeaseRequest](), replica: ReplicaID(UInt64(replica)))
                if Int.random(in: 0..<12, using: &random) == 0, let copy = copies.randomElement(using: &random) {
                    call = copy
                } else {
                    sequence += 1
                    let keys = Self.keys(question)
                    call.requests = group.limits.indices.map { index in
                        let memory = memories[keys[index]]?[replica] ?? Memory()
                        return Self.request(
                            memory, keys[index], group.limits[index].rule(at: now), sequence, at: now, &random)
                    }
                }
                if Int.random(in: 0..<40, using: &random) == 0 {
                    for key in Self.keys(question) {
                        // A ledger and its counter go together, or the ledger alone.
                        if Bool.random(using: &random) {
                            redis.command(["DEL", String(decoding: key, as: UTF8.self)])
                            model.counters[key] = nil
                        }
                        redis.command(["DEL", String(decoding: key, as: UTF8.self) + ":m"])
                        model.ledgers[key] = nil
                    }
                }
                copies.append(call)
                let answer = try await client.lease(call.requests, of: call.replica).get()
                let expected = model.lease(call.requests, of: call.replica, at: now)
                try #require(answer == expected, "step \(step): \(call)")
                for key in call.requests.map(\.key) { Self.checkLife(of: key, redis, model, step) }
                Self.forgetWhatEndsSoon(call.requests.map(\.key), redis, &model)
                for (request, entry) in zip(call.requests, answer.entries) {
                    var memory = memories[request.key]?[replica] ?? Memory()
                    memory.seen = entry.state
                    let isWindow = request.rule.isWindow
                    memory.before = isWindow && entry.state.position == memory.position + 1 ? memory.taken : 0
                    memory.position = isWindow ? entry.state.position : request.position
                    memory.taken = entry.taken
                    memories[request.key, default: [:]][replica] = memory
                }
            }
        }
    }

    /// What is left of a key's life is what the model says, less what the test took since it was written.
    private static func checkLife(
        of key: [UInt8], _ redis: RawConnection, _ model: SharedCounters, _ step: Int
    ) {
        let text = String(decoding: key, as: UTF8.self)
        guard let life = model.counters[key]?.lifeMilliseconds else { return }
        let left = redis.timeToLive(text)
        #expect(left <= life && left >= life - 20_000, "step \(step): \(text) lives for \(left), not \(life) ms")
        guard let ledger = model.ledgers[key]?.lifeMilliseconds else { return }
        let ledgerLeft = redis.timeToLive(text + ":m")
        #expect(ledgerLeft <= ledger, "step \(step): \(text)'s ledger lives for \(ledgerLeft), not \(ledger) ms")
    }

    /// Keys that expire within a test's run would make it depend on how fast it runs; both sides forget them.
    private static func forgetWhatEndsSoon(
        _ keys: [[UInt8]], _ redis: RawConnection, _ model: inout SharedCounters
    ) {
        for key in keys where redis.timeToLive(String(decoding: key, as: UTF8.self)) < 30_000 {
            redis.command(["DEL", String(decoding: key, as: UTF8.self)])
            model.counters[key] = nil
        }
    }

    private static func pause(_ random: inout SeededGenerator) -> Int64 {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: Int64.random(in: 0...5_400_000_000, using: &random)
        case 1: -Int64.random(in: 0...400_000, using: &random)
        case 2...5: Int64.random(in: 0...900_000, using: &random)
        case 6: 0
        default: Int64.random(in: 0...60_000, using: &random)
        }
    }

    private static func keys(_ question: Question) -> [[UInt8]] {
        let call = question.call()
        call.makeKeys()
        return call.keyEnds.indices.map { call.withKey($0) { Array($0) } }
    }

    private static func request(
        _ memory: Memory, _ key: [UInt8], _ rule: CounterRule, _ sequence: Int64, at now: Int64,
        _ random: inout SeededGenerator
    ) -> LeaseRequest {
        func few(_ most: Int64) -> Int64 { Int64.random(in: 0...most, using: &random) }
        let isWindow = rule.isWindow
        var memory = memory
        if isWindow, memory.position == 0 || few(5) == 0 {
            let window = rule.window(at: now) + [0, 0, 0, 1, -1][Int(few(4))]
            if window == memory.position + 1 {
                (memory.before, memory.taken) = (memory.taken, 0)
            } else if window != memory.position {
                (memory.before, memory.taken) = (0, 0)
            }
            memory.position = window
        }
        if !isWindow, few(30) == 0 { (memory.position, memory.taken) = (memory.position + 1, 0) }
        let spent = few(3) == 0 ? few(6) : 0
        // A reply that was lost: the replica knows less than the ledger.
        let forgotten = few(6) == 0 ? min(memory.taken, few(20)) : 0
        let settled = memory.taken - forgotten
        let gives = few(4) == 0
        let back = gives ? min(settled, few(10)) : 0
        return LeaseRequest(
            key: key, rule: rule, carried: few(1) == 0 ? memory.seen : nothing, position: memory.position,
            total: settled - back + spent, settled: settled - back,
            previousTotal: isWindow ? memory.before + (few(6) == 0 ? few(3) : 0) : 0,
            previousSettled: isWindow ? memory.before : 0, wanted: gives ? 0 : few(1) * few(30), demand: few(400_000),
            sequence: sequence, isExact: few(3) == 0,
            holds: gives ? LeaseRequest.gives : few(10))
    }

    private func decide(
        _ question: Question, _ client: StoreClient, _ model: inout SharedCounters, at now: Int64,
        _ random: inout SeededGenerator, _ step: Int
    ) async throws {
        var questions: [Question] = []
        let operation = [LimitCall.Operation.decide, .decide, .decide, .peek, .reset].randomElement(using: &random)!
        for _ in 0..<(operation == .reset ? 1 : [1, 1, 3, 40].randomElement(using: &random)!) {
            var one = question
            one.operation = operation
            one.costs = question.group.limits.map { _ in Int64.random(in: 0...4, using: &random) }
            questions.append(one)
        }
        let answers = try await client.decide(questions)
        for (one, answer) in zip(questions, answers) {
            let call = one.call()
            model.decide(call, at: now)
            #expect(answer.error == nil)
            #expect(answer.isAllowed == call.decision.isAllowed, "step \(step)")
            #expect(answer.states == call.states, "step \(step)")
        }
    }
}
