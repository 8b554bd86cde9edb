/// The cells of all workers by the names of one configuration after the other.
struct TrafficGenerations {
    struct Generation {
        let names: TrafficNames
        fileprivate(set) var workers: [WorkerTraffic]
        fileprivate let services: [String: Int]
        fileprivate let routes: [TrafficNames.Route: Int]

        fileprivate init(_ names: TrafficNames, workers: Int) {
            self.names = names
            self.workers = (0..<workers).map { _ in WorkerTraffic(names) }
            services = Dictionary(names.services.enumerated().map { ($1, $0) }) { first, _ in first }
            routes = Dictionary(names.routes.enumerated().map { ($1, $0) }) { first, _ in first }
        }
    }

    private(set) var latest: Generation
    /// Requests that began then may still be in flight.
    private var earlier: [Generation] = []
    /// What those before had counted.
    private var ended: (services: [String: WorkerTraffic.Sums], routes: [TrafficNames.Route: WorkerTraffic.Sums]) = (
        [:], [:]
    )

    init(_ names: TrafficNames, workers: Int) { latest = Generation(names, workers: workers) }

    mutating func use(_ names: TrafficNames) {
        guard names != latest.names else { return }
        earlier.append(latest)
        latest = Generation(names, workers: latest.workers.count)
        for index in earlier.indices.reversed() where isOver(index) { add(earlier.remove(at: index)) }
        // Of names that came and went nothing is kept, so that this does not grow.
        let kept = (Set(names.services), Set(names.routes))
        ended.services = ended.services.filter { kept.0.contains($0.key) }
        ended.routes = ended.routes.filter { kept.1.contains($0.key) }
    }

    /// Whether nobody counts there any more.
    private mutating func isOver(_ index: Int) -> Bool {
        earlier[index].workers.indices.allSatisfy { isKnownUniquelyReferenced(&earlier[index].workers[$0]) }
    }

    private mutating func add(_ generation: Generation) {
        for (name, index) in generation.services {
            for worker in generation.workers { Self.add(worker.sums(ofService: index), to: &ended.services[name]) }
        }
        for (name, index) in generation.routes {
            for worker in generation.workers { Self.add(worker.sums(ofRoute: index), to: &ended.routes[name]) }
        }
    }

    private static func add(_ more: WorkerTraffic.Sums, to sums: inout WorkerTraffic.Sums?) {
        sums = sums.map { $0 + more } ?? more
    }

    /// Of a name that the latest ones have.
    func sums(ofService name: String) -> WorkerTraffic.Sums {
        var sums = ended.services[name]
        for generation in earlier + [latest] {
            guard let index = generation.services[name] else { continue }
            for worker in generation.workers { Self.add(worker.sums(ofService: index), to: &sums) }
        }
        return sums ?? .zero
    }

    func sums(ofRoute name: TrafficNames.Route) -> WorkerTraffic.Sums {
        var sums = ended.routes[name]
        for generation in earlier + [latest] {
            guard let index = generation.routes[name] else { continue }
            for worker in generation.workers { Self.add(worker.sums(ofRoute: index), to: &sums) }
        }
        return sums ?? .zero
    }

    func recent(ofRoute name: TrafficNames.Route, at now: Int64) -> [Int] {
        var counts = [Int](repeating: 0, count: SlidingQuantiles.buckets)
        for generation in earlier + [latest] {
            guard let index = generation.routes[name] else { continue }
            for worker in generation.workers { worker.addRecent(ofRoute: index, at: now, to: &counts) }
        }
        return counts
    }
}
