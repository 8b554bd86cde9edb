/// The parameters of a query, one after the other, as offsets: `a=1&b`. They are parted by `&` alone; empty ones are left out.
package struct QueryParameters {
    package struct Parameter {
        package let name: Range<Int>
        /// Empty where there is no `=`.
        package let value: Range<Int>
        /// Name, `=` and value.
        package let whole: Range<Int>
    }

    private let query: UnsafeRawBufferPointer
    private var offset: Int

    /// A query with its question mark, or an empty one. The bytes must outlive this.
    package init(_ query: UnsafeRawBufferPointer) {
        self.query = query
        offset = min(1, query.count)
    }

    package mutating func next() -> Parameter? {
        while offset < query.count {
            let start = offset
            var equals = -1
            while offset < query.count, query[offset] != UInt8(ascii: "&") {
                if equals < 0, query[offset] == UInt8(ascii: "=") { equals = offset }
                offset += 1
            }
            let end = offset
            offset += 1
            guard end > start else { continue }
            let nameEnd = equals < 0 ? end : equals
            return Parameter(
                name: start..<nameEnd, value: min(nameEnd + 1, end)..<end, whole: start..<end)
        }
        return nil
    }

    /// Whether a part of a query, once escapes and `+` are decoded, is `text`. An escape that is none stands for itself.
    package static func isSame(_ part: UnsafeRawBufferPointer, _ text: [UInt8]) -> Bool {
        guard part.count >= text.count else { return false }
        var length = 0
        var offset = 0
        while offset < part.count {
            var byte = part[offset]
            offset += 1
            if byte == UInt8(ascii: "+") {
                byte = .space
            } else if byte == UInt8(ascii: "%"), offset + 1 < part.count,
                let high = ByteClass.hexValue(part[offset]), let low = ByteClass.hexValue(part[offset + 1])
            {
                byte = high << 4 | low
                offset += 2
            }
            guard length < text.count, text[length] == byte else { return false }
            length += 1
        }
        return length == text.count
    }
}

extension ByteCursor {
    /// Each byte that is not unreserved as its escape: at most three times as many. `keepsEscapes`: a `%` stays.
    package mutating func write(percentEncoding bytes: UnsafeRawBufferPointer, keepsEscapes: Bool = false) {
        let classes = ByteClass.table
        for byte in bytes {
            if classes[Int(byte)] & ByteClass.unreserved != 0 || keepsEscapes && byte == UInt8(ascii: "%") {
                write(byte: byte)
            } else {
                write(byte: UInt8(ascii: "%"))
                write(byte: Self.upperHexadecimal(byte >> 4))
                write(byte: Self.upperHexadecimal(byte & 15))
            }
        }
    }

    private static func upperHexadecimal(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10
    }

    /// What can stand in a field's value: control characters are left out.
    package mutating func write(fieldValue bytes: UnsafeRawBufferPointer) {
        for byte in bytes where byte >= 0x20 && byte != 0x7f { write(byte: byte) }
    }
}
