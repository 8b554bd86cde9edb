import NIOCore
import NIOPosix
import NIOSSL
import WeirConfiguration

extension Upstream {
    /// A host that is no address is looked up by the system's resolver.
    func connect(_ bootstrap: ClientBootstrap) -> EventLoopFuture<any Channel> {
        if let address = try? SocketAddress(ipAddress: destination, port: port) {
            return bootstrap.connect(to: address)
        }
        return bootstrap.connect(host: destination, port: port)
    }

    /// The name in the certificate is the host's, whatever its address.
    func addTLS(_ tls: NIOSSLContext, to channel: any Channel) throws {
        try channel.pipeline.syncOperations.addHandler(
            NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : host))
    }
}
