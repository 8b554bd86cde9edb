import Histogram

/// Milliseconds from when a request was due until its answer was complete.
package struct LatencySummary: Codable, Hashable, Sendable {
    package let count: Int
    package let meanMs: Double
    package let p50Ms: Double
    package let p90Ms: Double
    package let p99Ms: Double
    package let p999Ms: Double
    package let maxMs: Double

    init(_ histogram: Histogram<UInt64>) {
        let count = Int(histogram.totalCount)
        func percentile(_ percent: Double) -> Double {
            count == 0 ? 0 : Double(histogram.valueAtPercentile(percent)) / 1e6
        }
        self.count = count
        meanMs = count == 0 ? 0 : histogram.mean / 1e6
        p50Ms = percentile(50)
        p90Ms = percentile(90)
        p99Ms = percentile(99)
        p999Ms = percentile(99.9)
        maxMs = percentile(100)
    }

    /// A point of the distribution: so many percent took no longer.
    package struct Point: Codable, Hashable, Sendable {
        package let percent: Double
        package let ms: Double
    }

    static func distribution(_ histogram: Histogram<UInt64>) -> [Point] {
        guard histogram.totalCount > 0 else { return [] }
        var points: [Point] = []
        for value in histogram.percentiles(ticksPerHalfDistance: 8) {
            points.append(Point(percent: min(100, value.percentileLevelIteratedTo), ms: Double(value.value) / 1e6))
        }
        return points
    }
}
