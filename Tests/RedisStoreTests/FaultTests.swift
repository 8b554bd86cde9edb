import LimiterCore
import Testing
import TestSupport

@testable import RedisStore

@Suite struct FaultTests {
    private static func limits() throws -> LimitGroup { try DeclaredLimits(.window("global", "1000/w")).group }

    @Test func aScriptThatRedisForgotIsSentAgain() async throws {
        let group = try Self.limits()
        try await withStore { server, client in
            try server.cli(["SCRIPT", "FLUSH"])
            let answers = try await client.decide((0..<3).map { Question(group: group, tenant: "tenant\($0)") })
            #expect(answers.allSatisfy { $0.isAllowed })
            #expect(answers.allSatisfy { $0.states[0].count == 1 }, "each was charged once")
            try server.cli(["SCRIPT", "FLUSH"])
            #expect(try await client.heartbeat(of: ReplicaID(1)).get().alive == 1)
            try server.cli(["SCRIPT", "FLUSH"])
            let call = Question(group: group).call()
            call.makeKeys()
            let key = call.withKey(0) { Array($0) }
            let request = LeaseRequest(key: key, rule: group.limits[0].rule, position: 0, total: 0, sequence: 1)
            let told = try await client.lease([request], of: ReplicaID(1)).get()
            #expect(told.entries[0].state.count == 0)
        }
    }

    @Test func aWrongPasswordIsNotTriedInAStorm() async throws {
        let server = try await RedisServer.start(RedisServer.Options(password: "right"))
        defer { server.stop() }
        let client = try await StoreClient(port: server.port, password: "wrong")
        let group = try Self.limits()
        try await eventually("the refusal") {
            try await client.decide(Question(group: group)).error?.code == .unauthorized
        }
        let waits = try await client.onLoop { store, _ in if case .waiting = store.phase { true } else { false } }
        #expect(waits)
        try await client.shutdown()
    }

    @Test func aPasswordThatIsRightLetsIn() async throws {
        let group = try Self.limits()
        try await withStore(RedisServer.Options(password: "right")) { server, client in
            #expect(try await client.decide(Question(group: group)).isAllowed)
            try server.cli(["ACL", "SETUSER", "gate", "on", ">secret", "~weir:*", "+@all"])
            let other = try await StoreClient(port: server.port, user: "gate", password: "secret")
            try await other.becomesReady()
            #expect(try await other.decide(Question(group: group)).isAllowed)
            try await other.shutdown()
        }
    }

    @Test func aUserWithoutTheRightIsToldSo() async throws {
        let group = try Self.limits()
        try await withStore(RedisServer.Options(password: "right")) { server, client in
            try server.cli(["ACL", "SETUSER", "gate", "on", ">secret", "~other:*", "+@all"])
            let other = try await StoreClient(port: server.port, user: "gate", password: "secret")
            try await other.becomesReady()
            #expect(try await other.decide(Question(group: group)).error?.code == .unauthorized)
            try await other.shutdown()
        }
    }

    @Test func aReplicaIsLeft() async throws {
        let group = try Self.limits()
        try await withStore { server, client in
            let before = try Self.connections(server)
            try server.cli(["REPLICAOF", "127.0.0.1", "1"])
            #expect(try await client.decide(Question(group: group)).error?.code == .refused)
            try await eventually("another connection") { try Self.connections(server) > before }
            try server.cli(["REPLICAOF", "NO", "ONE"])
            try await eventually("decisions again") { try await client.decide(Question(group: group)).isAllowed }
        }
    }

    /// Connections that the server has accepted so far, less those that asked.
    private static func connections(_ server: RedisServer) throws -> Int {
        let ids = try server.cli(["CLIENT", "LIST"]).split(whereSeparator: \.isNewline)
            .filter { $0.contains("name=weir") }
            .compactMap { $0.split(separator: " ").first?.dropFirst(3) }
        return ids.compactMap { Int($0) }.max() ?? 0
    }

    @Test func aFullServerRefusesAndRecovers() async throws {
        let group = try Self.limits()
        try await withStore { server, client in
            try server.cli(["CONFIG", "SET", "maxmemory", "100kb", "maxmemory-policy", "noeviction"])
            let answer = try await client.decide(Question(group: group))
            #expect(answer.error?.code == .refused)
            #expect(answer.error?.detail.hasPrefix("OOM") == true)
            guard case .failure(let error) = try await client.heartbeat(of: ReplicaID(1)) else {
                Issue.record("the probe must find that nothing can be written")
                return
            }
            #expect(error.code == .refused)
            try server.cli(["CONFIG", "SET", "maxmemory", "0"])
            #expect(try await client.decide(Question(group: group)).isAllowed)
        }
    }

