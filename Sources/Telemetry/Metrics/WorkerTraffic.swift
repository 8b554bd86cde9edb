/// What one worker counts of services and routes. Only that worker's thread counts; any may read. No lock, no allocation.
package final class WorkerTraffic: Sendable {
    /// What ended is read before what began, so that nothing seems to have ended before it began.
    fileprivate enum ServiceCell: Int {
        case ended, begun, bytesIn, bytesOut
    }

    /// 1xx to 5xx, and what is no status.
    static let statusClasses = ["1xx", "2xx", "3xx", "4xx", "5xx", "other"]
    fileprivate static let classCells = 6
    /// Behind those of `ServiceCell`, one a cause.
    fileprivate static let failureCells = 4
    private static let serviceCells = failureCells + FailureCause.allCases.count
    private static let routeCells = classCells + 2 * Histogram.cells

    private let names: TrafficNames
    private let services: Cells
    private let routes: Cells
    private let recent: Cells

    init(_ names: TrafficNames) {
        self.names = names
        services = Cells(count: names.services.count * Self.serviceCells)
        routes = Cells(count: names.routes.count * Self.routeCells)
        recent = Cells(count: names.routes.count * SlidingQuantiles.cells)
    }

    /// What is known of a request at its end.
    package struct End {
        var status: Int
        var nanoseconds: Int64
        /// Below zero: no upstream has answered.
        var upstreamNanoseconds: Int64
        var bytesIn: Int64
        var bytesOut: Int64

        package init(
            status: Int, nanoseconds: Int64, upstreamNanoseconds: Int64, bytesIn: Int64, bytesOut: Int64
        ) {
            self.status = status
            self.nanoseconds = nanoseconds
            self.upstreamNanoseconds = upstreamNanoseconds
            self.bytesIn = bytesIn
            self.bytesOut = bytesOut
        }
    }

    /// A request to a service has begun; `ended` follows.
    package func began(service: Int) {
        guard service < names.services.count else { return }
        services.increase(at: service * Self.serviceCells + ServiceCell.begun.rawValue)
    }

    /// Places are those of the names; `now` is the clock that `SystemTime.monotonicNanoseconds` reads.
    package func ended(service: Int, route: Int, _ end: End, at now: Int64) {
        guard service < names.places.count, route < names.places[service].count else { return }
        let ofService = service * Self.serviceCells
        services.increase(at: ofService + ServiceCell.ended.rawValue)
        if end.bytesIn > 0 { services.increase(by: Int(end.bytesIn), at: ofService + ServiceCell.bytesIn.rawValue) }
        if end.bytesOut > 0 { services.increase(by: Int(end.bytesOut), at: ofService + ServiceCell.bytesOut.rawValue) }
        let place = names.places[service][route]
        let ofRoute = place * Self.routeCells
        routes.increase(at: ofRoute + Self.statusClass(end.status))
        Histogram.recordAlone(end.nanoseconds, in: routes, from: ofRoute + Self.classCells)
        if end.upstreamNanoseconds >= 0 {
            Histogram.recordAlone(
                end.upstreamNanoseconds, in: routes, from: ofRoute + Self.classCells + Histogram.cells)
        }
        SlidingQuantiles.record(end.nanoseconds, at: now, in: recent, from: place * SlidingQuantiles.cells)
    }

    /// An attempt to get an answer of an upstream has failed, or it answered with 5xx.
    package func countFailure(service: Int, _ cause: FailureCause) {
        guard service < names.services.count else { return }
        services.increase(at: service * Self.serviceCells + Self.failureCells + cause.rawValue)
    }

    private static func statusClass(_ status: Int) -> Int {
        (100...599).contains(status) ? status / 100 - 1 : classCells - 1
    }

    // MARK: Reading

    /// What was counted of a service or a route, of one worker or more.
    struct Sums {
        fileprivate var counts: [Int]

        static let zero = Sums(counts: Array(repeating: 0, count: max(serviceCells, routeCells)))

        static func + (a: Sums, b: Sums) -> Sums { Sums(counts: zip(a.counts, b.counts).map { $0 &+ $1 }) }
    }

    func sums(ofService service: Int) -> Sums {
        Sums(counts: (0..<Self.serviceCells).map { services.value(at: service * Self.serviceCells + $0) })
    }

    func sums(ofRoute route: Int) -> Sums {
        Sums(counts: (0..<Self.routeCells).map { routes.value(at: route * Self.routeCells + $0) })
    }

    func addRecent(ofRoute route: Int, at now: Int64, to counts: inout [Int]) {
        SlidingQuantiles.add(to: &counts, from: recent, first: route * SlidingQuantiles.cells, at: now)
    }
}

/// Of a service.
extension WorkerTraffic.Sums {
    var begun: Int { counts[WorkerTraffic.ServiceCell.begun.rawValue] }
    var ended: Int { counts[WorkerTraffic.ServiceCell.ended.rawValue] }
    var bytesIn: Int { counts[WorkerTraffic.ServiceCell.bytesIn.rawValue] }
    var bytesOut: Int { counts[WorkerTraffic.ServiceCell.bytesOut.rawValue] }

    func failures(_ cause: FailureCause) -> Int { counts[WorkerTraffic.failureCells + cause.rawValue] }
}

/// Of a route.
extension WorkerTraffic.Sums {
    func requests(statusClass: Int) -> Int { counts[statusClass] }

    var durations: Histogram { Histogram(counts[WorkerTraffic.classCells...]) }

    var upstreamDurations: Histogram { Histogram(counts[(WorkerTraffic.classCells + Histogram.cells)...]) }
}
