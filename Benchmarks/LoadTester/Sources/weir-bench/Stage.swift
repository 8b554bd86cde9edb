import LoadTester

/// What a run has around it: a Redis and gateways of its own, where it was asked for them. All ends with it.
final class Stage {
    let redis: RedisProcess?
    private var launched: [LaunchedProcess] = []

    private static let patience = "20s"

    init(_ options: ChaosOptions, targets: [Target]) async throws(LoadError) {
        if let port = options.redisPort {
            let redis = try await RedisProcess(port: port)
            Terminal.note("weir-bench: Redis is at \(redis.url)\n")
            self.redis = redis
        } else {
            redis = nil
        }
        for command in options.commands { launched.append(try LaunchedProcess(command, redis: redis?.url ?? "")) }
        guard redis != nil || !launched.isEmpty || options.waitFor != nil else { return }
        let patience = try TimeText.parse(options.waitFor ?? Self.patience, "--wait-for")
        try await LaunchedProcess.waitForTargets(targets, within: patience, of: launched)
    }

    func end() {
        for process in launched { process.end() }
        redis?.end()
    }
}
