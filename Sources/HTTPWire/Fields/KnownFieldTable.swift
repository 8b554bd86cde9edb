/// From a field's name to `KnownField`: a hash over the name's ends, then one comparison.
///
/// Sendable: written once, by the initializer, and never freed.
struct KnownFieldTable: @unchecked Sendable {
    private struct Entry {
        let field: KnownField
        let length: UInt8
        let name: UnsafePointer<UInt8>
    }

    static let shared = KnownFieldTable()
    private static let slots = 256
    private static let longestName = 32
    private static let blanks: UInt64 = 0x2020_2020_2020_2020

    /// Linear probing; a slot of length 0 is free.
    private let entries: UnsafePointer<Entry>

    private init() {
        let entries = UnsafeMutablePointer<Entry>.allocate(capacity: Self.slots)
        let free = Entry(field: .other, length: 0, name: KnownField.other.name.utf8Start)
        entries.initialize(repeating: free, count: Self.slots)
        for field in KnownField.allCases where field != .other {
            let name = field.name.utf8Start
            let length = field.name.utf8CodeUnitCount
            precondition(length <= Self.longestName)
            var slot = Self.hash(name, length)
            while entries[slot].length != 0 { slot = (slot + 1) & (Self.slots - 1) }
            entries[slot] = Entry(field: field, length: UInt8(length), name: name)
        }
        self.entries = UnsafePointer(entries)
    }

    /// The name must be a token, as checked by the parser, and not empty.
    @inline(__always)
    func lookup(_ name: UnsafePointer<UInt8>, _ length: Int) -> KnownField {
        guard length <= Self.longestName else { return .other }
        var slot = Self.hash(name, length)
        while entries[slot].length != 0 {
            if Int(entries[slot].length) == length, Self.isSame(name, entries[slot].name, length) {
                return entries[slot].field
            }
            slot = (slot &+ 1) & (Self.slots - 1)
        }
        return .other
    }

    /// The field that the name would be, were its underscores hyphens: programs that turn fields into environment
    /// variables cannot tell `X_Forwarded_For` from `X-Forwarded-For`.
    func lookupAlias(_ name: UnsafePointer<UInt8>, _ length: Int) -> KnownField {
        guard length <= Self.longestName else { return .other }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.longestName) { copy in
            for offset in 0..<length {
                copy[offset] = name[offset] == UInt8(ascii: "_") ? UInt8(ascii: "-") : name[offset]
            }
            return lookup(copy.baseAddress!, length)
        }
    }

    // `| 0x20` makes letters lower case. Of all token bytes only letters become letters by it, and digits and hyphens come
    // from themselves alone, so two tokens that agree under it agree but for case, if one is of letters, digits and hyphens.

    @inline(__always)
    private static func hash(_ name: UnsafePointer<UInt8>, _ length: Int) -> Int {
        var mixed: UInt32
        if length >= 4 {
            mixed = load(name, 0, as: UInt32.self) | UInt32(truncatingIfNeeded: blanks)
            mixed =
                mixed &* 0x9e37_79b1 ^ (load(name, length &- 4, as: UInt32.self) | UInt32(truncatingIfNeeded: blanks))
        } else {
            mixed = UInt32(name[0] | 0x20) << 8 | UInt32(name[length &- 1] | 0x20)
        }
        mixed = (mixed ^ UInt32(truncatingIfNeeded: length) << 16) &* 0x85eb_ca77
        return Int(((mixed ^ mixed >> 13) &* 0xc2b2_ae3d) >> 24)
    }

    @inline(__always)
    private static func isSame(_ name: UnsafePointer<UInt8>, _ known: UnsafePointer<UInt8>, _ length: Int) -> Bool {
        guard length >= 8 else {
            for offset in 0..<length where name[offset] | 0x20 != known[offset] { return false }
            return true
        }
        // Words of eight bytes, the last of which may overlap the one before.
        var offset = 0
        while offset < length &- 8 {
            guard load(name, offset, as: UInt64.self) | blanks == load(known, offset, as: UInt64.self) else {
                return false
            }
            offset &+= 8
        }
        return load(name, length &- 8, as: UInt64.self) | blanks == load(known, length &- 8, as: UInt64.self)
    }

    @inline(__always)
    private static func load<Word: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafePointer<UInt8>, _ offset: Int, as type: Word.Type
    ) -> Word {
        UnsafeRawPointer(bytes + offset).loadUnaligned(as: type)
    }
}
