import LimiterCore
import NIOCore
import NIOSSL
import WeirConfiguration

/// TLS to Redis: the server's certificate and its name are checked, and a client certificate is shown where there is one.
struct RedisTLS: Sendable {
    private let context: NIOSSLContext
    private let settings: TLSSettings

    init(_ settings: TLSSettings) throws(StoreError) {
        self.settings = settings
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let file = settings.authorityFile { configuration.trustRoots = .file(file) }
        var file = settings.authorityFile ?? "the system's authorities"
        do {
            if let certificateFile = settings.certificateFile, let keyFile = settings.keyFile {
                file = certificateFile
                configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(file).map { .certificate($0) }
                file = keyFile
                configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: file, format: .pem))
                file = "\(certificateFile) with the key \(keyFile)"
            }
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw StoreError(.unauthorized, "TLS to Redis cannot use \(file): \(Self.reason(error))")
        }
    }

    /// What BoringSSL says, without the places in its sources.
    private static func reason(_ error: any Error) -> String {
        let text = "\(error)"
        let mark = "OPENSSL_internal:"
        guard let start = text.firstRange(of: mark)?.upperBound else { return text }
        return String(text[start...].prefix { $0 != " " && $0 != "]" })
    }

    /// A handler of its own for a connection to `host`. Of an address, the certificate must name the address.
    func makeHandler(for host: String) throws -> NIOSSLClientHandler {
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        return try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : host)
    }

    /// What a failure of TLS means; nil: it is none of TLS.
    func explain(_ error: any Error, server: RedisAddress.Server) -> StoreError? {
        if let extra = error as? NIOSSLExtraError, extra == .failedToValidateHostname {
            return StoreError(
                .unauthorized,
                "the certificate of \(server) is not for `\(server.host)`; use a name that it has, or give the server another certificate"
            )
        }
        guard error is NIOSSLError || error is BoringSSLError else { return nil }
        if case .uncleanShutdown? = error as? NIOSSLError { return nil }
        // BoringSSL's reasons are only in the text.
        let text = "\(error)"
        func isAbout(_ reasons: String...) -> Bool { reasons.contains { text.contains($0) } }
        if isAbout("CERTIFICATE_VERIFY_FAILED") {
            let authorities =
                settings.authorityFile ?? "the system's authorities; name the right ones in `store.tls.ca_file`"
            return StoreError(
                .unauthorized, "the certificate of \(server) is out of date or not signed by \(authorities)")
        }
        if isAbout("WRONG_VERSION_NUMBER", "UNEXPECTED_MESSAGE") {
            return StoreError(
                .incompatible,
                "\(server) does not answer in TLS; is it the TLS port? Without TLS the URL begins with redis://")
        }
        if isAbout("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE"), settings.certificateFile == nil {
            return StoreError(
                .unauthorized,
                "\(server) asks for a client certificate; name one in `store.tls.certificate_file` and its key in `store.tls.key_file`"
            )
        }
        if isAbout("UNKNOWN_CA", "BAD_CERTIFICATE", "CERTIFICATE_EXPIRED", "CERTIFICATE_REQUIRED") {
            return StoreError(
                .unauthorized, "\(server) does not accept the certificate in `store.tls.certificate_file`")
        }
        return StoreError(.disconnected, "TLS with \(server) failed: \(text)")
    }
}
