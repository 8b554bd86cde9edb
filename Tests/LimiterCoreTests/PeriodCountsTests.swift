import LimiterCore
import TestSupport
import Testing

@Suite struct PeriodCountsTests {
    private func counts(_ number: Int64, _ units: Int64..., generation: Int64 = 0) -> PeriodCounts {
        PeriodCounts(number: number, generation: generation, units: units)
    }

    @Test func periodsThatAreOverMoveBackAndTheOldestAreForgotten() {
        var moved = counts(10, 5, 4, 3)
        moved.move(to: 12)
        #expect(moved.number == 12 && moved.units.prefix(5) == [0, 0, 5, 4, 3])
        #expect(moved[10] == 5 && moved[12] == 0 && moved[13] == 0 && moved[9] == 4)
        moved.move(to: 100)
        #expect(moved.isEmpty)
        moved.move(to: 50)
        #expect(moved.number == 100)
    }

    @Test func ofTwoMemoriesWhatIsMoreCountsInEachPeriod() {
        var merged = counts(10, 5, 9)
        merged.merge(counts(11, 2, 7, 1))
        #expect(merged == counts(11, 2, 7, 9))
        merged.merge(merged)
        #expect(merged == counts(11, 2, 7, 9))
    }

    @Test func afterAResetTheLatestPeriodCountsAsTheLaterGenerationSays() {
        var merged = counts(10, 50, 9, generation: 1)
        merged.merge(counts(10, 2, 8, generation: 2))
        #expect(merged == counts(10, 2, 9, generation: 2))
        merged.merge(counts(10, 50, generation: 1))
        #expect(merged == counts(10, 2, 9, generation: 2))
    }

    @Test func mergingIsTheSameInAnyOrder() {
        var random = SeededGenerator()
        func some() -> PeriodCounts {
            PeriodCounts(
                number: Int64.random(in: 0...20, using: &random), generation: Int64.random(in: 0...2, using: &random),
                units: (0..<Int.random(in: 0...14, using: &random)).map { _ in Int64.random(in: 0...9, using: &random) }
            )
        }
        for _ in 0..<2000 {
            let (a, b) = (some(), some())
            var (ab, ba) = (a, b)
            ab.merge(b)
            ba.merge(a)
            #expect(ab == ba)
        }
    }
}
