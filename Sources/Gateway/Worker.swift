import WeirConfiguration
import HTTPWire
import LimiterCore
import Logging
import NIOCore
import NIOSSL
import Telemetry

/// Everything that one event loop has of its own: its connections, its ways to the upstreams, its store.
final class Worker {
    /// Pieces of a body up to this size are copied behind what is written already, which costs less than another element of a vector.
    static let longestCopy = 4096

    let loop: any EventLoop
    /// Of all the gateway's, from 0.
    let index: Int
    /// Of the configuration that is in force.
    private(set) var edition: Edition
    let store: any LimitStore
    /// Decides at once.
    let guards: any LimitStore
    private(set) var metrics: WorkerMetrics
    let log: AccessLogWriter?
    let spans: SpanWriter?
    var ids = IDGenerator()
    let logger: Logger

    let gates = GateRegistry()
    private var tls: NIOSSLContext?
    /// By address: what is known of issuers' keys outlives a configuration.
    private var keySources: [String: KeySource] = [:]
    private let requestKeys: @Sendable (String) -> Void
    private let readEpoch: @Sendable () -> Int64
    var deadlines = DeadlineTable<ClientConnection>()
    private(set) lazy var mirrors = MirrorClient(worker: self)
    /// Bodies of answers are put together here.
    var scratch = ByteBuffer()
    /// What is logged in place of a value is put together here.
    var redacted: [UInt8] = []
    /// Nanoseconds of a monotonic clock, read once an event.
    private(set) var now: Int64
    /// From `now` to nanoseconds since 1970, read with every tick.
    private var wallOffset: Int64
    private(set) var isDraining = false
    private var date = CachedDate()
    private var dateReadAt: Int64 = 0
    private var dateText: [UInt8] = []
    private var spares: [ByteBuffer] = []
    private var ticker: RepeatedTask?
    private var whenEmpty: EventLoopPromise<Void>?

    private static let mostSpares = 64
    private static let spareCapacity = 1024
    private static let largestSpare = 16 * 1024

    struct Parts {
        var plan: Plan
        /// By the index of the service in the plan.
        var endpoints: [EndpointSet]
        var store: any LimitStore
        var guards: any LimitStore
        var metrics: WorkerMetrics
        var traffic: WorkerTraffic
        var log: AccessLogWriter?
        var spans: SpanWriter?
        var logger: Logger
        var tls: NIOSSLContext?
        /// Asks for the keys at an address. Called on any worker's loop.
        var requestKeys: @Sendable (String) -> Void = { _ in }
        /// Microseconds since 1970.
        var epoch: @Sendable () -> Int64 = { SystemTime.epochMicroseconds }
    }

    init(on loop: any EventLoop, _ index: Int, _ parts: Parts) {
        self.loop = loop
        self.index = index
        store = parts.store
        guards = parts.guards
        metrics = parts.metrics
        log = parts.log
        spans = parts.spans
        logger = parts.logger
        now = Int64(NIODeadline.now().uptimeNanoseconds)
        wallOffset = SystemTime.epochMicroseconds * 1000 - now
        readEpoch = parts.epoch
        requestKeys = parts.requestKeys
        var sources: [String: KeySource] = [:]
        edition = Edition(parts.plan, traffic: parts.traffic) {
            KeySource.find($0, in: &sources, ask: parts.requestKeys)
        }
        keySources = sources
        tls = parts.tls
        edition.upstreams = zip(parts.plan.configured, parts.endpoints).map { ServiceUpstreams($0, $1, worker: self) }
    }

    func readClock() { now = Int64(NIODeadline.now().uptimeNanoseconds) }

    /// From a moment of `now`'s clock until now.
    func wallTimes(from start: Int64) -> SpanWriter.Times {
        SpanWriter.Times(start: start + wallOffset, end: now + wallOffset)
    }
    /// The wall clock, in seconds since 1970, as of the latest tick.
    var epochSeconds: Int64 { (now + wallOffset) / 1_000_000_000 }

    /// The wall clock, in milliseconds since 1970.
    var epochMilliseconds: Int64 { readEpoch() / 1000 }

    /// HTTP's date; the wall clock is read ten times a second at most.
    func dateBytes() -> [UInt8] {
        if dateText.isEmpty || now - dateReadAt > 100_000_000 {
            dateReadAt = now
            dateText = date.bytes(epochSeconds: SystemTime.epochMicroseconds / 1_000_000)
        }
        return dateText
    }

