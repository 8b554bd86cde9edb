import ControlAPI
import Gateway
import LimiterCore
import Logging
import NIOCore
import NIOPosix
import RedisStore
import Telemetry
import WeirConfiguration

/// One Weir: gateway, control plane and the stores of their counters, put together.
struct WeirProcess {
    struct Addresses {
        let gateway: ListenAddress
        let control: ListenAddress
        /// Where the counters are, for people.
        let store: String
    }

    private let configuration: Configuration
    private let logger: Logger

    init(_ configuration: Configuration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Starts, says where it listens, and returns once SIGTERM or SIGINT was answered by an orderly end.
    func runUntilStopped(_ started: (Addresses) async throws -> Void) async throws {
        let signal = await StopSignal()
        let workers = MultiThreadedEventLoopGroup(numberOfThreads: configuration.gateway.workers)
        let controlGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let failure: (any Error)?
        do {
            try await run(workers, controlGroup, until: signal, started)
            failure = nil
        } catch {
            failure = error
        }
        try? await workers.shutdownGracefully()
        try? await controlGroup.shutdownGracefully()
        if let failure { throw failure }
    }

    private func run(
        _ workers: MultiThreadedEventLoopGroup, _ controlGroup: MultiThreadedEventLoopGroup, until signal: StopSignal,
        _ started: (Addresses) async throws -> Void
    ) async throws {
        let metrics = Metrics(
            services: configuration.services.map(\.name),
            limits: configuration.limits.labels.map { ($0.limit, $0.owner.service) },
            workers: configuration.gateway.workers)
        let stores = CounterStores(configuration, metrics: metrics, logger: logger)
        let readiness = Readiness()
        let controlLoop = controlGroup.any()
        let controlStore = try await stores.makeControlStore(on: controlLoop)
        let control = ControlServer(
            configuration: configuration,
            limiter: AsyncLimiter(store: controlStore) { work in controlLoop.execute(work) },
            metrics: metrics, status: { stores.status }, readiness: readiness, group: controlGroup, logger: logger)
        let gateway = GatewayServer(
            configuration: configuration, group: workers, guards: stores.local, metrics: metrics, logger: logger,
            makeStore: { stores.makeStore(on: $0) })

        do {
            let controlAddress = try await control.start()
            let gatewayAddress = try await gateway.start()
            readiness.phase = .ready
            try await started(
                Addresses(gateway: gatewayAddress, control: controlAddress, store: await describe(stores)))
            await signal.wait()
        } catch {
            readiness.phase = .draining
            await gateway.shutdown()
            await stores.shutdown()
            await control.shutdown()
            throw (error as? CommandError) ?? CommandError(.failed, "\(error)")
        }
        Terminal.note("weir: stopping; requests in flight are finished first")
        readiness.phase = .draining
        await gateway.shutdown()
        await control.shutdown()
        await stores.shutdown()
    }

    private func describe(_ stores: CounterStores) async -> String {
        guard let settings = configuration.store else { return "this process's memory" }
        if await stores.waitForRedis(seconds: 1) { return "\(settings.redis)" }
        return "\(settings.redis), which does not answer: each replica enforces its share until it does"
    }
}
