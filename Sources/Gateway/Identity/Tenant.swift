/// Whose request it is.
final class Tenant: Sendable {
    /// As limits, the log and the upstream are told. Empty: anonymous.
    let name: [UInt8]
    /// Index of its plan; below zero: none.
    let plan: Int
    /// Of the name, for tables that are looked through at each request.
    let hash: ByteTable.Hash

    init(_ name: [UInt8], plan: Int = -1) {
        self.name = name
        self.plan = plan
        hash = ByteTable.Hash(name)
    }

    static let anonymous = Tenant([])

    /// Names that can be a header's value as they are: visible ASCII and spaces within, or UTF-8, up to this many bytes.
    static let longestName = 256

    static func isValid(_ name: UnsafeRawBufferPointer) -> Bool {
        !name.isEmpty && name.count <= longestName
            && name.allSatisfy { $0 > 0x1f && $0 != 0x7f && $0 != UInt8(ascii: ",") }
    }
}
