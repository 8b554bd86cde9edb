/// Why a token is refused. What it says is for whoever sent the token, so it repeats nothing of token or configuration.
package enum TokenFault: Int, CaseIterable, Error, Sendable {
    case malformed
    case tooLong
    case encrypted
    case unsupportedAlgorithm
    case criticalExtension
    case wrongType
    case unknownKey
    case unsuitableKey
    case wrongSignature
    case wrongIssuer
    case wrongAudience
    case withoutExpiry
    case expired
    case notYetValid
    case withoutTenant

    package var sentence: StaticString {
        switch self {
        case .malformed: "The token is malformed."
        case .tooLong: "The token is too long."
        case .encrypted: "Encrypted tokens are not accepted."
        case .unsupportedAlgorithm: "The token's algorithm is not accepted."
        case .criticalExtension: "The token has an extension that is not understood."
        case .wrongType: "The token is not of an accepted type."
        case .unknownKey: "The token's key is not known."
        case .unsuitableKey: "No key can check the token's signature."
        case .wrongSignature: "The token's signature is wrong."
        case .wrongIssuer: "The token's issuer is not trusted."
        case .wrongAudience: "The token is meant for another audience."
        case .withoutExpiry: "The token does not say when it expires."
        case .expired: "The token has expired."
        case .notYetValid: "The token is not valid yet."
        case .withoutTenant: "The token names no valid tenant."
        }
    }
}
