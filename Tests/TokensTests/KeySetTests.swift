import TestSupport
import Testing

@testable import Tokens

struct KeySetTests {
    private func error(_ text: String) -> String? {
        do {
            _ = try KeySet.read(Array(text.utf8))
            return nil
        } catch {
            return error.message
        }
    }

    private static let es256 = Signer.es256()

    private func set(_ keys: String...) -> String { "{\"keys\":[\(keys.joined(separator: ","))]}" }

    @Test func keysThatAreNotKnownAreSkipped() throws {
        let strange = [
            #"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}"#, #"{"kty":"OKP","crv":"Ed448","x":"AA"}"#,
            #"{"kty":"OKP","crv":"X25519","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#, #"{"kty":"PQC"}"#, "{}",
            #""key""#, Self.es256.key(more: #","use":"enc""#), Self.es256.key(more: #","key_ops":["sign"]"#),
            Self.es256.key(more: #","alg":"ECDH-ES""#), Self.es256.key(more: #","alg":"ES384""#),
            Self.es256.key(more: #","alg":"HS256""#), Self.es256.key(more: #","use":["sig"]"#),
        ]
        for key in strange { #expect(error(set(key))?.contains("none of its keys can check signatures") == true) }
        let text = set(
            (strange + [Self.es256.key(more: #","use":"sig","key_ops":["verify"],"alg":"ES256""#)]).joined(
                separator: ","))
        #expect(try KeySet.read(Array(text.utf8)).keys.count == 1)
    }

    @Test(arguments: [
        (#"{"keys":[]}"#, "is empty"), ("{}", "no list of `keys`"), ("[]", "not a JSON object"),
        (#"{"keys":[],"keys":[]}"#, "has a name twice"), (#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#, "is a secret"),
        (#"{"keys":[{"kty":"RSA","n":"AQ","e":"AQAB","d":"AQ"}]}"#, "is a private key"),
        (#"{"keys":[{"kty":"RSA","n":"AQ","e":"AQAB"}]}"#, "not of 2048 to 8192 bits"),
    ])
    func whatIsNoPublicKeySetIsRefused(text: String, expected: String) {
        #expect(error(text)?.contains(expected) == true, "\(error(text) ?? "read")")
    }

    @Test func aPointThatIsNotOnItsCurveIsNoKey() {
        let zeros = String(repeating: "A", count: 43)
        #expect(error(set(#"{"kty":"EC","crv":"P-256","x":"\#(zeros)","y":"\#(zeros)"}"#)) != nil)
        #expect(error(set(#"{"kty":"EC","crv":"P-256","x":"\#(zeros)","y":"AA"}"#)) != nil)
    }

    @Test func strangeRSANumbersAreNoKeys() throws {
        let jwk = try Signer.rsa("RS256").jwk
        let modulus = try #require(jwk.split(separator: "\"n\":\"").last?.prefix { $0 != "\"" })
        for exponent in ["AQ", "Ag", "AAAA", "AQAAAAAB", ""] {
            #expect(error(set(#"{"kty":"RSA","n":"\#(modulus)","e":"\#(exponent)"}"#)) != nil, "\(exponent)")
        }
        #expect(error(set(#"{"kty":"RSA","n":"\#(modulus.prefix(170))","e":"AQAB"}"#)) != nil)
        #expect(error(set("{\(jwk)}")) == nil)
    }

    @Test func anIdOnlyFindsKeys() throws {
        let other = Signer.edDSA()
        let set = try KeySet.read(Array(set(Self.es256.key(id: "a"), other.key(id: "b")).utf8))
        func count(_ id: String?, _ algorithm: SignatureAlgorithm) -> Int? {
            switch set.choose(id: id.map { Array($0.utf8) }, for: algorithm) {
            case .keys(let keys): keys.count
            case .unsuitable: 0
            case .unknownID: nil
            }
        }
        #expect(count("a", .es256) == 1)
        #expect(count("a", .edDSA) == 0)
        #expect(count("b", .es256) == 0)
        #expect(count("c", .es256) == nil)
        #expect(count(nil, .edDSA) == 1)
        #expect(count(nil, .rs256) == 0)
        let twice = try KeySet.read(Array(self.set(Self.es256.key(id: "a"), Signer.es256().key(id: "b")).utf8))
        guard case .unsuitable = twice.choose(id: nil, for: .es256) else {
            Issue.record("which of two keys is meant cannot be guessed")
            return
        }
        #expect(twice.algorithms == [.es256])
    }

    @Test func aSecretIsAsLongAsItsHash() {
        #expect(KeySet(secret: Array(repeating: 1, count: 31)) == nil)
        for (length, algorithms) in [
            (32, [.hs256]), (48, [.hs256, .hs384]), (64, [.hs256, .hs384, .hs512]),
        ] as [(Int, Set<SignatureAlgorithm>)] {
            #expect(
                KeySet(secret: Array(repeating: 1, count: length))?.algorithms
                    == algorithms)
        }
    }
}
