import Crypto
package import CryptoExtras
import Foundation

/// Makes keys, and tokens of them, as an issuer does.
package struct Signer: Sendable {
    package let sign: @Sendable ([UInt8]) throws -> [UInt8]
    /// The public part as a JWK's members, without braces; empty: a secret.
    package let jwk: String
    package let algorithm: String

    package func key(id: String? = "k", more: String = "") -> String {
        "{\(jwk)\(id.map { ",\"kid\":\"\($0)\"" } ?? "")\(more)}"
    }

    /// A set of this key alone.
    package func set(id: String? = "k", more: String = "") -> String { "{\"keys\":[\(key(id: id, more: more))]}" }

    /// Header and payload as they are given; `algorithm` and `k` where no header is.
    package func token(_ payload: String, header: String? = nil) throws -> String {
        let header = header ?? "{\"alg\":\"\(algorithm)\",\"kid\":\"k\"}"
        let signed = "\(Self.text(header.utf8)).\(Self.text(payload.utf8))"
        return "\(signed).\(Self.text(try sign(Array(signed.utf8))))"
    }

    private static func text(_ bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    package static func es256() -> Signer {
        let key = P256.Signing.PrivateKey()
        let point = Array(key.publicKey.rawRepresentation)
        return Signer(
            sign: { Array(try key.signature(for: SHA256.hash(data: $0)).rawRepresentation) },
            jwk: "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"\(text(point[..<32]))\",\"y\":\"\(text(point[32...]))\"",
            algorithm: "ES256")
    }

    package static func es384() -> Signer {
        let key = P384.Signing.PrivateKey()
        let point = Array(key.publicKey.rawRepresentation)
        return Signer(
            sign: { Array(try key.signature(for: SHA384.hash(data: $0)).rawRepresentation) },
            jwk: "\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"\(text(point[..<48]))\",\"y\":\"\(text(point[48...]))\"",
            algorithm: "ES384")
    }

    package static func edDSA() -> Signer {
        let key = Curve25519.Signing.PrivateKey()
        return Signer(
            sign: { Array(try key.signature(for: $0)) },
            jwk: "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"\(text(key.publicKey.rawRepresentation))\"",
            algorithm: "EdDSA")
    }

    package static let rsaKey = try? _RSA.Signing.PrivateKey(keySize: .bits2048)

    package static func rsa(_ algorithm: String) throws -> Signer {
        guard let key = rsaKey else { throw CryptoKitError.incorrectParameterSize }
        let numbers = try key.publicKey.getKeyPrimitives()
        return Signer(
            sign: { message in
                let padding: _RSA.Signing.Padding = algorithm.hasPrefix("PS") ? .PSS : .insecurePKCS1v1_5
                let signature =
                    switch algorithm.suffix(3) {
                    case "256": try key.signature(for: SHA256.hash(data: message), padding: padding)
                    case "384": try key.signature(for: SHA384.hash(data: message), padding: padding)
                    default: try key.signature(for: SHA512.hash(data: message), padding: padding)
                    }
                return Array(signature.rawRepresentation)
            }, jwk: "\"kty\":\"RSA\",\"n\":\"\(text(numbers.modulus))\",\"e\":\"\(text(numbers.publicExponent))\"",
            algorithm: algorithm)
    }

    package static func hmac(_ algorithm: String, _ secret: [UInt8]) -> Signer {
        let key = SymmetricKey(data: secret)
        return Signer(
            sign: { message in
                switch algorithm {
                case "HS256": Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
                case "HS384": Array(HMAC<SHA384>.authenticationCode(for: message, using: key))
                default: Array(HMAC<SHA512>.authenticationCode(for: message, using: key))
                }
            }, jwk: "", algorithm: algorithm)
    }

    package static func named(_ algorithm: String) throws -> Signer {
        switch algorithm {
        case "ES256": es256()
        case "ES384": es384()
        case "EdDSA": edDSA()
        default: try rsa(algorithm)
        }
    }
}
