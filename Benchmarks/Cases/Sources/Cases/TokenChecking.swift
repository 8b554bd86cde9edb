import Gateway
import HTTPWire
import NIOCore
import Tokens
import WeirConfiguration

/// Whose request it is, by a token that comes again and again.
final class TokenFinding: Exercise {
    private var reader = RequestReader()
    private var authenticator: Authenticator
    private var tenant: [UInt8]?

    init() throws {
        var inbound = ByteBuffer(
            string: "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(SampleTokens.es256.token)\r\n\r\n")
        _ = try reader.next(&inbound)
        var identity = IdentitySettings()
        identity.tokens = [
            TokenSettings(
                policy: TokenChecking.policy, keys: .known(try KeySet.read(Array(SampleTokens.es256.keys.utf8))))
        ]
        authenticator = Authenticator(identity)
    }

    func run(calls: Int) {
        for _ in 0..<calls { tenant = authenticator.tenant(of: reader.head.fields, at: SampleTokens.now) }
    }

    var outcome: String { tenant.map { String(decoding: $0, as: UTF8.self) } ?? "nobody" }
}

/// A token that was not seen before: read, its signature checked, and what it claims prepared.
final class TokenChecking: Exercise {
    static let policy = TokenPolicy(
        issuer: "https://issuer.example", audiences: ["weir"], algorithms: [.es256, .rs256], leeway: .seconds(30),
        types: nil, tenantClaim: "tenant")

    private let keys: KeySet
    private let token: [UInt8]
    private var claims: Claims?

    init(_ sample: SampleTokens.Sample) throws {
        keys = try KeySet.read(Array(sample.keys.utf8))
        token = Array(sample.token.utf8)
    }

    func run(calls: Int) {
        for _ in 0..<calls {
            claims = token.withUnsafeBytes { bytes in
                (try? Token(parsing: bytes)).flatMap {
                    try? Self.policy.verify($0, with: keys, at: SampleTokens.now)
                }
            }
        }
    }

    var outcome: String {
        claims.map { "\(String(decoding: $0.tenant, as: UTF8.self)), \($0.scopes.count) scopes" } ?? "refused"
    }
}
