/// From a field's name to `KnownField`: a hash over a few bytes of the name, then one comparison.
enum KnownFieldTable {
    private static let slots = 256
    static let longestName = 32

    private struct Entry {
        let field: KnownField
        let length: UInt8
        let name: UnsafePointer<UInt8>
    }

    // Written once, by the initializer below, and never freed. Linear probing; a slot of length 0 is free.
    nonisolated(unsafe) private static let table: UnsafePointer<Entry> = {
        let table = UnsafeMutablePointer<Entry>.allocate(capacity: slots)
        let free = KnownField.other.name.utf8Start
        table.initialize(repeating: Entry(field: .other, length: 0, name: free), count: slots)
        for field in KnownField.allCases where field != .other {
            let name = field.name.utf8Start
            let length = field.name.utf8CodeUnitCount
            precondition(length <= longestName)
            var slot = hash(name, length)
            while table[slot].length != 0 { slot = (slot + 1) & (slots - 1) }
            table[slot] = Entry(field: field, length: UInt8(length), name: name)
        }
        return UnsafePointer(table)
    }()

    /// `| 0x20` makes letters lower case and does not change digits and hyphens.
    @inline(__always)
    private static func hash(_ name: UnsafePointer<UInt8>, _ length: Int) -> Int {
        let first = UInt32(name[0] | 0x20)
        let middle = UInt32(name[length >> 1] | 0x20)
        let nearEnd = UInt32(name[max(length - 3, 0)] | 0x20)
        let last = UInt32(name[length - 1] | 0x20)
        var mixed = first &* 0x9e37_79b1
        mixed = (mixed ^ middle) &* 0x85eb_ca77
        mixed = (mixed ^ nearEnd) &* 0xc2b2_ae3d
        mixed = (mixed ^ last ^ UInt32(truncatingIfNeeded: length) << 8) &* 0x27d4_eb2f
        return Int(mixed >> 24)
    }

    /// `length` must not be 0.
    @inline(__always)
    static func lookup(_ name: UnsafePointer<UInt8>, _ length: Int) -> KnownField {
        guard length <= longestName else { return .other }
        let table = table
        var slot = hash(name, length)
        while table[slot].length != 0 {
            if Int(table[slot].length) == length, ByteScan.equal(name, table[slot].name, count: length) {
                return table[slot].field
            }
            slot = (slot &+ 1) & (slots - 1)
        }
        return .other
    }

    /// The field that the name would be, were its underscores hyphens: programs that turn fields into environment
    /// variables cannot tell `X_Forwarded_For` from `X-Forwarded-For`.
    static func lookupAlias(_ name: UnsafePointer<UInt8>, _ length: Int) -> KnownField {
        guard length <= longestName else { return .other }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: longestName) { copy in
            for offset in 0..<length {
                copy[offset] = name[offset] == UInt8(ascii: "_") ? UInt8(ascii: "-") : name[offset]
            }
            return lookup(copy.baseAddress!, length)
        }
    }
}