    /// From now on this configuration is in force: exchanges that have begun keep the one before.
    func use(
        _ plan: Plan, _ directory: EndpointDirectory, _ overrides: OverridePlan?, tls: NIOSSLContext?,
        _ metrics: WorkerMetrics, _ traffic: WorkerTraffic
    ) {
        readClock()
        self.tls = tls
        self.metrics = metrics
        let before = Dictionary(uniqueKeysWithValues: edition.upstreams.map { ($0.service, $0) })
        var sources = keySources
        edition = Edition(plan, traffic: traffic, following: edition) {
            KeySource.find($0, in: &sources, ask: requestKeys)
        }
        let addresses = plan.identity.keyAddresses
        keySources = sources.filter { addresses.contains($0.key) }
        edition.upstreams = plan.configured.map { service in
            ServiceUpstreams(service, directory.set(of: service), worker: self, after: before[service.name])
        }
        if let overrides { edition.use(overrides) }
        mirrors.keep(plan.services.compactMap { $0.migration?.mirror })
        if ticker != nil { start() }
    }

    /// From now on these are in force.
    func use(_ overrides: OverridePlan) { edition.use(overrides) }

    /// From now on the services that have this source have what the directory says.
    func use(_ directory: EndpointDirectory, of source: UpstreamSource) {
        readClock()
        for (service, upstreams) in zip(edition.plan.configured, edition.upstreams)
        where service.sources.contains(source) {
            upstreams.use(directory.set(of: service))
        }
    }

    /// The way to an upstream, to be given back to `gates`.
    func takeGate(_ upstream: Upstream, _ connections: BalancingSettings.Connections) -> UpstreamGate {
        let maximum = connections.maximum ?? edition.plan.settings.maximumUpstreamConnections
        let key = GateRegistry.Key(
            upstream: upstream, maximumConnections: maximum,
            maximumWaiters: connections.waiting ?? max(64, maximum * 4),
            connectTimeout: edition.plan.settings.timeouts.connect)
        return gates.take(key) { UpstreamGate($0, worker: self, tls: upstream.usesTLS ? tls : nil) }
    }

    /// What came of fetching keys; those who wait for them go on.
    func use(_ update: KeyUpdate) {
        readClock()
        keySources[update.address]?.use(update)
    }

    // MARK: Buffers

    func takeBuffer() -> ByteBuffer {
        guard var buffer = spares.popLast() else { return ByteBufferAllocator().buffer(capacity: Self.spareCapacity) }
        buffer.clear()
        return buffer
    }

    /// Only a buffer that nobody else holds any more is worth keeping: one that is still being written is copied when it is cleared.
    func giveBack(_ buffer: consuming ByteBuffer) {
        if spares.count < Self.mostSpares, buffer.storageCapacity <= Self.largestSpare { spares.append(buffer) }
    }

    // MARK: Time

    /// Looks for passed deadlines from now on. The interval follows the shortest timeout.
    func start() {
        ticker?.cancel()
        let timeouts = edition.plan.settings.timeouts
        let shortest = min(
            timeouts.header, timeouts.idle, timeouts.body, timeouts.upstream, timeouts.connect,
            edition.plan.resilience.shortestTimeout ?? timeouts.connect)
        let interval = min(max(TimeAmount(shortest) / 8, .milliseconds(5)), .milliseconds(100))
        let worker = NIOLoopBound(self, eventLoop: loop)
        ticker = loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in worker.value.tick() }
    }

    private func tick() {
        readClock()
        wallOffset = SystemTime.epochMicroseconds * 1000 - now
        for client in deadlines.popPassed(at: now) { client.deadlinePassed() }
        for gate in gates.gates { gate.closeIdle(since: now - UpstreamGate.idleNanoseconds) }
        mirrors.closeIdle(since: now - UpstreamGate.idleNanoseconds)
        log?.handOver()
        spans?.handOver()
    }

    // MARK: The end

    /// Closes idle connections; the others close when they have answered. Succeeds once all are gone.
    func drain() -> EventLoopFuture<Void> {
        readClock()
        isDraining = true
        let promise = whenEmpty ?? loop.makePromise(of: Void.self)
        whenEmpty = promise
        for client in deadlines.allOwners { client.drain() }
        connectionsChanged()
        return promise.futureResult
    }

    /// Closes whatever is left. Returns how many requests that cut off.
    @discardableResult func stop() -> Int {
        ticker?.cancel()
        let cutOff = deadlines.allOwners.count { $0.isExchanging }
        for client in deadlines.allOwners { client.close() }
        mirrors.stop()
        // They hold gates, which hold the worker.
        for upstreams in edition.upstreams { upstreams.use(EndpointSet(endpoints: [], statuses: [])) }
        gates.removeAll()
        log?.handOver()
        spans?.handOver()
        return cutOff
    }

    func connectionsChanged() {
        guard isDraining, deadlines.count == 0 else { return }
        whenEmpty?.succeed()
    }
}

extension TimeAmount {
    static func / (amount: TimeAmount, divisor: Int64) -> TimeAmount { .nanoseconds(amount.nanoseconds / divisor) }
}
