/// Does the faults of a plan to a Redis, each at its time.
package struct Chaos: Sendable {
    private let redis: RedisProcess
    private let faults: [Fault]
    private let now: @Sendable () -> Int64

    private static let halted = Duration.milliseconds(30)
    private static let running = Duration.milliseconds(10)

    /// `now`: nanoseconds of the run.
    package init(_ redis: RedisProcess, faults: [Fault], now: @escaping @Sendable () -> Int64) {
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
            try await strike(fault)
            marks.append(
                ChaosMark(
                    fault: fault.kind.rawValue, fromSeconds: Double(begin) / 1e9, toSeconds: Double(now()) / 1e9))
        }
        return marks
    }

    private func strike(_ fault: Fault) async throws {
        switch fault.kind {
        case .flush: try redis.flush()
        case .pause:
            redis.halt()
            await sleep(until: fault.end)
            redis.goOn()
        case .stop:
            redis.kill()
            await sleep(until: fault.end)
            try await redis.start()
        case .slow:
            while now() < fault.end, !Task.isCancelled {
                redis.halt()
                try? await Task.sleep(for: Self.halted)
                redis.goOn()
                try? await Task.sleep(for: Self.running)
            }
        }
    }

    private func sleep(until time: Int64) async {
        let left = time - now()
        if left > 0 { try? await Task.sleep(for: .nanoseconds(left)) }
    }
}
