import TestSupport

/// What clients ask: requests that come by chance, of several tenants, at replicas that are not asked for equally much.
struct Traffic {
    enum Shape {
        case steady
        /// A tenth of the time, ten times as much.
        case bursty
        /// Ten times as much for a sixth of the run.
        case flash
    }

    let shape: Shape
    let requestsPerSecond: Int64
    let tenants: Int64
    /// What each replica gets of it, in parts of their sum.
    let weights: [Int64]
    /// Costs of requests, one of which is picked.
    let costs: [Int64]
    let resets: Bool
    let from: Int64
    let until: Int64

    private static let mostRequests: Int64 = 8000

    init(_ random: inout SeededGenerator, _ limits: DrawnLimits, replicas: Int, isFair: Bool, until: Int64) {
        self.until = until
        from = Scenario.second
        tenants = isFair ? 1 : random.pick([1, 1, 2, 3, 6])
        shape = isFair ? .steady : random.pick([.steady, .steady, .bursty, .flash])
        let isSkewed = !isFair && random.oneIn(2)
        weights = (0..<replicas).map { isSkewed ? max(1, 64 >> Int64($0)) : 1 }
        costs =
            isFair
            ? [1]
            : random.pick([[1], [1], [1, 1, 1, 2, 5], [0, 1, 1, 3], [1, 1, 1, 1, 1, 1, 40]])
        resets = !isFair && random.oneIn(8)
        let average = max(1, costs.reduce(0, +) / Int64(costs.count))
        let wanted = limits.unitsPerSecond * tenants / average * random.pick([5, 10, 20, 30]) / 10
        let most = isFair ? .max : Self.mostRequests * Scenario.second / (until - from)
        requestsPerSecond = isFair ? limits.unitsPerSecond * 2 : max(20, min(wanted, most))
    }

    /// How many times as much as on average is asked for at a time, in tenths; bursts come at times that the seed does not know.
    func tenths(at now: Int64, _ isBursting: Bool) -> Int64 {
        switch shape {
        case .steady: 10
        case .bursty: isBursting ? 70 : 4
        case .flash: now > (from + until) / 2 && now < (from + until) / 2 + (until - from) / 6 ? 40 : 5
        }
    }

    var summary: String {
        "\(shape) \(requestsPerSecond) requests/s of \(tenants) tenants at \(weights), costs \(costs)\(resets ? ", resets" : "")"
    }
}
