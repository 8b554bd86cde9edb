import NIOCore
import NIOHTTP2
import NIOPosix
import NIOSSL

/// Makes connections to the targets.
struct Connector {
    let plan: LoadPlan
    let tls: NIOSSLContext?

    init(_ plan: LoadPlan) throws {
        self.plan = plan
        guard plan.targets.contains(where: \.isSecure) else {
            tls = nil
            return
        }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.applicationProtocols = plan.wire == .http1 ? ["http/1.1"] : ["h2"]
        if !plan.verifiesCertificates { configuration.certificateVerification = .none }
        tls = try NIOSSLContext(configuration: configuration)
    }

    /// The owner hears of the carrier once it works; the future fails where no connection could be made.
    func connect(_ target: Int, on loop: any EventLoop, for owner: any CarrierOwner) -> EventLoopFuture<any Channel> {
        let place = plan.targets[target]
        let bound = NIOLoopBound(owner, eventLoop: loop)
        return ClientBootstrap(group: loop)
            .connectTimeout(.nanoseconds(plan.timeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            // One read an event: an answer is there as a whole, and asking again costs a system call.
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelInitializer { [wire = plan.wire, tls] channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if place.isSecure, let tls {
                        try pipeline.addHandler(Self.tlsHandler(tls, place.host))
                    }
                    switch wire {
                    case .http1:
                        try pipeline.addHandler(
                            HTTP1Connection(target: target, isSecure: place.isSecure, owner: bound.value))
                    case .http2(let streams):
                        try pipeline.addHandler(
                            NIOHTTP2Handler(mode: .client, initialSettings: HTTP2Connection.settings))
                        try pipeline.addHandler(
                            HTTP2Connection(
                                target: target, isSecure: place.isSecure, streams: streams, owner: bound.value))
                    }
                }
            }
            .connect(host: place.host, port: place.port)
    }

    /// An address is no name that a certificate's server could be asked for by.
    private static func tlsHandler(_ context: NIOSSLContext, _ host: String) throws -> NIOSSLClientHandler {
        do {
            return try NIOSSLClientHandler(context: context, serverHostname: host)
        } catch let error as NIOSSLExtraError where error == .cannotUseIPAddressInSNI {
            return try NIOSSLClientHandler(context: context, serverHostname: nil)
        }
    }
}
