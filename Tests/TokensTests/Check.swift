import TestSupport

@testable import Tokens

extension Signer {
    func keys(id: String? = "k") throws -> KeySet { try KeySet.read(Array(set(id: id).utf8)) }
}

/// What the tests' tokens are checked by.
enum Check {
    /// Seconds since 1970.
    static let now: Int64 = 1_700_000_000

    static let payload = #"{"iss":"https://issuer.example","aud":"weir","exp":1700000100,"tenant":"acme"}"#

    static func policy(
        _ algorithms: Set<SignatureAlgorithm> = Set(SignatureAlgorithm.allCases), types: [String]? = nil
    ) -> TokenPolicy {
        TokenPolicy(
            issuer: "https://issuer.example", audiences: ["weir", "other"], algorithms: algorithms,
            leeway: .seconds(30), types: types, tenantClaim: "tenant")
    }

    static func verify(
        _ token: String, _ keys: KeySet, _ policy: TokenPolicy = policy(), at now: Int64 = now
    ) throws(TokenFault) -> Claims {
        try policy.verify(try parse(token), with: keys, at: now * 1000)
    }

    static func parse(_ token: String) throws(TokenFault) -> Token {
        let result: Result<Token, TokenFault> = Array(token.utf8).withUnsafeBytes { bytes in
            do throws(TokenFault) {
                return .success(try Token(parsing: bytes))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Why the token is refused; nil: it is not.
    static func fault(
        _ token: String, _ keys: KeySet, _ policy: TokenPolicy = policy(), at now: Int64 = now
    ) -> TokenFault? {
        do throws(TokenFault) {
            _ = try verify(token, keys, policy, at: now)
            return nil
        } catch {
            return error
        }
    }
}
