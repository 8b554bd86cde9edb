import LoadTester
import TestSupport
import Testing

/// What is drawn at random.
@Suite struct DrawTests {
    @Test(arguments: [[1.0], [1, 1, 1], [1, 2, 3, 4], [0, 1, 0, 9], [1, 0.5, 1.0 / 3, 0.25]] as [[Double]])
    func indicesComeAsOftenAsTheirWeightsSay(_ weights: [Double]) {
        let draw = WeightedDraw(weights: weights)
        var random = SeededRandom(seed: SeededGenerator.seed(for: #function))
        var counts = [Int](repeating: 0, count: weights.count)
        let draws = 100_000
        for _ in 0..<draws { counts[draw.next(&random)] += 1 }
        let sum = weights.reduce(0, +)
        for (count, weight) in zip(counts, weights) {
            let expected = Double(draws) * weight / sum
            // Seven standard deviations.
            #expect(abs(Double(count) - expected) <= 7 * expected.squareRoot())
        }
    }

    @Test func oneSeedHasManyStreamsAndRepeatsThem() {
        func draw(_ stream: Int) -> [UInt64] {
            var random = SeededRandom(seed: 3, stream: stream)
            return (0..<4).map { _ in random.next() }
        }
        #expect(draw(0) == draw(0))
        #expect(draw(0) != draw(1))
    }
}
