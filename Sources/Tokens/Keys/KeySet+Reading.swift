import Crypto
import CryptoExtras

/// Why a key set cannot be used, for people.
package struct KeySetError: Error, Hashable, Sendable {
    package let message: String

    init(_ message: String) { self.message = message }
}

extension KeySet {
    /// Bytes that a key set may have.
    package static let mostBytes = 1 << 20

    /// Reads a JWK set (RFC 7517). Keys of kinds, curves, algorithms or uses that are not known here are passed over, as §5
    /// says; what must never be in a public key set, secrets and private keys, makes the whole set one that is not believed.
    package static func read(_ text: [UInt8]) throws(KeySetError) -> KeySet {
        guard text.count <= mostBytes else { throw KeySetError("a key set has at most 1 MiB") }
        guard let set = JSONReader.read(text)?.object else {
            throw KeySetError("it is not a JSON object like {\"keys\": [...]}, or has a name twice")
        }
        guard let list = set["keys"]?.array else { throw KeySetError("it has no list of `keys`") }
        guard list.count <= mostKeys else { throw KeySetError("it has more than \(mostKeys) keys") }
        var keys: [VerificationKey] = []
        var skipped: [String] = []
        for (index, value) in list.enumerated() {
            guard let members = value.object else {
                skipped.append("key \(index + 1) is not an object")
                continue
            }
            switch try key(members, index + 1) {
            case .success(let key): keys.append(key)
            case .failure(let reason): skipped.append("key \(index + 1) \(reason.message)")
            }
        }
        guard !keys.isEmpty else {
            let reasons = skipped.prefix(3).joined(separator: "; ")
            throw KeySetError(
                list.isEmpty ? "its list of `keys` is empty" : "none of its keys can check signatures: \(reasons)")
        }
        return KeySet(keys)
    }

    /// `failure`: it is passed over.
    private static func key(
        _ members: [JSONMember], _ place: Int
    ) throws(KeySetError) -> Result<VerificationKey, KeySetError> {
        let kind = members["kty"]?.string
        if kind == Array("oct".utf8) {
            throw KeySetError("key \(place) is a secret (`kty` is oct), which a public key set must not have")
        }
        if members["d"] != nil {
            throw KeySetError("key \(place) is a private key (it has `d`), which a public key set must not have")
        }
        if let use = members["use"], use.string != Array("sig".utf8) { return .failure("is not for signatures") }
        if let uses = members["key_ops"], uses.strings?.contains(Array("verify".utf8)) != true {
            return .failure("is not for checking signatures")
        }
        var algorithm: SignatureAlgorithm?
        if let name = members["alg"] {
            algorithm = name.string.flatMap { SignatureAlgorithm(named: $0) }
            guard let algorithm, !algorithm.isSymmetric else { return .failure("is for an algorithm not known here") }
        }
        var id: [UInt8]?
        if let name = members["kid"] {
            guard let text = name.string, text.count <= Token.longestKeyID else {
                return .failure("has a strange `kid`")
            }
            id = text
        }
        let curve = members["crv"]?.string.map { String(decoding: $0, as: UTF8.self) } ?? ""
        let material: VerificationKey.Material?
        switch (kind.map { String(decoding: $0, as: UTF8.self) } ?? "", curve) {
        case ("RSA", _): material = rsa(members)
        case ("EC", "P-256"):
            material = point(members, 32).flatMap { try? P256.Signing.PublicKey(x963Representation: $0) }
                .map { .p256($0) }
        case ("EC", "P-384"):
            material = point(members, 48).flatMap { try? P384.Signing.PublicKey(x963Representation: $0) }
                .map { .p384($0) }
        case ("OKP", "Ed25519"):
            material = number(members["x"]).flatMap { try? Curve25519.Signing.PublicKey(rawRepresentation: $0) }
                .map { .ed25519($0) }
        default: return .failure("is of a kind not known here")
        }
        guard let material else { return .failure("is not valid, or an RSA key not of 2048 to 8192 bits") }
        let key = VerificationKey(id: id, algorithm: algorithm, material)
        guard algorithm.map(key.fits) ?? true else { return .failure("is for an algorithm of another kind of key") }
        return .success(key)
    }

    private static func number(_ value: JSONValue?) -> [UInt8]? { value?.string.flatMap { Base64URL.decode($0) } }

    /// Uncompressed; its coordinates have all of their bytes (RFC 7518 §6.2.1.2).
    private static func point(_ members: [JSONMember], _ length: Int) -> [UInt8]? {
        guard let x = number(members["x"]), let y = number(members["y"]), x.count == length, y.count == length else {
            return nil
        }
        return [4] + x + y
    }

    private static func rsa(_ members: [JSONMember]) -> VerificationKey.Material? {
        // Some write a zero before a number whose first bit is set, as DER does.
        guard let modulus = number(members["n"])?.drop(while: { $0 == 0 }), (256...1024).contains(modulus.count),
            let exponent = number(members["e"]), (1...4).contains(exponent.count), let last = exponent.last,
            last & 1 == 1, exponent != [1],
            let key = try? _RSA.Signing.PublicKey(n: Array(modulus), e: exponent), key.keySizeInBits >= 2048
        else { return nil }
        return .rsa(key)
    }
}

extension Result<VerificationKey, KeySetError> {
    fileprivate static func failure(_ reason: String) -> Self { .failure(KeySetError(reason)) }
}
