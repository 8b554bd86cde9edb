import NIOCore
import NIOPosix
import Synchronization

/// Runs a plan.
package final class LoadTest: Sendable {
    package let plan: LoadPlan
    /// Names of the tenants, and then of the probes.
    private let names: [String]
    private let isStopped = Atomic(false)

    /// How often the run is looked at, for the live line and the stop conditions.
    private static let lookInterval = Duration.milliseconds(100)
    private static let mostObservations = 8_000_000

    package init(_ plan: LoadPlan, probeNames: [String] = []) throws(LoadError) {
        try plan.validate()
        self.plan = plan
        names = plan.tenants.names + probeNames
    }

    /// Ends the run early; what was measured so far is reported.
    package func stop() { isStopped.store(true, ordering: .relaxed) }

    /// `redis` is what the plan's faults are done to; `watch` is told how things stand, and when (nanoseconds).
    package func run(
        redis: OwnRedis? = nil, watch: (Snapshot, Int64) -> Void = { _, _ in }
    ) async throws -> RunResult {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: plan.threads)
        do {
            let result = try await run(on: group, redis: redis, watch: watch)
            try await group.shutdownGracefully()
            return result
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private func run(
        on group: MultiThreadedEventLoopGroup, redis: OwnRedis?, watch: (Snapshot, Int64) -> Void
    ) async throws -> RunResult {
        let loops = Array(group.makeIterator())
        let connector: Connector
        do { connector = try Connector(plan) } catch { throw LoadError.failed("TLS cannot be set up: \(error)") }
        let crew = try await Crew(plan, names: names, on: loops, connector, mostObservations: observationsPerLoop)
        try await crew.connect(plan, shouldStop: { isStopped.load(ordering: .relaxed) })
        let clock = RunClock()
        let cpuBefore = Usage.process()
        try await crew.start(clock)
        let chaos = redis.map { redis in
            let chaos = Chaos(redis, faults: plan.faults, now: { clock.now })
            return Task { try await chaos.run() }
        }
        let reason: String?
        do { reason = try await watchUntilFinished(crew, clock, watch) } catch {
            chaos?.cancel()
            throw error
        }
        let usage = try await crew.usage()
        let cpu = Usage.process() - cpuBefore
        let elapsed = clock.now
        chaos?.cancel()
        let marks = try await chaos?.value ?? []
        let recorder = try await crew.recorder()
        let probes = try await crew.probeResults()
        try await crew.close()
        return RunResult(
            plan: plan, names: names, recorder: recorder, probeObservations: probes.observations,
            probeFindings: probes.findings, epoch: clock.epoch, elapsed: elapsed, processNanoseconds: cpu,
            threads: usage, stopReason: reason, marks: marks)
    }

    private var observationsPerLoop: Int { plan.limit == nil ? 0 : Self.mostObservations / plan.threads }

    /// Returns why the run ended before its time; nil where it did not.
    private func watchUntilFinished(
        _ crew: Crew, _ clock: RunClock, _ watch: (Snapshot, Int64) -> Void
    ) async throws -> String? {
        var reason: String?
        let finished = crew.whenFinished()
        let isFinished = Flag()
        finished.whenComplete { _ in isFinished.set() }
        var isEnding = false
        while !isFinished.isSet {
            try? await Task.sleep(for: Self.lookInterval)
            let snapshot = try await crew.snapshot()
            watch(snapshot, clock.now)
            guard !isEnding else { continue }
            if isStopped.load(ordering: .relaxed) {
                reason = "stopped by hand"
            } else if let condition = plan.stop.first(where: { $0.holds(in: snapshot) }) {
                reason = "stopped when \(condition)"
            }
            if reason != nil {
                isEnding = true
                try await crew.stop()
            }
        }
        try await finished.get()
        return reason
    }

    private final class Flag: Sendable {
        private let value = Atomic(false)
        var isSet: Bool { value.load(ordering: .relaxed) }
        func set() { value.store(true, ordering: .relaxed) }
    }
}

extension Condition {
    func holds(in snapshot: Snapshot) -> Bool { snapshot.value(figure).map(holds) ?? false }
}
