import Glibc
import TestSupport

@testable import Gateway

/// An issuer, its keys in a folder of their own, and gateways that believe it.
final class TokenIssuer: Sendable {
    let signer: Signer
    let folder: String

    init(_ signer: Signer = .es256()) throws {
        self.signer = signer
        var template = Array("/tmp/weir-issuer-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Wire.Failure(description: "cannot make a folder: errno \(errno)") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self) + "/"
        try write("jwks.json", signer.set())
    }

    deinit {
        for name in ["jwks.json", "secret"] { unlink(folder + name) }
        rmdir(folder)
    }

    func write(_ name: String, _ text: String) throws {
        guard let file = fopen(folder + name, "w") else { throw Wire.Failure(description: "cannot write \(name)") }
        fputs(text, file)
        fclose(file)
    }

    /// A second in the tests' time, at which tokens begin.
    static let now: Int64 = 1_700_000_000

    /// A field with a token that is valid for 100 seconds; `more` are further claims, each with a comma before.
    func bearer(_ tenant: String = "acme", _ more: String = "", header: String? = nil) throws -> String {
        "Authorization: Bearer \(try token(tenant, more, header: header))"
    }

    func token(_ tenant: String = "acme", _ more: String = "", header: String? = nil) throws -> String {
        try signer.token(
            #"{"iss":"https://issuer.example","aud":"weir","exp":\#(Self.now + 100),"tenant":"\#(tenant)"\#(more)}"#,
            header: header)
    }

    /// `more` are further keys of `jwt`, each with a comma before; `rest` is what else the configuration says. Its clock stands.
    func setup(
        _ upstream: TestUpstream, _ more: String = "", identity: String = "", rest: String = "", service: String = ""
    ) -> Setup {
        var setup = Setup(
            yaml: """
                identity:
                  jwt: {issuer: "https://issuer.example", audience: weir, jwks_file: jwks.json\(more)}
                \(identity)
                \(rest)
                services:
                  - name: service
                    routes: [{path: /}, {path: /public, authentication: none}]
                    upstreams: ["http://127.0.0.1:\(upstream.port)"]
                \(service)
                """)
        setup.folder = folder
        setup.epoch = { Self.now * 1_000_000 }
        return setup
    }
}
