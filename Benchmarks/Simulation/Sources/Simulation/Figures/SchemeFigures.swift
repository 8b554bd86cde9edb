import LimiterCore
import TestSupport

/// What one scheme made of one demand.
package struct SchemeFigures: Sendable {
    /// Admitted, as a part of what the limit allows in that time.
    package let admitted: Double
    /// Admitted, as a part of what exact decisions admit of the same requests.
    package internal(set) var utilisation: Double = 1
    /// The most that any second admitted, and any clock window, as a part of the limit.
    package let worstSecond: Double
    package let worstWindow: Double
    /// Between the replica that admitted the largest part of its requests and the one that admitted the smallest.
    package let spread: Double
    package let operationsADecision: Double
    let count: Int

    private static let leastToCompare = 50

    /// Runs `demand` at a fleet whose limit is `limit` a second.
    init(_ kind: SchemeKind, _ demand: Demand, limit: Int64, seed: UInt64) throws {
        let world = World(seed: seed, journal: Journal())
        let network = Network(world)
        (network.shortest, network.jitter) = (250, 100)
        let scheme = try kind.make(world, network, limit: limit)
        world.run(until: demand.from)
        var times: [Int64] = []
        var accepted = [Int](repeating: 0, count: Demand.replicas)
        var asked = accepted
        let before = scheme.operations
        for arrival in demand.arrivals {
            world.run(until: arrival.time)
            asked[arrival.replica] += 1
            scheme.arrive(at: arrival.replica) {
                times.append(world.now)
                accepted[arrival.replica] += 1
            }
        }
        world.run(until: demand.until)
        count = times.count
        admitted = Double(count) / Double(limit * (demand.until - demand.from) / 1_000_000)
        worstSecond = Double(Self.most(times)) / Double(limit)
        var windows: [Int64: Int] = [:]
        for time in times { windows[time / 1_000_000, default: 0] += 1 }
        worstWindow = Double(windows.values.max() ?? 0) / Double(limit)
        let shares = asked.indices.filter { asked[$0] > Self.leastToCompare }.map {
            Double(accepted[$0]) / Double(asked[$0])
        }
        spread = (shares.max() ?? 0) - (shares.min() ?? 0)
        operationsADecision = Double(scheme.operations - before) / Double(max(1, demand.arrivals.count))
    }

    /// The most times that lie within one second.
    private static func most(_ times: [Int64]) -> Int {
        var (first, most) = (0, 0)
        for (index, time) in times.enumerated() {
            while times[first] <= time - 1_000_000 { first += 1 }
            most = max(most, index - first + 1)
        }
        return most
    }
}

/// All schemes side by side in all shapes of demand.
package struct SchemeComparison: Sendable {
    package struct Row: Sendable {
        package let shape: Demand.Shape
        package let kind: SchemeKind
        package let figures: SchemeFigures
    }

    package let limit: Int64
    package private(set) var rows: [Row] = []

    package init(
        limit: Int64, seconds: Int64, seed: UInt64, kinds: [SchemeKind] = SchemeKind.allCases,
        shapes: [Demand.Shape] = Demand.Shape.allCases, _ progress: (String) -> Void = { _ in }
    ) throws {
        self.limit = limit
        for shape in shapes {
            let demand = Demand(shape, limit: limit, seconds: seconds, seed: seed)
            var exact: Int?
            for kind in kinds {
                progress("\(limit)/s, \(shape.rawValue): \(kind.rawValue)")
                var figures = try SchemeFigures(kind, demand, limit: limit, seed: seed)
                if kind == .exact { exact = figures.count }
                if let exact { figures.utilisation = Double(figures.count) / Double(max(1, exact)) }
                rows.append(Row(shape: shape, kind: kind, figures: figures))
            }
        }
    }
}
