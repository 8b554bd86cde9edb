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

    private let group: MultiThreadedEventLoopGroup
    private let guards: any LimitStore & Sendable
    private let metrics: Metrics
    private let logger: Logger
    private let trust: UpstreamTrust
    private let accessLog: AccessLog?
    private let mostConnections: Int
    private let spans: SpanQueue?
    private let requestKeys: @Sendable (String) -> Void
    private let epoch: @Sendable () -> Int64
    private let makeStore: @Sendable (any EventLoop) -> any LimitStore
    private let running = Mutex<Running?>(nil)
    private let latest: Mutex<Latest>
    private let directory = EndpointDirectory()
    private let checker = Mutex<NIOLoopBound<HealthChecker>?>(nil)
    /// The last of each address that the configuration in force names.
    private let keys = Mutex<[String: KeyUpdate]>([:])

    private struct Running: Sendable {
        let channel: any Channel
        let workers: [NIOLoopBound<Worker>]
    }

    /// What is to be in force.
    private struct Latest: Sendable {
        var plan: Plan
        /// For `https` upstreams, once there is one.
        var tls: NIOSSLContext?
        var overrides: OverridePlan?
    }

    /// `guards` answers at once, on any thread. `makeStore` is called once a worker, on its loop. `requestKeys` is called on any
    /// worker's loop, with an address of keys that are missed; what comes of it is to be told by `use`. `epoch` is the wall
    /// clock, in microseconds since 1970, by which tokens and keys expire. `mostConnections` is what the process has room for,
    /// whatever the configuration says.
    package init(
        configuration: Configuration, group: MultiThreadedEventLoopGroup, guards: any LimitStore & Sendable,
        metrics: Metrics, logger: Logger, accessLog: AccessLog? = nil, spans: SpanQueue? = nil,
        trust: UpstreamTrust = .system, mostConnections: Int = .max,
        requestKeys: @escaping @Sendable (String) -> Void = { _ in },
        epoch: @escaping @Sendable () -> Int64 = { SystemTime.epochMicroseconds },
        makeStore: @escaping @Sendable (any EventLoop) -> any LimitStore
    ) {
        latest = Mutex(Latest(plan: Plan(configuration, metrics)))
        self.group = group
        self.guards = guards
        self.metrics = metrics
        self.logger = logger
        self.accessLog = accessLog
        self.mostConnections = mostConnections
        self.spans = spans
        self.trust = trust
        self.requestKeys = requestKeys
        self.epoch = epoch
        self.makeStore = makeStore
        metrics.migrations.observe { [weak self] in
            let plan = self?.latest.withLock { $0.plan }
            let (seconds, now) = (SystemTime.epochMicroseconds / 1_000_000, SystemTime.monotonicNanoseconds)
            return (plan?.services ?? []).compactMap { $0.migration?.status(atSeconds: seconds, now) }
        }
        metrics.upstreams.observe { [directory] in
            directory.statuses.map { ($0.service, "\($0.upstream)", $0.isHealthy && $0.ejections == 0) }
        }
    }

    /// Listens; returns the bound address. Throws `GatewayError`.
    package func start() async throws -> ListenAddress {
        let plan = latest.withLock { $0.plan }
        metrics.show(plan.resilience.gauges)
        let tls = try makeTLS(for: plan)
        latest.withLock { $0.tls = tls }
        var workers: [NIOLoopBound<Worker>] = []
        for (index, loop) in group.makeIterator().enumerated() {
            workers.append(try await makeWorker(index, on: loop, plan, tls))
        }
        let listener = Listener(
            group: group, mostConnections: mostConnections,
            workers: Dictionary(uniqueKeysWithValues: workers.map { (ObjectIdentifier($0.eventLoop), $0) }))
        let channel: any Channel
        do {
            channel = try await listener.listen(on: plan.settings.listen)
        } catch {
            await Self.stop(workers)
            throw error
        }
        running.withLock { $0 = Running(channel: channel, workers: workers) }
        try await check()
        // Any that came while the workers were made.
        let (services, overrides) = latest.withLock { ($0.plan.configured, $0.overrides) }
        for source in Set(services.flatMap(\.sources)) where !source.isFixed { apply(source) }
        if let overrides { for worker in workers { worker.eventLoop.execute { worker.value.use(overrides) } } }
        for update in keys.withLock({ $0.values }) { tell(update, workers) }
        return ListenAddress(
            host: plan.settings.listen.host, port: channel.localAddress?.port ?? plan.settings.listen.port)
    }

    /// These are in force from now on, for each worker from its next event on, or from when their limits are.
    package func use(_ overrides: LimitOverrides) {
        let plan = OverridePlan(overrides)
        latest.withLock { $0.overrides = plan }
        for worker in running.withLock({ $0?.workers ?? [] }) {
            worker.eventLoop.execute {
                // Of two that were handed over at nearly the same time, the later one.
                if let overrides = self.latest.withLock({ $0.overrides }) { worker.value.use(overrides) }
            }
        }
    }

    /// What came of fetching an issuer's keys. Each worker knows it from its next event on.
    package func use(_ update: KeyUpdate) {
        keys.withLock { $0[update.address] = update }
        tell(update, running.withLock { $0?.workers ?? [] })
    }

    private func tell(_ update: KeyUpdate, _ workers: [NIOLoopBound<Worker>]) {
        for worker in workers { worker.eventLoop.execute { worker.value.use(update) } }
    }

    /// A configuration that can be put in force.
    package struct Prepared: Sendable {
        fileprivate let plan: Plan
        fileprivate let tls: NIOSSLContext?
    }

    /// `configuration` was made after the one that is in force, and has the same listener and the same number of workers. Throws
    /// `GatewayError`.
    package func prepare(_ configuration: Configuration) throws -> Prepared {
        let before = latest.withLock { $0 }
        let plan = Plan(configuration, metrics, following: before.plan)
        return Prepared(plan: plan, tls: try before.tls ?? makeTLS(for: plan))
    }

    /// Returns once each worker begins exchanges with this configuration. Requests in flight end as they began. Overrides of its limits
    /// are to be handed over before.
    package func use(_ prepared: Prepared) async {
        let addresses = prepared.plan.identity.keyAddresses
        let known = latest.withLock { latest in
            defer { (latest.plan, latest.tls) = (prepared.plan, prepared.tls) }
            return latest.plan.identity.keyAddresses
        }
        metrics.show(prepared.plan.resilience.gauges)
        for worker in running.withLock({ $0?.workers ?? [] }) {
            try? await worker.eventLoop.submit { [directory] in
                let worker = worker.value
                worker.use(
                    prepared.plan, directory, self.latest.withLock { $0.overrides }, tls: prepared.tls,
                    self.metrics.worker(worker.index), self.metrics.traffic.worker(worker.index))
            }.get()
        }
        // Of addresses that are new to the workers, what is known may be here already. The others wait for what they asked for.
        let updates = keys.withLock { keys in
            keys = keys.filter { addresses.contains($0.key) }
            return keys.values.filter { !known.contains($0.address) }
        }
        for update in updates { tell(update, running.withLock { $0?.workers ?? [] }) }
        directory.keep(prepared.plan.configured)
        try? await check()
    }

    /// From now on these are the endpoints that a source of upstreams names, for each worker from its next event on. What is in
    /// flight to others ends as if nothing had happened.
    package func use(_ endpoints: [Endpoint], of source: UpstreamSource) {
        directory.use(endpoints, of: source)
        apply(source)
    }

    private func apply(_ source: UpstreamSource) {
        for worker in running.withLock({ $0?.workers ?? [] }) {
            worker.eventLoop.execute { [directory] in worker.value.use(directory, of: source) }
        }
        if let checker = checker.withLock({ $0 }) { check(with: checker) }
    }

    /// Asks those who are upstreams now whether they are well, where services want that.
    private func check() async throws {
        let (services, tls) = latest.withLock { ($0.plan.configured, $0.tls) }
        if let checker = checker.withLock({ $0 }) { return check(with: checker) }
        guard services.contains(where: { $0.balancing.health != nil }) else { return }
        let loop = group.next()
        let checker = try await loop.submit { [logger] in
            NIOLoopBound(HealthChecker(on: loop, tls: tls, logger: logger), eventLoop: loop)
        }.get()
        self.checker.withLock { $0 = checker }
        check(with: checker)
    }

    private func check(with checker: NIOLoopBound<HealthChecker>) {
        let (services, tls) = latest.withLock { ($0.plan.configured, $0.tls) }
        checker.eventLoop.execute { [directory] in checker.value.use(services, directory, tls: tls) }
    }

    private func makeTLS(for plan: Plan) throws -> NIOSSLContext? {
        guard plan.configured.contains(where: { $0.sources.contains(where: \.mayUseTLS) }) else { return nil }
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
            let worker = Worker(
                on: loop, index,
                Worker.Parts(
                    plan: plan, endpoints: plan.configured.map { directory.set(of: $0) }, store: makeStore(loop),
                    guards: guards, metrics: metrics.worker(index), traffic: metrics.traffic.worker(index),
                    log: accessLog?.makeWriter(), spans: spans?.makeWriter(), logger: logger, tls: tls,
                    requestKeys: requestKeys, epoch: epoch))
            worker.start()
            if let overrides = latest.withLock({ $0.overrides }) { worker.use(overrides) }
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
        if let checker = checker.withLock({ $0.take() }) {
            try? await checker.eventLoop.submit { checker.value.stop() }.get()
        }
        let drained = running.workers.map { worker in worker.eventLoop.flatSubmit { worker.value.drain() } }
        let all = EventLoopFuture.andAllComplete(drained, on: running.channel.eventLoop)
        let patience = latest.withLock { $0.plan.settings.timeouts.drain }
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
