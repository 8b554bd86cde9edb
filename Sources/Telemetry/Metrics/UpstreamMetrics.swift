import Synchronization

/// Which upstreams are in use, as whoever balances among them says when it is asked.
package final class UpstreamMetrics: Sendable {
    package typealias Sample = (service: String, upstream: String, isHealthy: Bool)

    private let source = Mutex<(@Sendable () -> [Sample])?>(nil)

    /// `samples` are of the upstreams that there are now, those of one service side by side.
    package func observe(_ samples: @escaping @Sendable () -> [Sample]) { source.withLock { $0 = samples } }

    func write(to exposition: inout Exposition) {
        guard let samples = source.withLock({ $0 }) else { return }
        let name = "weir_upstream_healthy"
        exposition.family(
            name, .gauge,
            "1: the upstream gets requests; 0: its health checks fail, or a worker passes it over because its requests fail."
        )
        for sample in samples() {
            exposition.sample(
                name, sample.isHealthy ? 1 : 0, [("service", sample.service), ("upstream", sample.upstream)])
        }
    }
}
