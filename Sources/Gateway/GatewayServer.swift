import HTTPWire
package import LimiterCore
package import Logging
package import NIOCore
package import NIOPosix
import NIOSSL
import Synchronization
package import Telemetry
package import WeirConfiguration

/// The data plane: listens, asks the limiter, forwards.
package final class GatewayServer: Sendable {
    /// Whom to believe that an `https` upstream is who it says.
    package enum UpstreamTrust: Sendable {
        /// The system's authorities.
        case system
        /// The authorities in a PEM file.
        case file(String)
    }

    private let configuration: Configuration
    private let group: MultiThreadedEventLoopGroup
    private let guards: any LimitStore & Sendable
    private let metrics: Metrics
    private let logger: Logger
    private let trust: UpstreamTrust
    private let accessLog: AccessLog?
    private let makeStore: @Sendable (any EventLoop) -> any LimitStore
    private let running = Mutex<Running?>(nil)
    private let overrides = Mutex<OverridePlan?>(nil)

    private struct Running: Sendable {
        let channel: any Channel
        let workers: [NIOLoopBound<Worker>]
    }

    /// `guards` answers at once, on any thread. `makeStore` is called once a worker, on its loop.
    package init(
        configuration: Configuration, group: MultiThreadedEventLoopGroup, guards: any LimitStore & Sendable,
        metrics: Metrics, logger: Logger, accessLog: AccessLog? = nil, trust: UpstreamTrust = .system,
        makeStore: @escaping @Sendable (any EventLoop) -> any LimitStore
    ) {
        self.configuration = configuration
        self.group = group
        self.guards = guards
        self.metrics = metrics
        self.logger = logger
        self.accessLog = accessLog
        self.trust = trust
        self.makeStore = makeStore
    }

    /// Listens; returns the bound address. Throws `GatewayError`.
    package func start() async throws -> ListenAddress {
        let plan = Plan(configuration)
        metrics.show(plan.resilience.gauges)
        let tls = plan.upstreams.contains(where: \.usesTLS) ? try makeTLS() : nil
        var workers: [NIOLoopBound<Worker>] = []
        for (index, loop) in group.makeIterator().enumerated() {
            workers.append(try await makeWorker(index, on: loop, plan, tls))
        }
        let listener = Listener(
            group: group,
            workers: Dictionary(uniqueKeysWithValues: workers.map { (ObjectIdentifier($0.eventLoop), $0) }),
            maximumConnections: plan.settings.maximumConnections)
        let channel: any Channel
        do {
            channel = try await listener.listen(on: plan.settings.listen)
        } catch {
            await Self.stop(workers)
            throw error
        }
        running.withLock { $0 = Running(channel: channel, workers: workers) }
        // Any that came while the workers were made.
        let latest = overrides.withLock { $0 }
        if let latest { for worker in workers { worker.eventLoop.execute { worker.value.use(latest) } } }
        return ListenAddress(
            host: plan.settings.listen.host, port: channel.localAddress?.port ?? plan.settings.listen.port)
    }

    /// These are in force from now on, for each worker from its next event on. They are of the limits of this configuration.
    package func use(_ overrides: LimitOverrides) {
        let plan = OverridePlan(overrides)
        self.overrides.withLock { $0 = plan }
        for worker in running.withLock({ $0?.workers ?? [] }) {
            worker.eventLoop.execute {
                // Of two that were handed over at nearly the same time, the later one.
                if let latest = self.overrides.withLock({ $0 }) { worker.value.use(latest) }
            }
        }
    }

    private func makeTLS() throws -> NIOSSLContext {
        var settings = TLSConfiguration.makeClientConfiguration()
        settings.minimumTLSVersion = .tlsv12
        if case .file(let path) = trust { settings.trustRoots = .file(path) }
        settings.applicationProtocols = ["http/1.1"]
        do {
            return try NIOSSLContext(configuration: settings)
        } catch {
            throw GatewayError(.invalidTrustRoots, "the authorities for https upstreams cannot be read: \(error)")
        }
    }

    private func makeWorker(
        _ index: Int, on loop: any EventLoop, _ plan: Plan, _ tls: NIOSSLContext?
    ) async throws -> NIOLoopBound<Worker> {
        try await loop.submit { [self] in
            let metrics = metrics.worker(index)
            let worker = Worker(
                on: loop,
                Worker.Parts(
                    plan: plan, store: makeStore(loop), guards: guards, metrics: metrics,
                    log: accessLog?.makeWriter(), logger: logger, tls: tls))
            worker.start()
            if let overrides = overrides.withLock({ $0 }) { worker.use(overrides) }
            return NIOLoopBound(worker, eventLoop: loop)
        }.get()
    }

    /// Stops accepting, finishes what is in flight, for `timeouts.drain` at most, and closes the rest.
    package func shutdown() async {
        guard
            let running = running.withLock({ running in
                defer { running = nil }
                return running
            })
        else { return }
        try? await running.channel.close()
        let drained = running.workers.map { worker in worker.eventLoop.flatSubmit { worker.value.drain() } }
        let all = EventLoopFuture.andAllComplete(drained, on: running.channel.eventLoop)
        let patience = configuration.gateway.timeouts.drain
        await Self.wait(for: all, atMost: TimeAmount(patience))
        let cutOff = await Self.stop(running.workers)
        if cutOff > 0 {
            logger.warning(
                "requests were cut off; `timeouts.drain` says how long they may take",
                metadata: ["requests": "\(cutOff)", "drain": "\(patience)"])
        }
    }

    /// Returns how many requests that cut off.
    @discardableResult private static func stop(_ workers: [NIOLoopBound<Worker>]) async -> Int {
        var cutOff = 0
        for worker in workers {
            cutOff += (try? await worker.eventLoop.submit { worker.value.stop() }.get()) ?? 0
        }
        return cutOff
    }

    private static func wait(for future: EventLoopFuture<Void>, atMost time: TimeAmount) async {
        let promise = future.eventLoop.makePromise(of: Void.self)
        let timeout = future.eventLoop.scheduleTask(in: time) { promise.succeed() }
        future.whenComplete { _ in
            timeout.cancel()
            promise.succeed()
        }
        try? await promise.futureResult.get()
    }
}
