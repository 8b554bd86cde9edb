import HTTPWire

/// What clients must not say, because it is believed where it stands.
extension Exchange {
    private static let saidByProxies: KnownFieldSet = [
        .forwarded, .xForwardedFor, .xForwardedProto, .xForwardedHost, .xForwardedPort, .xForwardedPrefix, .xRealIP,
    ]

    private static let prefix: StaticString = "x-forwarded-"

    /// Takes out what only Weir says of a caller and, unless the peer is a trusted proxy, what only such a one says: before anything
    /// looks at the fields, and after the address of the client was found in them.
    func removeForgeries() {
        let identity = edition.plan.identity
        let isTrusted = client.isTrustedProxy
        if !isTrusted || identity.header?.known != .xWeirTenant { client.reader.head.fields.remove(.xWeirTenant) }
        for name in identity.claimFields { client.reader.head.fields.remove(named: name) }
        guard !isTrusted else { return }
        if let name = identity.header { client.reader.head.fields.remove(named: name) }
        client.reader.head.fields.remove(Self.saidByProxies)
        for index in 0..<client.reader.head.fields.count {
            let field = client.reader.head.fields[index]
            guard field.known == .other, !field.isRemoved, field.name.count > Self.prefix.utf8CodeUnitCount else {
                continue
            }
            if client.reader.head.fields.withName(at: index, { Self.isForwarding($0) }) {
                client.reader.head.fields.remove(at: index)
            }
        }
    }

    /// Whether a name begins like `X-Forwarded-`, an underscore standing for a hyphen.
    private static func isForwarding(_ name: UnsafeRawBufferPointer) -> Bool {
        guard name[0] | 0x20 == UInt8(ascii: "x") else { return false }
        for index in 1..<prefix.utf8CodeUnitCount {
            let byte = name[index]
            let expected = prefix.utf8Start[index]
            guard
                byte | 0x20 == expected
                    || expected == UInt8(ascii: "-") && (byte == expected || byte == UInt8(ascii: "_"))
            else { return false }
        }
        return true
    }
}
