/// A token in JWS compact form (RFC 7515), taken apart. Nothing of it is to be believed before its signature was checked.
package struct Token: Sendable {
    /// Bytes of the whole.
    package static let longest = 8192
    static let longestKeyID = 256

    let algorithm: SignatureAlgorithm
    /// `typ`
    let type: [UInt8]?
    package let keyID: [UInt8]?
    /// The payload's members; no name is there twice.
    let payload: [JSONMember]
    let signature: [UInt8]
    /// What the signature is of: header and payload as they came.
    let signed: [UInt8]

    /// Where there are keys, certificates or addresses of them in the header (`jwk`, `x5c`, `jku`, `x5u`) nobody looks at them.
    package init(parsing text: UnsafeRawBufferPointer) throws(TokenFault) {
        guard text.count <= Self.longest else { throw .tooLong }
        let dots = text.indices.filter { text[$0] == UInt8(ascii: ".") }
        if dots.count == 4 { throw .encrypted }
        guard dots.count == 2 else { throw .malformed }
        guard let header = Self.object(text[..<dots[0]]) else { throw .malformed }
        guard let name = header["alg"]?.string else { throw .malformed }
        guard let algorithm = SignatureAlgorithm(named: name) else { throw .unsupportedAlgorithm }
        // RFC 7797's `b64` would have to stand in `crit`, too.
        guard header["crit"] == nil, header["b64"] == nil else { throw .criticalExtension }
        self.algorithm = algorithm
        type = try Self.text(header["typ"])
        keyID = try Self.text(header["kid"])
        if let keyID, keyID.count > Self.longestKeyID { throw .malformed }
        guard let payload = Self.object(text[(dots[0] + 1)..<dots[1]]) else { throw .malformed }
        self.payload = payload
        guard let signature = Base64URL.decode(text[(dots[1] + 1)...]), !signature.isEmpty else { throw .malformed }
        self.signature = signature
        signed = Array(text[..<dots[1]])
    }

    /// What the payload says of who issued it, to find the keys; to be checked with them.
    package var issuer: [UInt8]? { payload["iss"]?.string }

    private static func object(_ part: Slice<UnsafeRawBufferPointer>) -> [JSONMember]? {
        Base64URL.decode(part).flatMap { JSONReader.read($0)?.object }
    }

    private static func text(_ value: JSONValue?) throws(TokenFault) -> [UInt8]? {
        guard let value else { return nil }
        guard let text = value.string else { throw .malformed }
        return text
    }
}
