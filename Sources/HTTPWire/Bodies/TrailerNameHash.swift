/// A trailer's name, as the 64-bit FNV-1a hash of its lower-case bytes: it comes in pieces and is not kept.
struct TrailerNameHash: Sendable {
    private var hash: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func append(_ byte: UInt8) {
        hash = (hash ^ UInt64(ByteClass.lowercased(byte))) &* 0x100_0000_01b3
    }

    /// RFC 9110 §6.5.1 forbids these in trailers.
    var isFramingField: Bool { Self.framingFields.contains { $0 == hash } }

    private static let framingFields: [UInt64] = [
        KnownField.contentLength, .transferEncoding, .host, .connection, .trailer, .te, .upgrade,
    ].map { field in
        var name = TrailerNameHash()
        for byte in UnsafeBufferPointer(start: field.name.utf8Start, count: field.name.utf8CodeUnitCount) {
            name.append(byte)
        }
        return name.hash
    }
}
