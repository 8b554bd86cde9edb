import Testing
import TestSupport
import WeirConfiguration

@testable import Gateway

struct BalancerTests {
    private typealias Rule = BalancingSettings.Rule

    private func endpoint(_ number: Int, weight: Int = 1, priority: Int = 0) -> Endpoint {
        Endpoint(
            Upstream(usesTLS: false, host: "10.0.\(number / 250).\(number % 250 + 1)", port: 80), weight: weight,
            priority: priority)
    }

    private func balancer(_ weights: [Int], _ rule: Rule = .roundRobin) -> Balancer {
        Balancer(weights.enumerated().map { endpoint($0, weight: $1) }, rule, EjectionRules(.init()))
    }

    private func choose(
        _ balancer: inout Balancer, at now: Int64 = 0, key: UInt64? = nil, sick: Set<Int> = [], tried: Set<Int> = [],
        inFlight: [Int] = []
    ) -> Int {
        let choice = balancer.choose(
            at: now, key: key, isHealthy: { !sick.contains($0) }, isTried: { tried.contains($0) },
            inFlight: { inFlight.isEmpty ? 0 : inFlight[$0] })
        return choice?.index ?? -1
    }

    private func counts(_ balancer: inout Balancer, _ requests: Int, sick: Set<Int> = []) -> [Int] {
        var counts = [Int](repeating: 0, count: balancer.members.count)
        for _ in 0..<requests { counts[choose(&balancer, sick: sick)] += 1 }
        return counts
    }

    // MARK: Weights

