import LimiterCore
import Testing
import TestSupport
import WeirConfiguration

@testable import RedisStore

@Suite struct SlotMapTests {
    private static func slot(_ key: String) -> Int { Array(key.utf8).withUnsafeBytes { SlotMap.slot(of: $0) } }

    private static func place(_ host: String, _ port: Int64) -> RedisValue {
        .array([.text(host), .integer(port), .text("id"), .array([])])
    }

    private let asked = RedisAddress.Server(host: "seed", port: 1)

    @Test(arguments: [
        ("123456789", 12_739), ("foo", 12_182), ("{foo}bar", 12_182), ("a{foo}{bar}", 12_182), ("foo{}{bar}", 8363),
        ("foo{{bar}}zap", 4015), ("", 0),
    ])
    func aKeysSlotIsThatOfItsFirstBraces(key: String, slot: Int) { #expect(Self.slot(key) == slot) }

    @Test func aRealNodeAgreesOnSlots() async throws {
        let server = try await RedisServer.start(RedisServer.Options(isCluster: true))
        defer { server.stop() }
        let redis = try RawConnection(port: server.port)
        var random = SeededGenerator()
        for _ in 0..<500 {
            let key = String(
                (0..<Int.random(in: 0...12, using: &random)).map { _ in "{}ab:~%".randomElement(using: &random)! })
            #expect(redis.command(["CLUSTER", "KEYSLOT", key]) == .integer(Int64(Self.slot(key))), "\(key)")
        }
    }

    @Test func rangesAreRead() throws {
        let answer = RedisValue.array([
            .array([.integer(0), .integer(99), Self.place("a", 1), Self.place("b", 2)]),
            .array([.integer(100), .integer(16_000), Self.place("", 3)]),
            .array([.integer(16_001), .integer(16_100), Self.place("a", 1), Self.place("?", 4)]),
        ])
        var map = try #require(SlotMap(answer, asked: asked))
        func server(_ host: String, _ port: Int) -> RedisAddress.Server { RedisAddress.Server(host: host, port: port) }
        #expect(map.owner(of: 0) == server("a", 1))
        #expect(map.owner(of: 99) == server("a", 1))
        #expect(map.owner(of: 100) == server("seed", 3), "a node that leaves out its host is the one that was asked")
        #expect(map.owner(of: 16_050) == server("a", 1))
        #expect(map.owner(of: 16_101) == nil)
        #expect(map.primaries == [server("a", 1), server("seed", 3)])
        #expect(map.replicas == [server("b", 2), server("seed", 4)])
        map.move(100, to: server("c", 5))
        map.move(0, to: server("seed", 3))
        #expect(map.owner(of: 100) == server("c", 5))
        #expect(map.owner(of: 101) == server("seed", 3))
        #expect(map.owner(of: 0) == server("seed", 3))
    }

    @Test(arguments: [
        RedisValue.null, .array([]), .integer(1), .array([.integer(1)]), .array([.array([.integer(0), .integer(1)])]),
        .array([.array([.integer(5), .integer(4), place("a", 1)])]),
        .array([.array([.integer(0), .integer(16_384), place("a", 1)])]),
        .array([.array([.integer(-1), .integer(1), place("a", 1)])]),
        .array([.array([.integer(0), .integer(1), place("a", 65_536)])]),
        .array([.array([.integer(0), .integer(1), .text("a")])]),
    ])
    func whatIsNoMapIsRefused(answer: RedisValue) { #expect(SlotMap(answer, asked: asked) == nil) }
}

@Suite struct MapSurveyTests {
    private let nodes = (1...3).map { RedisAddress.Server(host: "n", port: $0) }

    @Test func nodesAreAskedInOrderUntilOneKnows() {
        var survey = MapSurvey()
        #expect(survey.isDue(at: 0))
        #expect(survey.begin(at: 0, asking: nodes + nodes) == nodes[0])
        #expect(!survey.isDue(at: 60_000_000), "one at a time")
        #expect(survey.failed() == nodes[1])
        survey.succeeded()
        #expect(!survey.isDue(at: 9_999_999))
        #expect(survey.isDue(at: 10_000_000))
    }

    @Test func whereNobodyKnowsAnotherSurveyFollowsSoon() {
        var survey = MapSurvey()
        _ = survey.begin(at: 0, asking: [nodes[0]])
        #expect(survey.failed() == nil)
        #expect(!survey.isDue(at: 99_999))
        #expect(survey.isDue(at: 100_000))
    }

    @Test func whoWantsAMapGetsOneWithinATenthOfASecond() {
        var survey = MapSurvey()
        _ = survey.begin(at: 0, asking: nodes)
        survey.want()
        survey.succeeded()
        #expect(!survey.isDue(at: 99_999))
        #expect(survey.isDue(at: 100_000), "what showed during a survey may be younger than its answer")
    }
}
