import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Telemetry
import WeirConfiguration

/// The way of one worker to one upstream: performs what the pool decides, and opens connections.
final class UpstreamGate {
    typealias Pool = UpstreamPool<UpstreamConnection, Exchange>

    let worker: Worker
    let key: GateRegistry.Key
    var upstream: Upstream { key.upstream }
    /// What a Host field calls it.
    let authority: [UInt8]
    private let tls: NIOSSLContext?
    var isEncrypted: Bool { tls != nil }
    private var pool: Pool
    /// Whether no service has this upstream any more: connections close as soon as nobody needs them.
    private var isRetired = false
    private var nextLog: Int64 = 0
    private var unlogged = 0

    /// Idle connections close after this time. Many servers do so after 60 s.
    static let idleNanoseconds: Int64 = 55_000_000_000
    private static let logInterval: Int64 = 5_000_000_000

    init(_ key: GateRegistry.Key, worker: Worker, tls: NIOSSLContext?) {
        self.key = key
        authority = Array(key.upstream.authority.utf8)
        self.worker = worker
        self.tls = tls
        pool = Pool(maximumConnections: key.maximumConnections, maximumWaiters: key.maximumWaiters)
    }

    /// Requests that this upstream has from this worker, or is about to get.
    var inFlight: Int { pool.inFlight }

    var isSaturated: Bool { pool.isSaturated }

    // MARK: Leasing

    /// A connection at once, or none yet: `exchange.serve` follows, or `exchange.upstreamUnreachable`. False: too many wait.
    func acquire(for exchange: Exchange) -> Bool {
        switch pool.acquire(for: exchange) {
        case .leased(let connection): exchange.serve(connection)
        case .waiting(let connect): if connect { open() }
        case .refused: return false
        }
        return true
    }

    /// Gives up a leased connection that the upstream has closed, and opens another for the same exchange.
    func replace(_ stale: UpstreamConnection, for exchange: Exchange) {
        stale.exchange = nil
        stale.isDiscarded = true
        pool.replaceLeased()
        open(for: exchange.ticket())
    }

    func withdraw(_ exchange: Exchange) { pool.withdraw(exchange) }

    /// The exchange is done with the connection, which can take another request.
    func release(_ connection: UpstreamConnection) {
        connection.exchange = nil
        connection.isReused = true
        connection.link.setReading(true)
        if let next = pool.released(connection, at: worker.now) { next.serve(connection) } else { closeIfRetired() }
    }

    /// The exchange is done with the connection, which cannot be used any more.
    func discard(_ connection: UpstreamConnection) {
        connection.exchange = nil
        let opens = pool.leasedClosed()
        connection.isDiscarded = true
        connection.close()
        if opens { open() }
    }

    func closed(_ connection: UpstreamConnection) {
        if let exchange = connection.exchange {
            exchange.upstreamClosed()
        } else if !connection.isDiscarded {
            pool.idleClosed(connection)
        }
    }

    func closeIdle(since time: Int64) {
        while let connection = pool.popIdle(since: time) {
            connection.isDiscarded = true
            connection.close()
        }
    }

    /// No service has this upstream any more. Whoever is on the way to it is served as if nothing had happened.
    func retire() {
        isRetired = true
        closeIfRetired()
    }

    private func closeIfRetired() {
        if isRetired { closeIdle(since: .max) }
    }

    // MARK: Opening

    /// `owner` nil: for whoever waits first.
    private func open(for owner: Exchange.Ticket? = nil) {
        let gate = NIOLoopBound(self, eventLoop: worker.loop)
        connect { channel in
            try channel.pipeline.syncOperations.addHandler(UpstreamConnection(gate: gate.value))
        }.assumeIsolated().whenComplete { result in
            self.worker.readClock()
            switch result {
            case .success(let channel): self.opened(channel, for: owner)
            case .failure(let error): self.failed(error, for: owner)
            }
        }
    }

    /// A connection that is not counted among those of the pool; `prepare` adds its handler.
    func connect(_ prepare: @escaping @Sendable (any Channel) throws -> Void) -> EventLoopFuture<any Channel> {
        let gate = NIOLoopBound(self, eventLoop: worker.loop)
        let bootstrap = ClientBootstrap(group: worker.loop)
            .connectTimeout(TimeAmount(key.connectTimeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.writeBufferWaterMark, value: Link.marks)
            .channelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 4096, maximum: 65_536)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls = gate.value.tls { try gate.value.upstream.addTLS(tls, to: channel) }
                    try prepare(channel)
                }
            }
        return upstream.connect(bootstrap)
    }

    private func opened(_ channel: any Channel, for owner: Exchange.Ticket?) {
        guard channel.isActive,
            let connection = try? channel.pipeline.syncOperations.handler(type: UpstreamConnection.self)
        else {
            failed(ChannelError.eof, for: owner)
            return
        }
        if let owner {
            pool.openedOwn()
            if owner.isCurrent, owner.exchange.isWaiting(at: self) {
                owner.exchange.serve(connection)
            } else {
                release(connection)
            }
        } else if let waiter = pool.opened(connection, at: worker.now) {
            waiter.serve(connection)
        } else {
            closeIfRetired()
        }
    }

    private func failed(_ error: any Error, for owner: Exchange.Ticket?) {
        log(error, "an upstream cannot be reached")
        let cause = FailureCause(connecting: error)
        let isTimeout = cause == .connectTimeout
        if let owner {
            let opens = pool.ownFailed()
            if owner.isCurrent, owner.exchange.isWaiting(at: self) {
                if !isTimeout { owner.exchange.noteFailure(cause) }
                owner.exchange.upstreamUnreachable(isTimeout: isTimeout)
            }
            if opens { open() }
        } else {
            let (waiter, opens) = pool.openingFailed()
            if !isTimeout { waiter?.noteFailure(cause) }
            waiter?.upstreamUnreachable(isTimeout: isTimeout)
            if opens { open() }
        }
    }

    /// Once a burst: the first cause at once, then how many more there were.
    func log(_ cause: @autoclosure () -> Any, _ message: StaticString) {
        guard worker.now >= nextLog else {
            unlogged += 1
            return
        }
        worker.logger.warning(
            "\(message)",
            metadata: ["upstream": "\(upstream)", "cause": "\(cause())", "unlogged_before": "\(unlogged)"])
        nextLog = worker.now + Self.logInterval
        unlogged = 0
    }
}
