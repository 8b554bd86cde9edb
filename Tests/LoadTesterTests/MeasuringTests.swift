import Testing

@testable import LoadTester

/// What loops count.
@Suite struct MeasuringTests {
    @Test func percentilesOfShortStretchesAreWithinSixPercent() {
        var histogram = CoarseHistogram()
        #expect(histogram.percentile(50) == nil)
        for microseconds in 1...10_000 { histogram.record(Int64(microseconds) * 1000) }
        for percent in [1, 10, 50, 90, 99, 100] as [Double] {
            let exact = percent * 100 * 1000
            #expect(abs((histogram.percentile(percent) ?? 0) / exact - 1) < 0.065)
        }
        histogram.record(.max)
        histogram.record(0)
        #expect(histogram.total == 10_002)
    }

    @Test func aLongRunKeepsAsManyStepsAsAShortOne() {
        var series = TimeSeries()
        let second: Int64 = 1_000_000_000
        for time in 0..<3600 { series.update(at: Int64(time) * second) { $0.admitted += 1 } }
        #expect(series.steps.count <= TimeSeries.mostSteps)
        #expect(series.steps.reduce(0) { $0 + $1.admitted } == 3600)
        #expect(series.stepNanoseconds == 12_800_000_000)
    }

    @Test func seriesOfDifferentStepsAddUp() {
        var (long, short) = (TimeSeries(), TimeSeries())
        long.update(at: 100_000_000_000) { $0.refused += 1 }
        short.update(at: 150_000_000) { $0.admitted += 1 }
        var sum = short
        sum.add(long)
        var other = long
        other.add(short)
        for series in [sum, other] {
            #expect(series.stepNanoseconds == long.stepNanoseconds)
            #expect(series.steps[0].admitted == 1)
            #expect(series.steps.reduce(0) { $0 + $1.refused } == 1)
        }
    }

    @Test func aConnectionThatFailsWaitsEverLonger() {
        var reconnection = Reconnection()
        #expect(
            (0..<9).map { _ in reconnection.next(afterFailure: true) / 1_000_000 } == [
                10, 20, 40, 80, 160, 320, 640, 1000, 1000,
            ])
        #expect(reconnection.next(afterFailure: false) == 0)
        #expect(reconnection.next(afterFailure: true) == 10_000_000)
    }

    @Test(arguments: [
        (0, "0"), (0.0123, "0.0123"), (1.2, "1.20"), (12.34, "12.3"), (99.96, "100"), (1234567, "1,234,567"),
        (-5, "-5.00"),
    ])
    func numbersHaveThreeDigitsThatCount(_ number: Double, _ text: String) {
        #expect(NumberText.significant(number) == text)
    }

    @Test(arguments: [(1.5e3, "1.50 µs"), (2e6, "2.00 ms"), (61e9, "61.0 s"), (300e9, "5.00 min")])
    func timesHaveTheUnitThatSuits(_ nanoseconds: Double, _ text: String) {
        #expect(TimeText.show(nanoseconds) == text)
    }

    @Test func theToolSaysWhyItWasTheLimit() {
        let idle = ThreadUsage(busy: 0.5, waited: 0.1)
        #expect(Saturation.reasons(threads: [idle], sentLateP99Ms: 0.3).isEmpty)
        #expect(Saturation.reasons(threads: [idle, ThreadUsage(busy: 0.97, waited: 0)], sentLateP99Ms: nil).count == 1)
        #expect(Saturation.reasons(threads: [ThreadUsage(busy: 0.6, waited: 0.38)], sentLateP99Ms: 2).count == 2)
    }
}
