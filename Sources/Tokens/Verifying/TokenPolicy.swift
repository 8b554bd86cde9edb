/// What an issuer's tokens must be to be believed.
package struct TokenPolicy: Hashable, Sendable {
    /// `iss`, to the letter.
    package var issuer: [UInt8]
    /// One of these must be in `aud`.
    package var audiences: [[UInt8]]
    package var algorithms: Set<SignatureAlgorithm>
    /// For `exp`, `nbf` and `iat`, in milliseconds.
    package var leewayMilliseconds: Int64
    /// What `typ` may be, in lowercase and without `application/`; nil: JWT and at+jwt, and a token need not say.
    package var types: [[UInt8]]?
    /// The claim that names the tenant.
    package var tenantClaim: [UInt8]

    package init(
        issuer: String, audiences: [String], algorithms: Set<SignatureAlgorithm>, leeway: Duration, types: [String]?,
        tenantClaim: String
    ) {
        self.issuer = Array(issuer.utf8)
        self.audiences = audiences.map { Array($0.utf8) }
        self.algorithms = algorithms
        leewayMilliseconds = leeway.components.seconds * 1000 + leeway.components.attoseconds / 1_000_000_000_000_000
        self.types = types.map { $0.map { Self.type(Array($0.utf8)) } }
        self.tenantClaim = Array(tenantClaim.utf8)
    }

    private static let usualTypes = ["jwt", "at+jwt"].map { Array($0.utf8) }
    private static let typePrefix = Array("application/".utf8)

    /// As types are compared: RFC 7515 §4.1.9 lets `application/` be left out, and media types have no case.
    private static func type(_ name: [UInt8]) -> [UInt8] {
        let lowercase = name.map { $0 &- UInt8(ascii: "A") < 26 ? $0 | 0x20 : $0 }
        return lowercase.starts(with: typePrefix) ? Array(lowercase.dropFirst(typePrefix.count)) : lowercase
    }

    /// Checks all that can be checked before the signature, and with that: which key it is. Then the signature, and only
    /// then what the token claims. `now` is in milliseconds since 1970.
    package func verify(_ token: Token, with keys: KeySet, at now: Int64) throws(TokenFault) -> Claims {
        guard token.issuer == issuer else { throw .wrongIssuer }
        guard algorithms.contains(token.algorithm) else { throw .unsupportedAlgorithm }
        try checkType(token.type)
        switch keys.choose(id: token.keyID, for: token.algorithm) {
        case .unknownID: throw .unknownKey
        case .unsuitable: throw .unsuitableKey
        case .keys(let keys):
            guard keys.contains(where: { $0.isValid(token.signature, of: token.signed, token.algorithm) }) else {
                throw .wrongSignature
            }
        }
        let (from, until) = try period(of: token.payload, at: now)
        guard let audience = token.payload["aud"], isMeant(audience) else { throw .wrongAudience }
        guard let claims = Claims(token.payload, tenantClaim: tenantClaim, from: from, until: until) else {
            throw .withoutTenant
        }
        return claims
    }

    private func checkType(_ type: [UInt8]?) throws(TokenFault) {
        guard let type else {
            if types != nil { throw .wrongType }
            return
        }
        guard (types ?? Self.usualTypes).contains(Self.type(type)) else { throw .wrongType }
    }

    private func isMeant(_ audience: JSONValue) -> Bool {
        switch audience {
        case .string(let one): audiences.contains(one)
        case .array: audience.strings?.contains { audiences.contains($0) } == true
        default: false
        }
    }

    /// When the token is valid, leeway included: from the first to before the second, in milliseconds.
    ///
    /// `exp` has to be there (RFC 9068 §2.2). A token issued in the future is refused, as one that is not valid yet: RFC 7519
    /// does not ask for that, but a clock that is so far ahead makes tokens that outlive what their issuer meant.
    private func period(of payload: [JSONMember], at now: Int64) throws(TokenFault) -> (from: Int64, until: Int64) {
        guard let end = payload["exp"] else { throw .withoutExpiry }
        let until = try Self.moment(end) + leewayMilliseconds
        var from = Int64.min
        for start in [payload["nbf"], payload["iat"]] {
            if let start { from = max(from, try Self.moment(start) - leewayMilliseconds) }
        }
        guard now < until else { throw .expired }
        guard now >= from else { throw .notYetValid }
        return (from, until)
    }

    /// Milliseconds since 1970, of a number of seconds that is not negative and not absurd.
    private static func moment(_ value: JSONValue) throws(TokenFault) -> Int64 {
        guard case .number(let number) = value, let moment = number.thousandths, moment >= 0 else { throw .malformed }
        return moment
    }
}
