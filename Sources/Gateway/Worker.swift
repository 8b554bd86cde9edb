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
    /// Of the configuration that is in force.
    private(set) var edition: Edition
    let store: any LimitStore
    /// Decides at once.
    let guards: any LimitStore
    let metrics: WorkerMetrics
    let log: AccessLogWriter?
    let logger: Logger

    private(set) var gates: [UpstreamGate] = []
    var deadlines = DeadlineTable<ClientConnection>()
    /// Bodies of answers are put together here.
    var scratch = ByteBuffer()
    /// Which upstream comes first among equals.
    var turn = 0
    /// Nanoseconds of a monotonic clock, read once an event.
    private(set) var now: Int64
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
        var store: any LimitStore
        var guards: any LimitStore
        var metrics: WorkerMetrics
        var log: AccessLogWriter?
        var logger: Logger
        var tls: NIOSSLContext?
    }

    init(on loop: any EventLoop, _ parts: Parts) {
        self.loop = loop
        store = parts.store
        guards = parts.guards
        metrics = parts.metrics
        log = parts.log
        logger = parts.logger
        now = Int64(NIODeadline.now().uptimeNanoseconds)
        edition = Edition(parts.plan)
        gates = parts.plan.upstreams.map { UpstreamGate($0, worker: self, tls: $0.usesTLS ? parts.tls : nil) }
        edition.gates = gates
    }

    func readClock() { now = Int64(NIODeadline.now().uptimeNanoseconds) }

    /// HTTP's date; the wall clock is read ten times a second at most.
    func dateBytes() -> [UInt8] {
        if dateText.isEmpty || now - dateReadAt > 100_000_000 {
            dateReadAt = now
            dateText = date.bytes(epochSeconds: SystemTime.epochMicroseconds / 1_000_000)
        }
        return dateText
    }

    /// From now on these are in force.
    func use(_ overrides: OverridePlan) { edition.use(overrides) }

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
        for client in deadlines.popPassed(at: now) { client.deadlinePassed() }
        for gate in gates { gate.closeIdle(since: now - UpstreamGate.idleNanoseconds) }
        log?.handOver()
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
        for gate in gates { gate.closeIdle(since: .max) }
        // They hold the worker, too.
        gates = []
        log?.handOver()
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
