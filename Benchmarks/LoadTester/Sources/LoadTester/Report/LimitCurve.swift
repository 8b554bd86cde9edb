/// How the busiest counter was used over time, beside its limit.
package struct LimitCurve: Codable, Hashable, Sendable {
    package struct Point: Codable, Hashable, Sendable {
        package let seconds: Double
        package let units: Int64
    }

    package let tenant: String
    package let isBucket: Bool
    /// L, or the burst.
    package let limit: Int64
    /// What a bucket gains.
    package let unitsPerSecond: Double
    /// When clock windows begin.
    package let windowStarts: [Double]
    /// A window: what was admitted since the clock window began. A bucket: since the run began.
    package let points: [Point]

    private static let mostPoints = 1500

    init?(_ observations: [Observation], names: [String], _ settings: Accuracy.Settings) {
        let admissions = observations.filter { $0.outcome == .admitted && $0.cost > 0 }
        var units: [Int32: Int64] = [:]
        if settings.isShared {
            units[0] = 1
        } else {
            for admission in admissions { units[admission.tenant, default: 0] += Int64(admission.cost) }
        }
        guard let busiest = units.max(by: { ($0.value, -$0.key) < ($1.value, -$1.key) })?.key, !admissions.isEmpty
        else {
            return nil
        }
        let own = admissions.filter { settings.isShared || $0.tenant == busiest }.sorted { $0.received < $1.received }
        let name = names[Int(busiest)]
        tenant = settings.isShared ? "all" : name.isEmpty ? "everyone" : name
        let promise = settings.promise
        isBucket = promise.algorithm != .slidingWindow
        limit = promise.burst
        unitsPerSecond = promise.unitsPerNanosecond * 1e9
        var points: [Point] = []
        var starts: [Double] = []
        var window: Int64?
        var sum: Int64 = 0
        for admission in own {
            let seconds = Double(admission.received) / 1e9
            let current = isBucket ? 0 : settings.windows.number(admission.received)
            if current != window {
                if window != nil {
                    let start = Double(settings.windows.start(current)) / 1e9
                    points.append(Point(seconds: start, units: sum))
                    points.append(Point(seconds: start, units: 0))
                    starts.append(start)
                }
                window = current
                sum = 0
            }
            sum += Int64(admission.cost)
            points.append(Point(seconds: seconds, units: sum))
        }
        windowStarts = starts
        self.points = Self.thinned(points)
    }

    /// Keeps the first, the last, every turning point, and every so many-th of the rest.
    private static func thinned(_ points: [Point]) -> [Point] {
        let every = points.count / mostPoints + 1
        guard every > 1 else { return points }
        return points.enumerated().filter { index, point in
            index % every == 0 || index == points.count - 1 || point.units == 0
                || points[min(index + 1, points.count - 1)].units == 0
        }.map(\.element)
    }
}
