import Foundation
import Gateway
import NIOCore
import NIOPosix
import NIOSSL
import Testing
import WeirConfiguration

/// Upstreams behind TLS, with an authority that the test makes.
struct TLSTests {
    private struct Certificates {
        let directory: String
        var authority: String { directory + "/ca.pem" }

        init() throws {
            directory = NSTemporaryDirectory() + "weir-tls-\(UInt64.random(in: 0 ... .max))"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            let script = """
                set -e
                cd '\(directory)'
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem \
                    -days 2 -subj /CN=authority
                openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out request.pem \
                    -subj /CN=upstream
                printf 'subjectAltName=DNS:localhost' > names
                openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out cert.pem
                """
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", script]
            process.standardError = nil
            process.standardOutput = nil
            try process.run()
            process.waitUntilExit()
            try #require(process.terminationStatus == 0)
        }

        func remove() { try? FileManager.default.removeItem(atPath: directory) }
    }

    private final class Greeter: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let answer = ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret")
            context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private func withUpstream(_ certificates: Certificates, _ body: (Int) async throws -> Void) async throws {
        let settings = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificates.directory + "/cert.pem").map {
                .certificate($0)
            },
            privateKey: .privateKey(
                try NIOSSLPrivateKey(file: certificates.directory + "/key.pem", format: .pem)))
        let context = try NIOSSLContext(configuration: settings)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let channel = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(NIOSSLServerHandler(context: context), Greeter())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do { try await body(channel.localAddress?.port ?? 0) } catch {
            try await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }

    @Test func anUpstreamIsBelievedByNameAndAuthorityOnly() async throws {
        let certificates = try Certificates()
        defer { certificates.remove() }
        try await withUpstream(certificates) { port in
            var setup = Setup([(name: "s", path: "/", upstreams: [port])])
            setup.upstreamScheme = "https"
            setup.upstreamHost = "localhost"
            setup.trust = .file(certificates.authority)
            try await withGateway(setup) { gateway async throws in
                let client = try gateway.connect()
                for _ in 0..<3 {
                    try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                    #expect(try client.next()?.text == "secret")
                }
            }
            // The name is not the certificate's.
            setup.upstreamHost = "127.0.0.1"
            try await withGateway(setup) { gateway async throws in #expect(try gateway.get("/").status == 502) }
            // The authority is not the system's.
            setup.upstreamHost = "localhost"
            setup.trust = .system
            try await withGateway(setup) { gateway async throws in #expect(try gateway.get("/").status == 502) }
        }
    }

    /// What discovery finds is an address, and the name stays the one in the configuration.
    @Test func anAddressThatWasFoundIsBelievedByTheNameItWasFoundBy() async throws {
        let certificates = try Certificates()
        defer { certificates.remove() }
        try await withUpstream(certificates) { port in
            for (name, status) in [("localhost", 200), ("elsewhere.test", 502)] {
                let upstream = Upstream(usesTLS: true, host: name, port: port)
                var setup = Setup(
                    yaml: """
                        services:
                          - name: s
                            routes: [{path: /}]
                            upstreams: [{dns: "\(upstream)"}]
                        """)
                setup.trust = .file(certificates.authority)
                try await withGateway(setup) { gateway async throws in
                    let found = Upstream(usesTLS: true, host: name, port: port, address: "127.0.0.1")
                    gateway.server.use([Endpoint(found)], of: .dns(upstream, weight: 1))
                    #expect(await eventually { (try? gateway.get("/").status) != 503 })
                    #expect(try gateway.get("/").status == status)
                }
            }
        }
    }

    @Test func authoritiesThatCannotBeReadAreAnErrorAtTheStart() async throws {
        var setup = Setup([(name: "s", path: "/", upstreams: [1])])
        setup.upstreamScheme = "https"
        setup.trust = .file("/nowhere.pem")
        let error = await #expect(throws: GatewayError.self) { try await withGateway(setup) { _ in } }
        #expect(error?.code == .invalidTrustRoots)
    }
}
