import ControlAPI
import Gateway
import LimiterCore
import Logging
import NIOCore
import NIOPosix
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
    /// Reads the configuration that takes the place of another; nil: there is nothing to read.
    private let load: ConfigurationKeeper.Load?
    private let logger: Logger

    init(_ configuration: Configuration, logger: Logger, load: ConfigurationKeeper.Load? = nil) {
        self.configuration = configuration
        self.load = load
        self.logger = logger
    }

    /// Starts, says where it listens, and returns once SIGTERM or SIGINT was answered by an orderly end.
    func runUntilStopped(_ started: (Addresses) -> Void) async throws {
        let signal = await StopSignal()
        let metrics = Metrics(
            services: configuration.services.map(\.name), limits: configuration.limits.labels.map(\.metricsName),
            workers: configuration.gateway.workers)
        let accessLog = try AccessLog.open(
            configuration.gateway.accessLog, metrics: metrics.worker(configuration.gateway.workers), logger: logger)
        let workers = MultiThreadedEventLoopGroup(numberOfThreads: configuration.gateway.workers)
        let controlGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let failure: (any Error)?
        do {
            try await run(workers, controlGroup, metrics, accessLog, until: signal, started)
            failure = nil
        } catch {
            failure = error
        }
        try? await workers.shutdownGracefully()
        try? await controlGroup.shutdownGracefully()
        accessLog?.close()
        if let failure { throw failure }
    }

    private func run(
        _ workers: MultiThreadedEventLoopGroup, _ controlGroup: MultiThreadedEventLoopGroup, _ metrics: Metrics,
        _ accessLog: AccessLog?, until signal: StopSignal, _ started: (Addresses) -> Void
    ) async throws {
        let stores = try CounterStores(configuration, metrics: metrics, logger: logger)
        let recorder = try UsageRecorder(configuration, stores.counters, logger)
        let controlLoop = controlGroup.next()
        let isReached = try await stores.connect([controlLoop] + Array(workers.makeIterator()))

        let overrides = try await stores.keepOverrides(of: configuration.limits, on: controlLoop)
        overrides.warnOfUselessOnes(logger)
        let areKnown = isReached ? await overrides.areKnown() : false
        if !areKnown {
            logger.warning(
                "overrides in Redis are not known yet; until they are, the configuration's limits are in force")
        }

        let readiness = Readiness()
        let controlLimiter = try await controlLoop.submit {
            AsyncLimiter(store: stores.store(of: controlLoop)) { work in controlLoop.execute(work) }
        }.get()
        let controlUsage = try await controlLoop.submit {
            AsyncUsage(store: stores.store(of: controlLoop)) { work in controlLoop.execute(work) }
        }.get()
        let control = ControlServer(
            configuration: configuration, limiter: controlLimiter, usage: controlUsage, board: overrides.board,
            overrides: overrides.store, metrics: metrics, status: { stores.status }, readiness: readiness,
            group: controlGroup, logger: logger)
        let gateway = GatewayServer(
            configuration: configuration, group: workers, guards: stores.local, metrics: metrics, logger: logger,
            accessLog: accessLog, makeStore: { stores.store(of: $0) })
        overrides.board.listen { gateway.use($0) }

        let recording = Task { await recorder.run() }
        let keeper = ConfigurationKeeper(
            configuration, load: load, accessLog: accessLog, metrics: metrics, logger: logger
        ) { next in
            metrics.use(services: next.services.map(\.name), limits: next.limits.labels.map(\.metricsName))
            let prepared = try gateway.prepare(next)
            stores.use(next.limits)
            overrides.board.use(next.limits)
            await gateway.use(prepared)
        }
        let failure: (any Error)?
        do {
            let controlAddress = try await control.start()
            let gatewayAddress = try await gateway.start()
            readiness.phase = .ready
            #if os(Linux)
            StartMemory.giveBack()
            #endif
            let keeping = Task { await keeper.run() }
            started(Addresses(gateway: gatewayAddress, control: controlAddress, store: describe(isReached)))
            await signal.wait()
            keeping.cancel()
            await keeping.value
            Terminal.note("weir: stopping; requests in flight are finished first")
            failure = nil
        } catch {
            failure = CommandError(.failed, "\(error)")
        }
        readiness.phase = .draining
        await gateway.shutdown()
        await control.shutdown()
        recording.cancel()
        await recording.value
        recorder.record()
        await overrides.stop()
        await stores.shutdown()
        if let failure { throw failure }
    }

    private func describe(_ isReached: Bool) -> String {
        guard let settings = configuration.store else { return "this process's memory" }
        if isReached { return "\(settings.redis)" }
        return "\(settings.redis), which does not answer: this replica enforces its share until it does"
    }
}

extension LimitTable.Label {
    /// As metrics tell limits apart.
    fileprivate var metricsName: (limit: String, service: String?) { (limit, owner.service) }
}
