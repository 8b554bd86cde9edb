import Glibc
import Logging
import WeirConfiguration

/// How many files the process may have open: each connection is one.
struct OpenFiles: Equatable {
    /// Files that are neither connections of clients nor of upstreams: listeners, loops, logs, Redis, the control API.
    private static let others = 128

    let limit: Int

    /// Raises the limit as far as this user may.
    static func raised() -> OpenFiles {
        var limits = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0 else {
            return OpenFiles(limit: .max)
        }
        let before = limits.rlim_cur
        limits.rlim_cur = limits.rlim_max
        if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) != 0 { limits.rlim_cur = before }
        return OpenFiles(limit: Int(clamping: limits.rlim_cur))
    }

    /// Connections of clients for which there is room: what upstreams may need is kept free, but never more than a quarter.
    func clients(of configuration: Configuration) -> Int {
        let gateway = configuration.gateway
        // A source that is looked up may be several, which nobody knows yet.
        let discovered = configuration.services.reduce(0) { $0 + $1.sources.count - $1.upstreams.count }
        let upstreams = Set(configuration.services.flatMap(\.upstreams)).count + discovered
        let toUpstreams = upstreams * gateway.workers * gateway.maximumUpstreamConnections
        return max(1, limit - Self.others - min(toUpstreams, limit / 4))
    }

    /// Says so where the configuration wants more than there is room for.
    func warn(of configuration: Configuration, _ logger: Logger) {
        let (fit, wanted) = (clients(of: configuration), configuration.gateway.maximumConnections)
        guard fit < wanted else { return }
        logger.warning(
            """
            this process may have too few files open for `gateway.max_connections`: fewer connections are taken; raise the limit \
            (ulimit -n, or LimitNOFILE in a systemd unit) or lower the key
            """,
            metadata: ["open_files": "\(limit)", "max_connections": "\(wanted)", "taken": "\(fit)"])
    }
}
