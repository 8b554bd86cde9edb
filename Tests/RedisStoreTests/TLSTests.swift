import LimiterCore
import Testing
import TestSupport
import WeirConfiguration

@testable import RedisStore

@Suite struct TLSTests {
    private static func limits() throws -> LimitGroup { try DeclaredLimits(.window("global", "1000/h")).group }

    /// Runs `body` with a Redis that speaks TLS.
    private func withServer(
        _ certificate: KeyPath<Certificates, Certificates.Pair> = \.server, asksForCertificate: Bool = false,
        _ body: (RedisServer, Certificates) async throws -> Void
    ) async throws {
        let certificates = try Certificates()
        let tls = RedisServer.TLS(
            certificates, certificates[keyPath: certificate], asksForCertificate: asksForCertificate)
        let server = try await RedisServer.start(RedisServer.Options(tls: tls))
        defer { server.stop() }
        try await body(server, certificates)
    }

    private func settings(_ server: RedisServer, host: String = "localhost", _ tls: TLSSettings) -> StoreSettings {
        var settings = StoreSettings(redis: RedisAddress(host: host, port: server.port, usesTLS: true))
        settings.tls = tls
        return settings
    }

    private func decides(_ settings: StoreSettings) async throws -> Bool {
        let client = try await StoreClient(settings)
        try await client.becomesReady()
        let answer = try await client.decide(Question(group: try Self.limits()))
        try await client.shutdown()
        return answer.isAllowed
    }

    /// What calls are told, once the store knows why it has no connection.
    private func refusal(_ settings: StoreSettings) async throws -> StoreError {
        let client = try await StoreClient(settings)
        let group = try Self.limits()
        var error = StoreError(.disconnected, "")
        do {
            try await eventually("the reason") {
                error = try await client.decide(Question(group: group)).error ?? error
                return !error.isTransient
            }
        } catch {
            try await client.shutdown()
            throw error
        }
        try await client.shutdown()
        return error
    }

    @Test(arguments: ["localhost", "127.0.0.1"])
    func aServerIsBelievedByItsNameOrAddress(host: String) async throws {
        try await withServer { server, certificates async throws in
            let tls = TLSSettings(authorityFile: certificates.authority)
            #expect(try await decides(settings(server, host: host, tls)))
        }
    }

    @Test func aCertificateOfAnotherAuthorityIsNotBelieved() async throws {
        try await withServer { server, certificates async throws in
            let other = try await refusal(
                settings(server, TLSSettings(authorityFile: certificates.otherAuthority)))
            #expect(other.code == .unauthorized)
            #expect(other.detail.contains("not signed by \(certificates.otherAuthority)"))
            let system = try await refusal(settings(server, TLSSettings()))
            #expect(system.code == .unauthorized)
            #expect(system.detail.contains("`store.tls.ca_file`"))
        }
    }

    /// Nodes name each other by address, so their certificates must have addresses.
    @Test func aClusterIsReachedOverTLS() async throws {
        let certificates = try Certificates()
        let options = RedisServer.Options(
            isCluster: true, tls: RedisServer.TLS(certificates, certificates.server))
        let server = try await RedisServer.start(options)
        defer { server.stop() }
        var settings = StoreSettings(redis: try RedisAddress(parsing: "rediss+cluster://localhost:\(server.port)"))
        settings.tls.authorityFile = certificates.authority
        let client = try await ClusterClient(settings)
        try await client.becomesReady(1)
        #expect(try await client.ports() == [server.port])
        #expect(try await client.decide(Question(group: try Self.limits())).isAllowed)
        try await client.shutdown()
    }

    @Test(arguments: ["localhost", "127.0.0.1"])
    func aCertificateForAnotherNameIsNotBelieved(host: String) async throws {
        try await withServer(\.elsewhere) { server, certificates async throws in
            let tls = TLSSettings(authorityFile: certificates.authority)
            let error = try await refusal(settings(server, host: host, tls))
            #expect(error.code == .unauthorized)
            #expect(error.detail.contains("is not for `\(host)`"))
        }
    }

    @Test func aServerMayAskForACertificate() async throws {
        try await withServer(asksForCertificate: true) { server, certificates async throws in
            var tls = TLSSettings(authorityFile: certificates.authority)
            let none = try await refusal(settings(server, tls))
            #expect(none.code == .unauthorized)
            #expect(none.detail.contains("`store.tls.certificate_file`"))

            (tls.certificateFile, tls.keyFile) = (certificates.stranger.certificate, certificates.stranger.key)
            let strange = try await refusal(settings(server, tls))
            #expect(strange.code == .unauthorized)
            #expect(strange.detail.contains("does not accept the certificate"))

            (tls.certificateFile, tls.keyFile) = (certificates.client.certificate, certificates.client.key)
            #expect(try await decides(settings(server, tls)))
        }
    }

    /// Redis waits for the end of a line that the TLS handshake does not have.
    @Test func ofAServerWithoutTLSThePortIsDoubted() async throws {
        let server = try await RedisServer.start()
        defer { server.stop() }
        let client = try await StoreClient(settings(server, TLSSettings()))
        try await eventually("the end of the first attempt") {
            try await client.onLoop { store, _ in
                if case .waiting(let error, _) = store.phase { error.detail.contains("a port for TLS") } else { false }
            }
        }
        try await client.shutdown()
    }

    @Test func filesThatDoNotBelongTogetherAreAnErrorAtTheStart() throws {
        let certificates = try Certificates()
        for tls in [
            TLSSettings(certificateFile: certificates.client.certificate, keyFile: certificates.server.key),
            TLSSettings(authorityFile: "/nowhere.pem"),
            TLSSettings(certificateFile: certificates.client.key, keyFile: certificates.client.key),
        ] {
            var settings = StoreSettings(redis: RedisAddress(host: "localhost", usesTLS: true))
            settings.tls = tls
            let error = #expect(throws: StoreError.self) { try RedisAccess(settings) }
            #expect(error?.detail.hasPrefix("TLS to Redis cannot use ") == true)
        }
    }
}
