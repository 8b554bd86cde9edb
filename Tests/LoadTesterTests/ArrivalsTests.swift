import LoadTester
import Testing

/// When an open loop's requests are due.
@Suite struct ArrivalsTests {
    private static func times(
        _ phases: [String], spacing: Arrivals.Spacing = .even, share: (index: Int, count: Int) = (0, 1),
        seed: UInt64 = 1
    ) throws -> [Int64] {
        var arrivals = Arrivals(
            try phases.map { try Phase(parsing: $0) }, spacing: spacing, share: share, random: SeededRandom(seed: seed))
        var times: [Int64] = []
        while let next = arrivals.next {
            times.append(next)
            arrivals.advance()
        }
        return times
    }

    private static let second: Int64 = 1_000_000_000

    @Test func aSteadyRateIsEvenlySpaced() throws {
        #expect(try Self.times(["hold:1s:4"]) == [0, 250_000_000, 500_000_000, 750_000_000])
    }

    @Test func aRateBelowOneASecondIsDueAsRarely() throws {
        #expect(try Self.times(["hold:1m:3/m"]) == [0, 20 * Self.second, 40 * Self.second])
    }

    @Test func aRampHoldsTheIntegralOfItsRate() throws {
        let times = try Self.times(["ramp:10s:0-100"])
        #expect(times.count == 500)
        // n requests are due after the time t where 5·t² = n.
        for (index, time) in times.enumerated() {
            let expected = (Double(index) / 5).squareRoot()
            #expect(abs(Double(time) / 1e9 - expected) < 1e-6)
        }
        #expect(try Self.times(["ramp:10s:100-0"]).count == 500)
    }

    @Test func stepsAndBurstsHaveTheirRates() throws {
        let steps = try Self.times(["steps:30s:10-30:3"])
        for (index, rate) in [10, 20, 30].enumerated() {
            let range = Int64(index) * 10 * Self.second..<Int64(index + 1) * 10 * Self.second
            #expect(steps.count { range.contains($0) } == 10 * rate)
        }
        let bursts = try Self.times(["burst:20s:10-100:1s/10s"])
        #expect(bursts.count == 2 * (9 * 10 + 100))
        #expect(bursts.count { (9 * Self.second..<10 * Self.second).contains($0) } == 100)
    }

    @Test func phasesFollowOneAnother() throws {
        let times = try Self.times(["warm-up:2s:5", "hold:2s:0", "hold:2s:10"])
        #expect(times.count == 30)
        #expect(times.count { $0 < 2 * Self.second } == 10)
        #expect(times.allSatisfy { !(2 * Self.second..<4 * Self.second).contains($0) })
    }

    @Test(arguments: [2, 3, 7])
    func loopsShareWhatOneWouldSend(count: Int) throws {
        let phases = ["ramp:5s:10-200", "hold:3s:33"]
        let all = try Self.times(phases)
        let shared = try (0..<count).flatMap { try Self.times(phases, share: ($0, count)) }.sorted()
        #expect(shared == all)
    }

    @Test func poissonArrivalsHaveTheRateAndAreRandomByTheSeed() throws {
        let times = try Self.times(["hold:100s:100"], spacing: .poisson)
        // Six standard deviations.
        #expect(abs(times.count - 10_000) < 600)
        #expect(times == times.sorted())
        let gaps = zip(times.dropFirst(), times).map { Double($0 - $1) / 1e9 }
        let mean = gaps.reduce(0, +) / Double(gaps.count)
        let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
        // Exponential gaps: the standard deviation is the mean.
        #expect(abs(variance.squareRoot() / mean - 1) < 0.1)
        #expect(try Self.times(["hold:100s:100"], spacing: .poisson) == times)
        #expect(try Self.times(["hold:100s:100"], spacing: .poisson, seed: 2) != times)
    }

    @Test(arguments: [
        "", "hold", "hold:0s", "rest:5s", "ramp:5s", "ramp:5s:1", "ramp:5s:1-2-3", "steps:5s:1-2", "steps:5s:1-2:1",
        "burst:5s:1-2:3s/2s", "burst:5s:1-2:1s", "hold:5s:-1", "hold:5s:1/fortnight", "hold:5s:99999999",
    ])
    func phasesThatCannotBeMeantAreRefused(_ text: String) {
        #expect(throws: LoadError.self) { try Phase(parsing: text) }
    }
}
