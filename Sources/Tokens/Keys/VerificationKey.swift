import Crypto
import CryptoExtras

/// A key that signatures are checked with, and what it may be used for. Each key is of one kind, and each kind has its own
/// algorithms, so that a token cannot choose how its key is understood.
package struct VerificationKey: Equatable, Sendable {
    enum Material: Equatable, Sendable {
        case rsa(_RSA.Signing.PublicKey)
        case p256(P256.Signing.PublicKey)
        case p384(P384.Signing.PublicKey)
        case ed25519(Curve25519.Signing.PublicKey)
        case secret(SymmetricKey)

        static func == (a: Material, b: Material) -> Bool {
            switch (a, b) {
            case (.rsa(let a), .rsa(let b)): a.derRepresentation == b.derRepresentation
            case (.p256(let a), .p256(let b)): a.rawRepresentation == b.rawRepresentation
            case (.p384(let a), .p384(let b)): a.rawRepresentation == b.rawRepresentation
            case (.ed25519(let a), .ed25519(let b)): a.rawRepresentation == b.rawRepresentation
            case (.secret(let a), .secret(let b)): a == b
            default: false
            }
        }
    }

    /// `kid`; nil: it has none.
    package let id: [UInt8]?
    /// The one algorithm that it is for; nil: all of its kind.
    let algorithm: SignatureAlgorithm?
    let material: Material

    init(id: [UInt8]?, algorithm: SignatureAlgorithm?, _ material: Material) {
        self.id = id
        self.algorithm = algorithm
        self.material = material
    }

    /// A secret that both sides know; nil: too short for any algorithm.
    init?(secret: [UInt8]) {
        guard secret.count >= 32 else { return nil }
        self.init(id: nil, algorithm: nil, .secret(SymmetricKey(data: secret)))
    }

    package func fits(_ algorithm: SignatureAlgorithm) -> Bool {
        if let own = self.algorithm, own != algorithm { return false }
        switch (material, algorithm) {
        case (.rsa, .rs256), (.rsa, .rs384), (.rsa, .rs512), (.rsa, .ps256), (.rsa, .ps384), (.rsa, .ps512): return true
        case (.p256, .es256), (.p384, .es384), (.ed25519, .edDSA): return true
        case (.secret(let key), .hs256), (.secret(let key), .hs384), (.secret(let key), .hs512):
            return key.bitCount / 8 >= algorithm.leastSecretBytes!
        default: return false
        }
    }

    /// Whether `signature` is this key's, of these bytes, by this algorithm. An algorithm of another kind of key has none.
    func isValid(_ signature: [UInt8], of message: some Sequence<UInt8>, _ algorithm: SignatureAlgorithm) -> Bool {
        guard fits(algorithm) else { return false }
        let message = Array(message)
        switch material {
        case .rsa(let key): return Self.isValid(signature, of: message, algorithm, key)
        case .p256(let key):
            // Exactly r and s, as RFC 7518 §3.4 has it, never DER.
            guard signature.count == 64, let raw = try? P256.Signing.ECDSASignature(rawRepresentation: signature)
            else { return false }
            return key.isValidSignature(raw, for: SHA256.hash(data: message))
        case .p384(let key):
            guard signature.count == 96, let raw = try? P384.Signing.ECDSASignature(rawRepresentation: signature)
            else { return false }
            return key.isValidSignature(raw, for: SHA384.hash(data: message))
        case .ed25519(let key): return signature.count == 64 && key.isValidSignature(signature, for: message)
        case .secret(let key):
            switch algorithm {
            case .hs256: return HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: message, using: key)
            case .hs384: return HMAC<SHA384>.isValidAuthenticationCode(signature, authenticating: message, using: key)
            case .hs512: return HMAC<SHA512>.isValidAuthenticationCode(signature, authenticating: message, using: key)
            default: return false
            }
        }
    }

    private static func isValid(
        _ signature: [UInt8], of message: [UInt8], _ algorithm: SignatureAlgorithm, _ key: _RSA.Signing.PublicKey
    ) -> Bool {
        guard signature.count == (key.keySizeInBits + 7) / 8 else { return false }
        let signature = _RSA.Signing.RSASignature(rawRepresentation: signature)
        switch algorithm {
        case .rs256:
            return key.isValidSignature(signature, for: SHA256.hash(data: message), padding: .insecurePKCS1v1_5)
        case .rs384:
            return key.isValidSignature(signature, for: SHA384.hash(data: message), padding: .insecurePKCS1v1_5)
        case .rs512:
            return key.isValidSignature(signature, for: SHA512.hash(data: message), padding: .insecurePKCS1v1_5)
        case .ps256: return key.isValidSignature(signature, for: SHA256.hash(data: message), padding: .PSS)
        case .ps384: return key.isValidSignature(signature, for: SHA384.hash(data: message), padding: .PSS)
        case .ps512: return key.isValidSignature(signature, for: SHA512.hash(data: message), padding: .PSS)
        default: return false
        }
    }
}
