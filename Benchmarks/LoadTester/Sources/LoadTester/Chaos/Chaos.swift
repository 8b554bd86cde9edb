/// Does the faults of a plan to a Redis, each at its time.
package struct Chaos: Sendable {
    private let redis: OwnRedis
    private let faults: [Fault]
    private let now: @Sendable () -> Int64

    private static let halted = Duration.milliseconds(30)
    private static let running = Duration.milliseconds(10)

    /// `now`: nanoseconds of the run.
    package init(_ redis: OwnRedis, faults: [Fault], now: @escaping @Sendable () -> Int64) {
        self.redis = redis
        self.faults = faults
        self.now = now
    }

    /// Returns what it did, and when. Where the task is cancelled it puts Redis right and ends.
    package func run() async throws -> [ChaosMark] {
        var marks: [ChaosMark] = []
        for fault in faults {
            await sleep(until: fault.at)
            guard !Task.isCancelled else { break }
            let begin = now()
            let outcome = try await strike(fault)
            marks.append(
                ChaosMark(
                    fault: fault.kind.rawValue, fromSeconds: Double(begin) / 1e9, toSeconds: Double(now()) / 1e9,
                    outcome: outcome))
        }
        return marks
    }

    /// Returns what came of it, where that is not plain.
    private func strike(_ fault: Fault) async throws -> String? {
        let server = redis.primary
        switch fault.kind {
        case .flush: try server.flush()
        case .pause:
            server.halt()
            await sleep(until: fault.end)
            server.goOn()
        case .stop:
            server.kill()
            await sleep(until: fault.end)
            try await server.start()
        case .slow:
            while now() < fault.end, !Task.isCancelled {
                server.halt()
                try? await Task.sleep(for: Self.halted)
                server.goOn()
                try? await Task.sleep(for: Self.running)
            }
        case .failover:
            return await redis.failOver() ? "the replica was promoted" : "nobody was promoted by the end of the run"
        }
        return nil
    }

    private func sleep(until time: Int64) async {
        let left = time - now()
        if left > 0 { try? await Task.sleep(for: .nanoseconds(left)) }
    }
}
