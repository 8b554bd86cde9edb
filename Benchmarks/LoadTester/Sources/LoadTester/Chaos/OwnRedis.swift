/// The Redis that a run starts, to do harm to: a server alone, or a primary with a replica and three sentinels that make it the
/// primary when that fails.
package final class OwnRedis: Sendable {
    let primary: RedisProcess
    private let watch: Watch?

    private struct Watch: Sendable {
        let replica: RedisProcess
        let sentinels: [RedisProcess]
    }

    private static let patience = Duration.seconds(20)
    private static let lookInterval = Duration.milliseconds(5)

    /// Starts the server, or the primary, on this port of this machine, and whatever belongs to it on free ones; returns when all is ready.
    package init(port: Int, isWatched: Bool = false) async throws(LoadError) {
        primary = try await RedisProcess(port: port)
        guard isWatched else {
            watch = nil
            return
        }
        let replica = try await RedisProcess.onFreePort(.replica(of: port))
        try await Self.wait(for: "the replica follows the primary") {
            try RedisConnection(port: replica.port).text("INFO replication").contains("master_link_status:up")
        }
        var sentinels: [RedisProcess] = []
        for _ in 0..<3 { sentinels.append(try await RedisProcess.onFreePort(.sentinel(of: port))) }
        for sentinel in sentinels {
            try await Self.wait(for: "the sentinel on port \(sentinel.port) knows all others") {
                try RedisConnection(port: sentinel.port).text("INFO sentinel").contains(
                    "status=ok,address=127.0.0.1:\(port),slaves=1,sentinels=3")
            }
        }
        watch = Watch(replica: replica, sentinels: sentinels)
    }

    deinit { end() }

    package var url: String {
        guard let watch else { return "redis://127.0.0.1:\(primary.port)" }
        let sentinels = watch.sentinels.map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
        return "redis+sentinel://\(sentinels)/\(RedisProcess.primaryName)"
    }

    package func end() {
        watch?.sentinels.forEach { $0.end() }
        watch?.replica.end()
        primary.end()
    }

    /// Kills the primary for good, and returns once the sentinels agree on the replica, and that knows it; false where the task was
    /// cancelled before.
    func failOver() async -> Bool {
        primary.kill()
        while !Task.isCancelled {
            if isPromoted { return true }
            try? await Task.sleep(for: Self.lookInterval)
        }
        return false
    }

    private var isPromoted: Bool {
        guard let watch else { return false }
        let naming = watch.sentinels.count { sentinel in
            let state = try? RedisConnection(port: sentinel.port).text("INFO sentinel")
            return state?.contains("address=127.0.0.1:\(watch.replica.port),") == true
        }
        let state = try? RedisConnection(port: watch.replica.port).text("INFO replication")
        return naming >= 2 && state?.contains("role:master") == true
    }

    private static func wait(
        for condition: String, isMet: () throws -> Bool
    ) async throws(LoadError) {
        let clock = ContinuousClock()
        let deadline = clock.now + patience
        while (try? isMet()) != true {
            guard clock.now < deadline else { throw .failed("it did not come about that \(condition)") }
            try? await Task.sleep(for: lookInterval)
        }
    }
}
