/// ASCII text as bytes: compared and read without becoming a String.
extension UnsafeRawBufferPointer {
    /// Whether the bytes are `lowercase` once letters are made lower case.
    package func equalsLowercase(_ lowercase: StaticString) -> Bool {
        guard count == lowercase.utf8CodeUnitCount else { return false }
        guard let base = baseAddress?.assumingMemoryBound(to: UInt8.self) else { return true }
        return ByteScan.equal(base, lowercase.utf8Start, count: count)
    }

    package func equalsIgnoringCase(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        for offset in 0..<count where ByteClass.lowercased(self[offset]) != ByteClass.lowercased(other[offset]) {
            return false
        }
        return true
    }

    /// The number that the bytes are, all of them decimal digits; nil where they are not, are none, or pass Int64.
    package var decimal: Int64? {
        guard !isEmpty else { return nil }
        var number: Int64 = 0
        for byte in self {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (tenfold, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, carries) = tenfold.addingReportingOverflow(Int64(digit))
            guard !overflow, !carries else { return nil }
            number = sum
        }
        return number
    }

    /// A token of RFC 9110: what methods, field names and list elements are made of.
    package var isToken: Bool {
        !isEmpty && allSatisfy { ByteClass.table[Int($0)] & ByteClass.token != 0 }
    }
}
