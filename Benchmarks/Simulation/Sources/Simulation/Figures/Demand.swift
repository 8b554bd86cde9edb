import TestSupport

/// Requests of one tenant at a fleet: the five shapes that schemes are compared in.
package struct Demand: Sendable {
    package enum Shape: String, CaseIterable, Sendable {
        case uniform = "uniform, 2 × the limit"
        case skewed = "skewed, 2 × the limit"
        case bursty = "bursty, 1.2 × the limit"
        case under = "skewed, 0.7 × the limit"
        case flash = "flash crowd, 10 × for a sixth of the time"
    }

    struct Arrival {
        /// Microseconds since the run began.
        let time: Int64
        let replica: Int
    }

    static let replicas = 8
    /// Parts of the demand that each replica gets where it is skewed, in hundredths.
    private static let skew: [Int64] = [60, 15, 8, 6, 4, 3, 2, 2]

    let shape: Shape
    /// In the order of their times.
    let arrivals: [Arrival]
    let from: Int64
    let until: Int64

    /// `limit` units a second.
    init(_ shape: Shape, limit: Int64, seconds: Int64, seed: UInt64) {
        self.shape = shape
        from = 2_000_000
        until = from + seconds * 1_000_000
        var arrivals: [Arrival] = []
        for replica in 0..<Self.replicas {
            var random = SeededGenerator(seed: seed, part: UInt64(replica) + 1)
            func draw(_ perSecond: Int64, _ start: Int64, _ end: Int64) {
                guard perSecond > 0 else { return }
                // In thousandths of a microsecond, for means are short.
                var time = start * 1000
                while true {
                    time += random.exponential(1_000_000_000 / perSecond)
                    guard time < end * 1000 else { return }
                    arrivals.append(Arrival(time: time / 1000, replica: replica))
                }
            }
            switch shape {
            case .uniform: draw(2 * limit / Int64(Self.replicas), from, until)
            case .skewed: draw(2 * limit * Self.skew[replica] / 100, from, until)
            case .under: draw(7 * limit * Self.skew[replica] / 1000, from, until)
            case .bursty:
                var time = from + random.exponential(900_000)
                while time < until {
                    let end = min(until, time + random.exponential(100_000))
                    draw(limit * 3 / 2, time, end)
                    time = end + random.exponential(900_000)
                }
            case .flash:
                draw(3 * limit / 10 / Int64(Self.replicas), from, until)
                let third = (until - from) / 3
                draw(10 * limit / Int64(Self.replicas), from + third, from + third + third / 2)
            }
        }
        self.arrivals = arrivals.sorted { ($0.time, $0.replica) < ($1.time, $1.replica) }
    }
}
