import Crypto
import CryptoExtras
import TestSupport
import Testing

@testable import Tokens

struct TokenTests {
    private static let signer = Signer.es256()

    private func payload(_ members: String) -> String {
        #"{"iss":"https://issuer.example","aud":"weir","exp":1700000100,"tenant":"acme"\#(members)}"#
    }

    private func fault(_ token: String, _ policy: TokenPolicy = Check.policy(), at now: Int64 = Check.now) throws
        -> TokenFault?
    {
        Check.fault(token, try Self.signer.keys(), policy, at: now)
    }

    @Test(arguments: ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"])
    func aTokenOfEveryAlgorithmIsBelieved(algorithm: String) throws {
        let signer = try Signer.named(algorithm)
        let claims = try Check.verify(try signer.token(Check.payload), try signer.keys())
        #expect(claims.tenant == Array("acme".utf8))
        let others = Set(SignatureAlgorithm.allCases).subtracting([SignatureAlgorithm(rawValue: algorithm)!])
        #expect(
            Check.fault(try signer.token(Check.payload), try signer.keys(), Check.policy(others))
                == .unsupportedAlgorithm)
    }

    @Test(arguments: [("HS256", 32), ("HS384", 48), ("HS512", 64)])
    func aTokenOfASecretIsBelieved(algorithm: String, length: Int) throws {
        let secret = (0..<length).map { UInt8($0) }
        let token = try Signer.hmac(algorithm, secret).token(Check.payload, header: #"{"alg":"\#(algorithm)"}"#)
        let keys = try #require(KeySet(secret: secret))
        #expect(Check.fault(token, keys) == nil)
        let other = try #require(KeySet(secret: secret.reversed()))
        #expect(Check.fault(token, other) == .wrongSignature)
    }

    /// RFC 7515 A.3: what others have signed, with a key that others have made.
    @Test func theExampleOfTheStandardHasAValidSignature() throws {
        let key =
            #"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#
        let token =
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
        let keys = try KeySet.read(Array(key.utf8))
        let parsed = try Check.parse(token)
        #expect(keys.keys[0].isValid(parsed.signature, of: parsed.signed, .es256))
        #expect(!keys.keys[0].isValid(parsed.signature, of: parsed.signed.dropLast(), .es256))
    }

    /// RFC 8037 A.4, whose payload is no JSON object: the signature alone.
    @Test func theExampleOfEd25519HasAValidSignature() throws {
        let keys = try KeySet.read(
            Array(#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#.utf8))
        let signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
        let signature = try #require(
            Base64URL.decode(
                Array(
                    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg".utf8)))
        #expect(keys.keys[0].isValid(signature, of: Array(signed.utf8), .edDSA))
    }

    @Test(
        arguments: [
            ("{\"alg\":\"none\"}", .unsupportedAlgorithm), ("{\"alg\":\"None\"}", .unsupportedAlgorithm),
            ("{\"alg\":\"NONE\"}", .unsupportedAlgorithm), ("{\"alg\":\"\"}", .unsupportedAlgorithm),
            ("{\"alg\":\"es256\"}", .unsupportedAlgorithm), ("{\"alg\":\"ES256 \"}", .unsupportedAlgorithm),
            ("{\"alg\":\"ES512\"}", .unsupportedAlgorithm), ("{\"alg\":null}", .malformed),
            ("{\"alg\":[\"ES256\"]}", .malformed),
            ("{\"kid\":\"k\"}", .malformed), ("{\"alg\":\"ES256\",\"alg\":\"ES256\"}", .malformed), ("[]", .malformed),
            ("\"ES256\"", .malformed), ("{\"alg\":\"ES256\"", .malformed),
            ("{\"alg\":\"ES256\",\"crit\":[\"exp\"]}", .criticalExtension),
            ("{\"alg\":\"ES256\",\"crit\":[]}", .criticalExtension),
            ("{\"alg\":\"ES256\",\"b64\":false,\"crit\":[\"b64\"]}", .criticalExtension),
            ("{\"alg\":\"ES256\",\"b64\":false}", .criticalExtension), ("{\"alg\":\"ES256\",\"kid\":1}", .malformed),
            ("{\"alg\":\"ES256\",\"kid\":\"../../etc/passwd\"}", .unknownKey),
            ("{\"alg\":\"ES256\",\"kid\":\"k' OR 1=1 --\"}", .unknownKey),
            ("{\"alg\":\"ES256\",\"kid\":\"\"}", .unknownKey),
            ("{\"alg\":\"ES384\",\"kid\":\"k\"}", .unsuitableKey),
            ("{\"alg\":\"HS256\",\"kid\":\"k\"}", .unsuitableKey),
            ("{\"alg\":\"RS256\",\"kid\":\"k\"}", .unsuitableKey),
            ("{\"alg\":\"ES256\",\"typ\":\"dpop+jwt\"}", .wrongType),
            ("{\"alg\":\"ES256\",\"typ\":1}", .malformed),
        ] as [(String, TokenFault)])
    func aHeaderThatIsNotBelievedIsRefused(header: String, expected: TokenFault) throws {
        #expect(try fault(Self.signer.token(Check.payload, header: header)) == expected)
    }

    @Test(arguments: [
        "{\"alg\":\"ES256\"}", "{\"alg\":\"ES256\",\"typ\":\"JWT\"}", "{\"alg\":\"ES256\",\"typ\":\"at+JWT\"}",
        "{\"alg\":\"ES256\",\"typ\":\"application/at+jwt\"}",
        "{\"alg\":\"ES256\",\"jku\":\"http://127.0.0.1:1/\",\"jwk\":{\"kty\":\"oct\"},\"x5c\":[],\"x5u\":1}",
    ])
    func whatTheHeaderMaySayIsIgnoredOrAccepted(header: String) throws {
        #expect(try fault(Self.signer.token(Check.payload, header: header)) == nil)
    }

    @Test func typesThatAreListedAreNeeded() throws {
        let policy = Check.policy(types: ["AT+JWT"])
        #expect(try fault(Self.signer.token(Check.payload), policy) == .wrongType)
        #expect(
            try fault(Self.signer.token(Check.payload, header: #"{"alg":"ES256","typ":"JWT"}"#), policy) == .wrongType)
        #expect(try fault(Self.signer.token(Check.payload, header: #"{"alg":"ES256","typ":"at+jwt"}"#), policy) == nil)
    }

    @Test(
        arguments: [
            (#"{"aud":"weir","exp":1700000100,"tenant":"acme"}"#, .wrongIssuer),
            (#"{"iss":"https://issuer.example/","aud":"weir","exp":1700000100,"tenant":"acme"}"#, .wrongIssuer),
            (#"{"iss":["https://issuer.example"],"aud":"weir","exp":1700000100,"tenant":"acme"}"#, .wrongIssuer),
            (#"{"iss":"https://issuer.example","exp":1700000100,"tenant":"acme"}"#, .wrongAudience),
            (#"{"iss":"https://issuer.example","aud":"Weir","exp":1700000100,"tenant":"acme"}"#, .wrongAudience),
            (#"{"iss":"https://issuer.example","aud":[],"exp":1700000100,"tenant":"acme"}"#, .wrongAudience),
            (#"{"iss":"https://issuer.example","aud":["weir",1],"exp":1700000100,"tenant":"acme"}"#, .wrongAudience),
            (#"{"iss":"https://issuer.example","aud":"weir","tenant":"acme"}"#, .withoutExpiry),
            (#"{"iss":"https://issuer.example","aud":"weir","exp":"1700000100","tenant":"acme"}"#, .malformed),
            (#"{"iss":"https://issuer.example","aud":"weir","exp":1e400,"tenant":"acme"}"#, .malformed),
            (#"{"iss":"https://issuer.example","aud":"weir","exp":-1,"tenant":"acme"}"#, .malformed),
            (#"{"iss":"https://issuer.example","aud":"weir","exp":NaN,"tenant":"acme"}"#, .malformed),
            (#"{"iss":"https://issuer.example","aud":"weir","exp":null,"tenant":"acme"}"#, .malformed),
            (#"{"iss":"https://issuer.example","aud":"weir","exp":1700000100}"#, .withoutTenant),
            (#"{"iss":"https://issuer.example","aud":"weir","exp":1700000100,"tenant":""}"#, .withoutTenant),
            (#"{"iss":"https://issuer.example","aud":"weir","exp":1700000100,"tenant":1.5}"#, .withoutTenant),
            (#"{"iss":"https://issuer.example","aud":"weir","exp":1700000100,"tenant":true}"#, .withoutTenant),
            (#"{"iss":"https://issuer.example","aud":"weir","exp":1700000100,"tenant":["acme"]}"#, .withoutTenant),
            (
                #"{"iss":"https://issuer.example","aud":"weir","exp":1700000100,"tenant":"a\r\nX-Weir-Tenant: b"}"#,
                .withoutTenant
            ),
            (#"{"iss":"https://issuer.example","aud":"weir","exp":1700000100,"tenant":"a,b"}"#, .withoutTenant),
            (#"{"iss":"https://issuer.example","aud":"weir","exp":1700000100,"tenant":"a","tenant":"b"}"#, .malformed),
        ] as [(String, TokenFault)])
    func aPayloadThatIsNotBelievedIsRefused(payload: String, expected: TokenFault) throws {
        #expect(try fault(Self.signer.token(payload)) == expected)
    }

    @Test func aTokenIsValidFromItsStartToItsEndGiveOrTakeTheLeeway() throws {
        let token = try Self.signer.token(payload(#","nbf":1700000000.5,"iat":1699999990"#))
        #expect(try fault(token, at: 1_700_000_129) == nil)
        #expect(try fault(token, at: 1_700_000_130) == .expired)
        #expect(try fault(token, at: 1_699_999_971) == nil)
        #expect(try fault(token, at: 1_699_999_970) == .notYetValid)
        let issuedLater = try Self.signer.token(payload(#","iat":1700000050"#))
        #expect(try fault(issuedLater) == .notYetValid)
        #expect(try fault(Self.signer.token(payload(#","nbf":"now""#))) == .malformed)
        let claims = try Check.verify(token, try Self.signer.keys())
        #expect(claims.until == 1_700_000_130_000)
        #expect(claims.from == 1_699_999_970_500)
    }

    @Test func signaturesHaveExactlyOneForm() throws {
        let keys = try Self.signer.keys()
        let token = try Self.signer.token(Check.payload)
        let parts = token.split(separator: ".")
        let raw = try #require(Base64URL.decode(Array(parts[2].utf8)))
        func with(_ signature: [UInt8]) -> String {
            "\(parts[0]).\(parts[1]).\(String(decoding: Base64URL.encode(signature), as: UTF8.self))"
        }
        let der = try P256.Signing.ECDSASignature(rawRepresentation: raw).derRepresentation
        #expect(Check.fault(with(Array(der)), keys) == .wrongSignature)
        let zeros = [UInt8](repeating: 0, count: 32)
        #expect(Check.fault(with(zeros + zeros), keys) == .wrongSignature)
        #expect(Check.fault(with(zeros + raw[32...]), keys) == .wrongSignature)
        #expect(Check.fault(with(Array(raw[..<32]) + zeros), keys) == .wrongSignature)
        #expect(Check.fault(with(raw + [0]), keys) == .wrongSignature)
        #expect(Check.fault(with(Array(raw.dropLast())), keys) == .wrongSignature)
        #expect(Check.fault("\(parts[0]).\(parts[1]).", keys) == .malformed)
        #expect(Check.fault("\(parts[0]).\(parts[1])", keys) == .malformed)
        #expect(Check.fault(token + "=", keys) == .malformed)
        #expect(Check.fault(token + ".a.b", keys) == .encrypted)
        #expect(Check.fault(token + "." + token, keys) == .malformed)
        #expect(Check.fault(String(repeating: "a", count: Token.longest + 1), keys) == .tooLong)
        #expect(Check.fault("", keys) == .malformed)
        #expect(Check.fault("..", keys) == .malformed)
        #expect(Check.fault(with(raw), keys) == nil)
    }

    /// A public key as the secret of an HMAC: whoever takes `alg` from the token alone believes it.
    @Test func aPublicKeyIsNoSecret() throws {
        let rsa = try Signer.rsa("RS256")
        let pem = try #require(Signer.rsaKey).publicKey.pemRepresentation
        let token = try Signer.hmac("HS256", Array(pem.utf8)).token(Check.payload)
        #expect(Check.fault(token, try rsa.keys()) == .unsuitableKey)
    }

    @Test(arguments: ["ES256", "EdDSA", "RS256"])
    func aTokenWithOneOtherByteIsRefused(algorithm: String) throws {
        var random = SeededGenerator(for: "aTokenWithOneOtherByteIsRefused(\(algorithm))")
        let signer = try Signer.named(algorithm)
        let keys = try signer.keys()
        let token = Array(try signer.token(Check.payload).utf8)
        for _ in 0..<300 {
            var changed = token
            let index = changed.indices.randomElement(using: &random)!
            repeat { changed[index] = UInt8.random(in: 0...255, using: &random) } while changed[index] == token[index]
            let outcome: TokenFault? = changed.withUnsafeBytes { bytes in
                do throws(TokenFault) {
                    _ = try Check.policy().verify(try Token(parsing: bytes), with: keys, at: Check.now * 1000)
                    return nil
                } catch {
                    return error
                }
            }
            #expect(outcome != nil, "byte \(index) became \(changed[index])")
        }
    }

    @Test func claimsAreTextsListsAndScopes() throws {
        let token = try Self.signer.token(
            payload(
                #","sub":"u1","level":7,"admin":true,"role":["ops",2,{}],"half":1.5,"deep":{"a":1},"none":null,"scope":"orders:read  orders:write","scp":["x"]"#
            ))
        let claims = try Check.verify(token, try Self.signer.keys())
        func text(_ name: String) -> String? {
            claims.text(named: Array(name.utf8)).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(text("sub") == "u1")
        #expect(text("level") == "7")
        #expect(text("admin") == "true")
        for name in ["role", "half", "deep", "none", "nothing", ""] { #expect(text(name) == nil) }
        #expect(claims.value(named: Array("role".utf8)) == .list([Array("ops".utf8), Array("2".utf8)]))
        #expect(claims.scopes == ["orders:read", "orders:write", "x"].map { Array($0.utf8) })
        #expect(claims.has(Array("role".utf8), oneOf: [Array("admin".utf8), Array("ops".utf8)]))
        #expect(!claims.has(Array("role".utf8), oneOf: [Array("admin".utf8)]))
        #expect(claims.has(Array("sub".utf8), oneOf: [Array("u1".utf8)]))
        #expect(!claims.has(Array("nothing".utf8), oneOf: [[]]))
        let number = try Check.verify(
            try Self.signer.token(
                #"{"iss":"https://issuer.example","aud":["x","other"],"exp":1700000100,"tenant":42}"#),
            try Self.signer.keys())
        #expect(number.tenant == Array("42".utf8))
        #expect(number.scopes.isEmpty)
    }
}
