import Glibc
import HTTPWire
import Telemetry
import Logging
import NIOCore
import NIOPosix
import LimiterCore
import Synchronization
import WeirConfiguration

/// Opens the listening socket and turns each connection into a `ClientConnection` of one of the workers, in turn.
///
/// One socket serves all loops: with a socket a loop the kernel spreads connections by a hash, so that few long-lived ones
/// load the loops unequally, and a second process could listen on the same port unnoticed.
struct Listener: Sendable {
    private static let backlog: Int32 = 4096
    private static let acceptsPerTick: UInt = 32

    let group: MultiThreadedEventLoopGroup
    /// Of all workers together, whatever the configuration says.
    let mostConnections: Int
    /// By loop.
    let workers: [ObjectIdentifier: NIOLoopBound<Worker>]
    let connections = ConnectionCount()

    func listen(on address: ListenAddress) async throws -> any Channel {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.maxMessagesPerRead, value: Self.acceptsPerTick)
            // Where no file is left for another connection, accepting pauses for a second.
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptBackoffHandler())
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.writeBufferWaterMark, value: Link.marks)
            .childChannelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 2048, maximum: 65_536)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.accept(channel) }
            }
        do {
            return try await bootstrap.bind(host: address.host, port: address.port).get()
        } catch let error as IOError {
            throw Self.explain(error, address)
        } catch {
            throw GatewayError(
                .listenFailed, "the gateway cannot listen on \(address): \(error); check `gateway.listen`")
        }
    }

    private func accept(_ channel: any Channel) throws {
        guard let worker = workers[ObjectIdentifier(channel.eventLoop)]?.value,
            !worker.isDraining,
            connections.open(atMost: min(mostConnections, worker.edition.plan.settings.maximumConnections))
        else {
            channel.close(promise: nil)
            return
        }
        let connections = connections
        worker.metrics.connectionOpened()
        // It is idle from now on, and not from when the loop looked at the clock last.
        worker.readClock()
        let client = ClientConnection(worker: worker, peer: Self.address(of: channel)) {
            connections.close()
            worker.metrics.connectionClosed()
        }
        try channel.pipeline.syncOperations.addHandler(client)
    }

    private static func address(of channel: any Channel) -> ClientAddress {
        guard let text = channel.remoteAddress?.ipAddress, let address = ClientAddress(parsing: text) else {
            // The client has left already.
            return ClientAddress(high: 0, low: 0)
        }
        return address
    }

    private static func explain(_ error: IOError, _ address: ListenAddress) -> GatewayError {
        switch error.errnoCode {
        case EADDRINUSE:
            GatewayError(
                .addressInUse, "port \(address.port) is in use; choose another with --gateway-port")
        case EADDRNOTAVAIL:
            GatewayError(
                .addressNotAvailable,
                "\(address.host) is not an address of this machine; set `gateway.listen` to one, such as 127.0.0.1:\(address.port)"
            )
        case EACCES:
            GatewayError(
                .permissionDenied,
                "port \(address.port) needs privileges; choose one from 1024 on with --gateway-port")
        default:
            GatewayError(.listenFailed, "the gateway cannot listen on \(address): \(error); check `gateway.listen`")
        }
    }
}

/// Open connections of all workers together.
final class ConnectionCount: Sendable {
    private let count = Atomic(0)

    /// False, and nothing counted, where there are as many as may be.
    func open(atMost maximum: Int) -> Bool {
        guard count.add(1, ordering: .relaxed).newValue > maximum else { return true }
        close()
        return false
    }

    func close() { count.subtract(1, ordering: .relaxed) }
}
