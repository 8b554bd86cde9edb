import NIOCore

/// The workers and probes of one run, each on its event loop.
struct Crew: Sendable {
    private let workers: [NIOLoopBound<Worker>]
    private let loops: [any EventLoop]
    private let probes: [NIOLoopBound<ProbeRunner>]
    private let probeLoop: any EventLoop

    /// Connects at once.
    init(
        _ plan: LoadPlan, names: [String], on loops: [any EventLoop], _ connector: Connector, mostObservations: Int
    ) async throws {
        self.loops = loops
        var workers: [NIOLoopBound<Worker>] = []
        for (index, loop) in loops.enumerated() {
            let mine = (0..<plan.connections).filter { $0 % loops.count == index }
            let share = Worker.Share(
                index: index, count: loops.count, targets: Self.targets(mine, of: plan, threads: loops.count),
                requests: plan.requestCount.map { $0 / loops.count + (index < $0 % loops.count ? 1 : 0) },
                mostObservations: mostObservations)
            workers.append(
                try await loop.submit {
                    NIOLoopBound(Worker(on: loop, plan: plan, share: share, connector: connector), eventLoop: loop)
                }.get())
        }
        self.workers = workers
        probeLoop = loops[0]
        let burst = plan.limit?.promise.burst ?? 1
        let tenants = plan.tenants.names.count
        let loop = probeLoop
        probes = try await loop.submit {
            (tenants..<names.count).map {
                NIOLoopBound(
                    ProbeRunner(on: loop, plan: plan, burst: burst, tenant: $0, names: names, connector: connector),
                    eventLoop: loop)
            }
        }.get()
    }

    /// Every thread has connections to every target, as far as there are enough of them.
    private static func targets(_ connections: [Int], of plan: LoadPlan, threads: Int) -> [Int] {
        connections.map { ($0 / threads + $0 % threads) % plan.targets.count }
    }

    /// Waits until every connection has been made or has failed. Throws where none could be made.
    func connect(_ plan: LoadPlan, shouldStop: () -> Bool) async throws {
        let clock = ContinuousClock()
        let deadline = clock.now + .nanoseconds(plan.timeout)
        while true {
            var open = 0
            var failed = 0
            var lastError: String?
            for worker in workers {
                let state = try await each(worker) { $0.connectionState }
                open += state.open
                failed += state.failed
                lastError = state.lastError ?? lastError
            }
            if open + min(failed, plan.connections) >= plan.connections || clock.now >= deadline || shouldStop() {
                guard open == 0 else { return }
                let places = plan.targets.map(\.description).joined(separator: " or ")
                try await close()
                throw LoadError.failed("nothing answers at \(places) (\(lastError ?? "no answer in time"))")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    func start(_ clock: RunClock) async throws {
        for worker in workers { try await each(worker) { $0.start(clock) } }
        for probe in probes { try await probeLoop.submit { probe.value.start(clock) }.get() }
    }

    func stop() async throws {
        for worker in workers { try await each(worker) { $0.stop() } }
    }

    func close() async throws {
        for worker in workers { try await each(worker) { $0.closeAll() } }
        for probe in probes { try await probeLoop.submit { probe.value.stop() }.get() }
    }

    func whenFinished() -> EventLoopFuture<Void> {
        let futures = workers.enumerated().map { index, worker in
            loops[index].flatSubmit { worker.value.whenFinished }
        }
        return EventLoopFuture.andAllComplete(futures, on: loops[0])
    }

    func snapshot() async throws -> Snapshot {
        var sum = Snapshot()
        for worker in workers { sum.add(try await each(worker) { $0.snapshot() }) }
        return sum
    }

    /// Of each thread: part of the run's time that it was busy, and that it waited for a processor.
    func usage() async throws -> [ThreadUsage] {
        var all: [ThreadUsage] = []
        for worker in workers {
            let usage = try await each(worker) { $0.usage() }
            all.append(ThreadUsage(busy: usage.busy, waited: usage.waited))
        }
        return all
    }

    func recorder() async throws -> Recorder {
        var sum = try await each(workers[0]) { $0.recorder }
        for worker in workers.dropFirst() { sum.add(try await each(worker) { $0.recorder }) }
        return sum
    }

    func probeResults() async throws -> (observations: [Observation], findings: RetryProbe.Findings?) {
        var observations: [Observation] = []
        var findings: RetryProbe.Findings?
        for probe in probes {
            let (seen, found) = try await probeLoop.submit { (probe.value.observations, probe.value.findings) }.get()
            observations += seen
            findings = (findings ?? RetryProbe.Findings()) + found
        }
        return (observations, findings)
    }

    private func each<Result: Sendable>(
        _ worker: NIOLoopBound<Worker>, _ body: @escaping @Sendable (Worker) -> Result
    ) async throws -> Result {
        try await worker.eventLoop.submit { body(worker.value) }.get()
    }
}

/// How one thread of the tester spent the run.
package struct ThreadUsage: Codable, Hashable, Sendable {
    /// Part of the time on a processor, 0...1.
    package let busy: Double
    /// Part of the time ready to run, and without a processor.
    package let waited: Double

    package init(busy: Double, waited: Double) {
        self.busy = busy
        self.waited = waited
    }
}
