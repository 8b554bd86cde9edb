/// The algorithms of RFC 7518 and RFC 8037 that are believed. There is no `none`.
package enum SignatureAlgorithm: String, CaseIterable, Sendable {
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"
    case es256 = "ES256"
    case es384 = "ES384"
    case edDSA = "EdDSA"
    case hs256 = "HS256"
    case hs384 = "HS384"
    case hs512 = "HS512"

    /// As tokens and keys name it, to the letter: names are case-sensitive.
    init?(named name: [UInt8]) {
        guard let known = Self.allCases.first(where: { name.elementsEqual($0.rawValue.utf8) }) else { return nil }
        self = known
    }

    package var isSymmetric: Bool { self == .hs256 || self == .hs384 || self == .hs512 }

    /// RFC 7518 §3.2: a secret is at least as long as the hash. Bytes; nil for signatures with a key pair.
    package var leastSecretBytes: Int? {
        switch self {
        case .hs256: 32
        case .hs384: 48
        case .hs512: 64
        default: nil
        }
    }
}
