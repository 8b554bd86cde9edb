import LoadTester

/// What a run has around it: a Redis and gateways of its own, where it was asked for them. All ends with it.
final class Stage {
    let redis: OwnRedis?
    private var launched: [LaunchedProcess] = []

    private static let patience = "20s"

    init(_ options: ChaosOptions, faults: [Fault], targets: [Target]) async throws(LoadError) {
        if let port = options.redisPort {
            let redis = try await OwnRedis(port: port, isWatched: faults.contains { $0.kind == .failover })
            Terminal.note("weir-bench: Redis is at \(redis.url)\n")
            self.redis = redis
        } else {
            redis = nil
        }
        if !options.commands.isEmpty { try await LaunchedProcess.checkFree(targets) }
        for command in options.commands { launched.append(try LaunchedProcess(command, redis: redis?.url ?? "")) }
        guard redis != nil || !launched.isEmpty || options.waitFor != nil else { return }
        let patience = try TimeText.parse(options.waitFor ?? Self.patience, "--wait-for")
        try await LaunchedProcess.waitForTargets(targets, within: patience, of: launched)
    }

    /// Throws where a gateway that was launched has ended meanwhile.
    func check() throws(LoadError) { for process in launched { try process.check() } }

    func end() {
        for process in launched { process.end() }
        redis?.end()
    }
}
