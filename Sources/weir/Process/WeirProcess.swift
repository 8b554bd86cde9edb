import ControlAPI
import Discovery
import Gateway
import LimiterCore
import Logging
import NIOCore
import NIOPosix
import Telemetry
import UnixSignals
import WeirConfiguration

/// One Weir: gateway, control plane and the stores of their counters, put together.
struct WeirProcess {
    struct Addresses {
        let gateway: ListenAddress
        let control: ListenAddress
        /// Where the counters are, for people.
        let store: String
    }

    /// For the last spans to reach the collector.
    private static let exportPatience = Duration.seconds(5)
    /// How long a start, or another configuration, waits for upstreams to be looked up before it serves without those that are not known.
    private static let discoveryPatience = Duration.seconds(2)

    private let configuration: Configuration
    /// Reads the configuration that takes the place of another; nil: there is nothing to read.
    private let load: ConfigurationKeeper.Load?
    private let log: ProcessLog
    private var logger: Logger { log.logger }

    init(_ configuration: Configuration, log: ProcessLog, load: ConfigurationKeeper.Load? = nil) {
        self.configuration = configuration
        self.load = load
        self.log = log
    }

    /// Starts, says where it listens, and returns once SIGTERM or SIGINT was answered by an orderly end.
    func runUntilStopped(_ started: (Addresses) -> Void) async throws {
        let signal = await StopSignal()
        // From now on: one that comes while Weir starts must not end it.
        let hangUps = await UnixSignalsSequence(trapping: .sighup)
        let files = OpenFiles.raised()
        files.warn(of: configuration, logger)
        let metrics = Metrics(
            services: configuration.services.map(\.name), limits: configuration.limits.labels.map(\.metricsName),
            workers: configuration.gateway.workers, traffic: TrafficNames(configuration.services))
        let accessLog = try AccessLog.open(
            configuration.gateway.accessLog, metrics: metrics.worker(configuration.gateway.workers), logger: logger)
        let exporter = configuration.tracing.map { SpanExporter($0, metrics: metrics.spans, logger: logger) }
        let workers = MultiThreadedEventLoopGroup(numberOfThreads: configuration.gateway.workers)
        let controlGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let failure: (any Error)?
        do {
            try await run(workers, controlGroup, metrics, accessLog, exporter, files, hangUps, until: signal, started)
            failure = nil
        } catch {
            failure = error
        }
        try? await workers.shutdownGracefully()
        try? await controlGroup.shutdownGracefully()
        accessLog?.close()
        await exporter?.finish(within: Self.exportPatience)
        if let failure { throw failure }
    }

    private func run(
        _ workers: MultiThreadedEventLoopGroup, _ controlGroup: MultiThreadedEventLoopGroup, _ metrics: Metrics,
        _ accessLog: AccessLog?, _ exporter: SpanExporter?, _ files: OpenFiles,
        _ hangUps: UnixSignalsSequence, until signal: StopSignal, _ started: (Addresses) -> Void
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
            logLevel: log.level, group: controlGroup, logger: logger)
        let keys = KeyKeeper(logger: logger)
        let gateway = GatewayServer(
            configuration: configuration, group: workers, guards: stores.local, metrics: metrics, logger: logger,
            accessLog: accessLog, spans: exporter?.queue, mostConnections: files.clients(of: configuration),
            requestKeys: { keys.request($0) },
            makeStore: { stores.store(of: $0) })
        overrides.board.listen { gateway.use($0) }
        keys.keep(configuration.identity) { gateway.use($0) }
        let discovery = Discovery(logger: logger) { gateway.use($0, of: $1) }
        discovery.use(configuration.services, configuration.dns)
        await discovery.settle(within: Self.discoveryPatience)

        let recording = Task { await recorder.run() }
        let keeper = ConfigurationKeeper(
            configuration, load: load, accessLog: accessLog, metrics: metrics, logger: logger
        ) { next in
            metrics.use(services: next.services.map(\.name), limits: next.limits.labels.map(\.metricsName))
            metrics.traffic.use(TrafficNames(next.services))
            let prepared = try gateway.prepare(next)
            discovery.use(next.services, next.dns)
            await discovery.settle(within: Self.discoveryPatience)
            stores.use(next.limits)
            overrides.board.use(next.limits)
            keys.keep(next.identity) { gateway.use($0) }
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
            let keeping = Task { await keeper.run(hangUps) }
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
        discovery.stop()
        await gateway.shutdown()
        await control.shutdown()
        await keys.stop()
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

extension TrafficNames {
    fileprivate init(_ services: [WeirConfiguration.Service]) {
        self.init(services.map { Service($0.name, routes: $0.routes.map(\.name)) })
    }
}

extension LimitTable.Label {
    /// As metrics tell limits apart.
    fileprivate var metricsName: (limit: String, service: String?) { (limit, owner.service) }
}