    @Test(arguments: [[1, 1, 1], [1, 3], [5, 1, 1], [1000, 1], [2, 3, 5, 7]], [Rule.roundRobin, .leastRequests])
    func asManyRequestsAsTheSumOfWeightsAreSharedExactly(weights: [Int], rule: BalancingSettings.Rule) {
        var balancer = balancer(weights, rule)
        let sum = weights.reduce(0, +)
        for _ in 0..<3 { #expect(counts(&balancer, sum) == weights) }
    }

    @Test func turnsAreSpreadEvenly() {
        var balancer = balancer([5, 1, 1])
        let turns = (0..<7).map { _ in choose(&balancer) }
        #expect(turns == [0, 0, 1, 0, 2, 0, 0])
    }

    @Test func atNoMomentIsAnyoneFarFromItsShare() {
        var generator = SeededGenerator()
        for _ in 0..<20 {
            let weights = (0..<Int.random(in: 2...8, using: &generator)).map { _ in
                Int.random(in: 1...20, using: &generator)
            }
            var balancer = balancer(weights)
            let sum = Double(weights.reduce(0, +))
            var counts = [Int](repeating: 0, count: weights.count)
            for request in 1...500 {
                counts[choose(&balancer)] += 1
                for (count, weight) in zip(counts, weights) {
                    let share = Double(request * weight) / sum
                    #expect(abs(Double(count) - share) < Double(weights.count))
                }
            }
        }
    }

    @Test func aSpareGetsRequestsOnlyWhereNobodyElseCanTakeThem() {
        var balancer = balancer([1, 0, 1])
        #expect(counts(&balancer, 10) == [5, 0, 5])
        #expect(counts(&balancer, 10, sick: [0]) == [0, 0, 10])
        #expect(counts(&balancer, 10, sick: [0, 2]) == [0, 10, 0])
        #expect(choose(&balancer, tried: [0, 2]) == 1)
    }

    @Test func aGreaterPriorityComesAfterTheSparesOfASmallerOne() {
        var balancer = Balancer(
            [endpoint(0, priority: 5), endpoint(1, priority: 1), endpoint(2, weight: 0, priority: 1)], .roundRobin, nil)
        #expect(choose(&balancer) == 1)
        #expect(choose(&balancer, sick: [1]) == 2)
        #expect(choose(&balancer, sick: [1, 2]) == 0)
    }

    // MARK: Least requests

    @Test(arguments: [
        (weights: [1, 1, 1], inFlight: [3, 1, 2], best: [1]),
        (weights: [1, 3], inFlight: [1, 2], best: [1]),
        (weights: [1, 3], inFlight: [1, 4], best: [0]),
        (weights: [2, 4], inFlight: [3, 6], best: [0, 1]),
        (weights: [1, 1], inFlight: [0, 0], best: [0, 1]),
        (weights: [1, 0], inFlight: [100, 0], best: [0]),
    ])
    func theLeastInFlightForItsWeightIsChosen(weights: [Int], inFlight: [Int], best: [Int]) {
        var balancer = balancer(weights, .leastRequests)
        let chosen = Set((0..<20).map { _ in choose(&balancer, inFlight: inFlight) })
        #expect(chosen == Set(best))
    }

    @Test func theLeastRequestsAreLeastForAnyLoad() {
        var generator = SeededGenerator()
        for _ in 0..<500 {
            let weights = (0..<Int.random(in: 1...9, using: &generator)).map { _ in
                Int.random(in: 1...9, using: &generator)
            }
            let inFlight = weights.map { _ in Int.random(in: 0...30, using: &generator) }
            var balancer = balancer(weights, .leastRequests)
            let chosen = choose(&balancer, inFlight: inFlight)
            for index in weights.indices {
                #expect(inFlight[chosen] * weights[index] <= inFlight[index] * weights[chosen])
            }
        }
    }

    // MARK: Who is passed over

    @Test func whatWasTriedComesLast() {
        var balancer = balancer([1, 1, 1], .leastRequests)
        #expect(choose(&balancer, tried: [0, 2], inFlight: [0, 9, 0]) == 1)
        // But before what is known to be sick.
        #expect(choose(&balancer, sick: [1], tried: [0, 2], inFlight: [0, 0, 1]) == 0)
    }

    @Test func whereAllAreSickAllAreAsked() {
        var balancer = balancer([1, 2])
        #expect(counts(&balancer, 6, sick: [0, 1]) == [2, 4])
        let choice = balancer.choose(
            at: 0, key: nil, isHealthy: { _ in false }, isTried: { _ in false }, inFlight: { _ in 0 })
        #expect(choice?.isPanic == true)
        let well = balancer.choose(
            at: 0, key: nil, isHealthy: { $0 == 1 }, isTried: { _ in false }, inFlight: { _ in 0 })
        #expect(well == Balancer.Choice(index: 1, isPanic: false))
    }

    @Test func whereThereIsNobodyNobodyIsChosen() {
        var balancer = balancer([])
        #expect(choose(&balancer) == -1)
    }

    @Test func whoCouldNotBeReachedComesAfterTheOthersForAWhile() {
        var balancer = balancer([1, 1])
        balancer.unreachable(0, at: 0)
        #expect((0..<4).map { _ in choose(&balancer, at: 499_999_999) } == [1, 1, 1, 1])
        #expect(Set((0..<4).map { _ in choose(&balancer, at: 500_000_000) }) == [0, 1])
        // Twice as long when it happens again.
        balancer.unreachable(0, at: 500_000_000)
        #expect((0..<4).map { _ in choose(&balancer, at: 1_499_999_999) } == [1, 1, 1, 1])
        #expect(balancer.succeeded(0) == nil)
        #expect(Set((0..<4).map { _ in choose(&balancer, at: 1_000_000_000) }) == [0, 1])
    }

    @Test(arguments: [(1, 0), (2, 1), (3, 1), (4, 2), (10, 5)])
    func noMoreAreEjectedThanMayBe(count: Int, most: Int) {
        var balancer = balancer([Int](repeating: 1, count: count))
        for index in 0..<count { for _ in 0..<20 { _ = balancer.failed(index, at: 0) } }
        #expect(balancer.members.count { !$0.ejection.isInUse } == most)
    }

    @Test func whatIsKnownOfAnEndpointStaysKnownWhenOthersChange() {
        var before = balancer([1, 1, 1])
        for _ in 0..<5 { _ = before.failed(1, at: 0) }
        var after = Balancer([endpoint(2), endpoint(1), endpoint(7)], .roundRobin, EjectionRules(.init()))
        after.take(from: before.members)
        #expect(after.members.map(\.ejection.isInUse) == [true, false, true])
        #expect(Set((0..<6).map { _ in choose(&after, at: 1) }) == [0, 2])
    }

    // MARK: Hashing

    @Test func oneKeyGoesToOneEndpointWhateverItsLoadAndOrder() {
        var generator = SeededGenerator()
        let endpoints = (0..<7).map { endpoint($0) }
        var balancer = Balancer(endpoints, .hash(.tenant), nil)
        var shuffled = Balancer(endpoints.shuffled(using: &generator), .hash(.tenant), nil)
        for key in 0..<200 as Range<UInt64> {
            let hash = Rendezvous.hash(key, 1)
            let chosen = choose(&balancer, key: hash)
            let load = endpoints.map { _ in Int.random(in: 0...9, using: &generator) }
            #expect(choose(&balancer, key: hash, inFlight: load) == chosen)
            #expect(shuffled.members[choose(&shuffled, key: hash)].endpoint == endpoints[chosen])
        }
    }

    /// Only the keys of what went move, and what comes takes its share: with N endpoints about 1/N of the keys.
    @Test func aChangeOfOneEndpointMovesItsShareOfTheKeysAlone() {
        var generator = SeededGenerator()
        let keys = (0..<20_000).map { _ in generator.next() }
        for count in [2, 3, 10, 40] {
            let endpoints = (0..<count).map { endpoint($0) }
            var all = Balancer(endpoints, .hash(.tenant), nil)
            let gone = Int.random(in: 0..<count, using: &generator)
            var fewer = Balancer(
                endpoints.enumerated().filter { $0.offset != gone }.map(\.element), .hash(.tenant), nil)
            var moved = 0
            for key in keys {
                let (before, after) = (choose(&all, key: key), choose(&fewer, key: key))
                if before == gone {
                    moved += 1
                } else {
                    #expect(fewer.members[after].endpoint == endpoints[before])
                }
            }
            // The binomial distribution's mean, and six of its standard deviations.
            let share = Double(keys.count) / Double(count)
            let deviation = (share * (1 - 1 / Double(count))).squareRoot()
            #expect(abs(Double(moved) - share) <= 6 * deviation, "\(moved) of \(keys.count) with \(count)")
        }
    }

    @Test func keysAreSharedByWeight() {
        var generator = SeededGenerator()
        let weights = [1, 3, 6]
        var balancer = balancer(weights, .hash(.tenant))
        var counts = [0, 0, 0]
        for _ in 0..<20_000 { counts[choose(&balancer, key: generator.next())] += 1 }
        for (count, weight) in zip(counts, weights) {
            let share = 20_000 * Double(weight) / 10
            #expect(abs(Double(count) - share) <= 6 * (share * (1 - Double(weight) / 10)).squareRoot(), "\(counts)")
        }
    }

    @Test func aKeyOfASickEndpointGoesToItsNextAndComesBack() {
        var balancer = balancer([1, 1, 1, 1], .hash(.tenant))
        for key in 0..<100 as Range<UInt64> {
            let hash = Rendezvous.hash(key, 0)
            let first = choose(&balancer, key: hash)
            let second = choose(&balancer, key: hash, sick: [first])
            #expect(second != first)
            #expect(choose(&balancer, key: hash, tried: [first]) == second)
            #expect(choose(&balancer, key: hash) == first)
        }
    }
}
