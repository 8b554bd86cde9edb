import TestSupport
import Testing

@testable import Telemetry

@Suite struct MirrorFiguresTests {
    private static func count(_ figures: MirrorFigures, _ first: Int, _ second: Int, id: String = "id") {
        let (one, other) = (
            MirrorFigures.Answer(status: first, nanoseconds: 2_000_000),
            MirrorFigures.Answer(status: second, nanoseconds: 8_000_000)
        )
        figures.count(one, other) {
            MirrorFigures.Difference(
                epochMicroseconds: 1, requestID: id, method: "GET", path: "/", first: one, second: other)
        }
    }

    @Test func answersOfTheSameStatusAreTheSame() {
        let figures = MirrorFigures()
        for _ in 0..<3 { Self.count(figures, 200, 200) }
        Self.count(figures, 200, 500)
        Self.count(figures, 404, 0)
        figures.countLeftOut()
        let report = figures.report
        #expect(report.compared == 5 && report.same == 3 && report.unanswered == 1 && report.leftOut == 1)
        #expect(report.statuses == [[200, 500]: 1, [404, 0]: 1])
        #expect(report.differences.map(\.second.status) == [500, 0])
        #expect(report.secondDurations.count == 4)
    }

    @Test func theLatestDifferencesAreKept() {
        let figures = MirrorFigures()
        for number in 0..<120 { Self.count(figures, 200, 500, id: "\(number)") }
        #expect(figures.report.differences.map(\.requestID) == (70..<120).map { "\($0)" })
    }

    @Test func quantilesAreWithinAnEighthOfWhatTheyAre() throws {
        var random = SeededGenerator()
        var sketch = DurationSketch()
        #expect(sketch.quantile(0.5) == nil)
        var durations: [Int64] = []
        for _ in 0..<10_000 {
            let duration = Int64.random(in: 20...(1 << Int64.random(in: 5...24, using: &random)), using: &random) * 1000
            durations.append(duration)
            sketch.add(duration)
        }
        durations.sort()
        for fraction in [0.01, 0.5, 0.95, 0.99, 1] {
            let exact = Double(durations[max(0, Int((fraction * 10_000).rounded(.up)) - 1)])
            let ratio = Double(try #require(sketch.quantile(fraction))) / exact
            #expect(ratio >= 0.87 && ratio <= 1.13, "\(fraction): \(ratio)")
        }
    }
}
