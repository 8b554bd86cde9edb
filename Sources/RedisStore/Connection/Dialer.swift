import LimiterCore
import NIOCore
import NIOPosix
import WeirConfiguration

/// How a store reaches servers; tests reach none.
protocol Dialer {
    /// Connects `connection` to the server that it is for, or closes it.
    func open(_ connection: RedisConnection)
    /// Asks a server something. What it returns can be cancelled.
    func ask(
        _ server: RedisAddress.Server, _ commands: [[String]],
        _ completion: @escaping (Result<[RedisValue], StoreError>) -> Void
    ) -> Inquiry
}

/// Opens channels, with TLS where the address says so.
struct NetworkDialer: Dialer {
    let eventLoop: any EventLoop
    let access: RedisAccess

    func open(_ connection: RedisConnection) {
        open(connection, to: connection.server).assumeIsolated().whenFailure { error in
            connection.close(explain(error, server: connection.server))
        }
    }

    func ask(
        _ server: RedisAddress.Server, _ commands: [[String]],
        _ completion: @escaping (Result<[RedisValue], StoreError>) -> Void
    ) -> Inquiry {
        let inquiry = Inquiry(commands, on: eventLoop, explain: { explain($0, server: server) }, completion)
        open(inquiry, to: server).assumeIsolated().whenFailure { inquiry.failed(explain($0, server: server)) }
        return inquiry
    }

    /// The one cause that people can do something about, out of all that were tried.
    private func explain(_ error: any Error, server: RedisAddress.Server) -> StoreError {
        if let known = access.tls?.explain(error, server: server) { return known }
        guard let error = error as? NIOConnectionError else { return StoreError(.disconnected, "\(server): \(error)") }
        if let failure = error.connectionErrors.first {
            return StoreError(.disconnected, "\(server): \(failure.error)")
        }
        if let failure = error.dnsAError ?? error.dnsAAAAError {
            return StoreError(.disconnected, "\(error.host) has no address: \(failure)")
        }
        return StoreError(.disconnected, "\(server) cannot be reached")
    }

    private func open(
        _ handler: some ChannelInboundHandler, to server: RedisAddress.Server
    ) -> EventLoopFuture<any Channel> {
        let bound = NIOLoopBound(handler, eventLoop: eventLoop)
        let tls = access.tls
        return ClientBootstrap(group: eventLoop)
            .connectTimeout(RedisConnection.readyWithin)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(tls.makeHandler(for: server.host)) }
                    try pipeline.addHandler(bound.value)
                }
            }
            .connect(host: server.host, port: server.port)
    }
}