    @Test func aPausedServerFailsCallsByTheirDeadlineAndAnswersLate() async throws {
        let group = try Self.limits()
        try await withStore(deadline: .milliseconds(30)) { server, client in
            try await eventually("a first answer") { try await client.decide(Question(group: group)).isAllowed }
            try await client.onLoop { _, recorder in (recorder.spends, recorder.late) = ([3], []) }
            server.pause()
            let clock = ContinuousClock()
            let start = clock.now
            let answers = try await client.decide(
                (0..<5).map { Question(group: group, tenant: "t\($0 % 2)", costs: [2]) })
            #expect(answers.allSatisfy { $0.error?.code == .timeout })
            #expect(clock.now - start < .seconds(4))
            server.resume()
            try await eventually("late answers") { try await client.onLoop { $1.late.count } == 5 }
            let late = try await client.onLoop { $1.late }
            #expect(late.allSatisfy { $0.charged == [2] && $0.spentLocally == [3] })
            #expect(late.map { $0.states[0].count }.sorted() == [2, 2, 4, 4, 6])
            #expect(Set(late.map { $0.keys[0] }).count == 2)
            try await eventually("decisions again") { try await client.decide(Question(group: group)).isAllowed }
        }
    }

    @Test func aServerThatDiedIsFoundAgain() async throws {
        let group = try Self.limits()
        try await withStore { server, client in
            let asked = try await client.decide(Question(group: group))
            #expect(asked.isAllowed)
            server.kill()
            try await eventually("the loss") { try await !client.isReady() }
            let clock = ContinuousClock()
            let start = clock.now
            #expect(try await client.decide(Question(group: group)).error?.code == .disconnected)
            #expect(clock.now - start < .seconds(4), "not after the deadline")
            try await server.restart()
            try await client.becomesReady()
            #expect(try await client.decide(Question(group: group)).states[0].count == 1)
        }
    }

    @Test func whatIsInFlightWhenTheServerDiesIsInterrupted() async throws {
        let group = try Self.limits()
        try await withStore { server, client in
            server.pause()
            async let answer = client.decide(Question(group: group))
            try await client.hasSent(1)
            server.kill()
            #expect(try await answer.error?.code == .interrupted)
        }
    }

    @Test func weirStartsBeforeRedisDoes() async throws {
        let server = try await RedisServer.start()
        defer { server.stop() }
        server.kill()
        let client = try await StoreClient(port: server.port)
        let group = try Self.limits()
        #expect(try await client.decide(Question(group: group)).error?.code == .disconnected)
        try await server.restart()
        try await client.becomesReady()
        #expect(try await client.decide(Question(group: group)).isAllowed)
        try await client.shutdown()
    }

    @Test func moreCallsThanMayWaitAreRefused() async throws {
        let group = try Self.limits()
        try await withStore { _, client in
            let most = RedisStore.mostRequestsInFlight
            let answers = try await client.decide(
                (0..<most + 10).map { Question(group: group, tenant: "t\($0 % 100)", costs: [0]) })
            #expect(answers.prefix(most).allSatisfy { $0.isAllowed })
            #expect(answers.suffix(10).allSatisfy { $0.error?.code == .overloaded })
            #expect(try await client.decide(Question(group: group)).isAllowed)
        }
    }

    @Test func shuttingDownFailsWhatWaits() async throws {
        let server = try await RedisServer.start()
        defer { server.stop() }
        let client = try await StoreClient.connected(to: server)
        server.pause()
        let group = try Self.limits()
        async let answer = client.decide(Question(group: group))
        try await client.hasSent(1)
        _ = try await client.onLoop { store, _ in _ = store.shutdown() }
        #expect(try await answer.error?.code == .shutdown)
        #expect(try await client.decide(Question(group: group)).error?.code == .shutdown)
        server.resume()
        try await client.shutdown()
    }

    @Test func oneNodeOfAClusterDecides() async throws {
        let group = try DeclaredLimits(.window("global", "5/h"), .bucket("pay", "5/h"), .window("day", "9/d")).group
        try await withStore(RedisServer.Options(isCluster: true)) { server, client in
            for tenant in ["acme", "globex", "a{b}c", "}{", "{}"] {
                let answers = try await client.decide((0..<6).map { _ in Question(group: group, tenant: tenant) })
                #expect(answers.map(\.isAllowed) == [true, true, true, true, true, false], "tenant \(tenant)")
                try #require(answers[0].error == nil)
                let request = LeaseRequest(
                    key: Array(answers[0].keys[0].utf8), rule: group.limits[0].rule, carried: answers[0].states[0],
                    position: answers[0].states[0].position, total: 1, sequence: 1)
                let told = try await client.lease([request], of: ReplicaID(7)).get()
                #expect(told.entries[0].state.count == 6)
            }
            #expect(try await client.heartbeat(of: ReplicaID(7)).get().alive == 1)
            try await client.leave(ReplicaID(7))
            // Limits with tags of their own lie in other slots than a tenant's: a cluster cannot decide them together.
            let mixed = try DeclaredLimits(.window("global", "5/h"), .window("all", "5/h", per: [])).group
            let answer = try await client.decide(Question(group: mixed))
            #expect(answer.error != nil)
        }
    }
}
