/// What is written in place of values that nobody should read.
package enum Redaction {
    private static let hidden: StaticString = "…"

    /// A query, without its question mark, whose parameters keep their names: `a=…&b=…`. `names` nil: all values are hidden; otherwise
    /// those of these parameters, whose names in the query may be percent-encoded. What has no `=` is a value. Some servers take
    /// semicolons for separators, so they are ones here, too.
    package static func hideValues(
        of query: UnsafeRawBufferPointer, named names: [[UInt8]]?, into text: inout [UInt8]
    ) {
        var start = 0
        while start <= query.count {
            var end = start
            while end < query.count, query[end] != UInt8(ascii: "&"), query[end] != UInt8(ascii: ";") { end += 1 }
            append(UnsafeRawBufferPointer(rebasing: query[start..<end]), names, to: &text)
            if end < query.count { text.append(query[end]) }
            start = end + 1
        }
    }

    private static func append(_ parameter: UnsafeRawBufferPointer, _ names: [[UInt8]]?, to text: inout [UInt8]) {
        let equals = parameter.firstIndex(of: UInt8(ascii: "="))
        let name = UnsafeRawBufferPointer(rebasing: parameter[..<(equals ?? parameter.count)])
        if let names, !names.contains(where: { isEqual(name, to: $0) }) {
            text.append(contentsOf: parameter)
        } else if equals != nil {
            text.append(contentsOf: name)
            text.append(UInt8(ascii: "="))
            hide(in: &text)
        } else if !parameter.isEmpty {
            hide(in: &text)
        }
    }

    private static func hide(in text: inout [UInt8]) { hidden.withUTF8Buffer { text.append(contentsOf: $0) } }

    /// Whether a parameter's name is this one, once its escapes are decoded.
    private static func isEqual(_ encoded: UnsafeRawBufferPointer, to name: [UInt8]) -> Bool {
        var (position, place) = (0, 0)
        while position < encoded.count {
            var byte = encoded[position]
            position += 1
            if byte == UInt8(ascii: "+") {
                byte = 0x20
            } else if byte == UInt8(ascii: "%"), position + 1 < encoded.count,
                let high = hexValue(encoded[position]), let low = hexValue(encoded[position + 1])
            {
                byte = high << 4 | low
                position += 2
            }
            guard place < name.count, name[place] == byte else { return false }
            place += 1
        }
        return place == name.count
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// A word of 16 hexadecimal digits that stands for a value: SipHash under a key that each process draws for itself, so the same
    /// value has the same word until the process ends, and nobody can try values out against the log.
    package static func word(for value: UnsafeRawBufferPointer, into text: inout [UInt8]) {
        var hasher = Hasher()
        hasher.combine(bytes: value)
        Hexadecimal.append(UInt64(bitPattern: Int64(hasher.finalize())), to: &text)
    }
}

/// Which part of many things is taken: the same of them wherever the same share is configured.
package struct Sampler: Sendable {
    private let threshold: UInt64
    private let takesAll: Bool

    /// From 0 to 1.
    package init(share: Double) {
        takesAll = share >= 1
        threshold = takesAll ? .max : UInt64(max(0, share) * 0x1p64)
    }

    package var isNeeded: Bool { !takesAll }

    /// `hash` must be spread evenly over all values.
    package func takes(_ hash: UInt64) -> Bool { takesAll || hash < threshold }

    /// FNV-1a (Fowler, Noll, Vo), whose high bits are then mixed from all of them; the same in every process.
    package static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return mix(hash)
    }

    /// The finalizer of MurmurHash3 (Appleby): each bit of the number changes half of the result's.
    package static func mix(_ number: UInt64) -> UInt64 {
        var hash = number
        hash = (hash ^ hash >> 33) &* 0xff51_afd7_ed55_8ccd
        hash = (hash ^ hash >> 33) &* 0xc4ce_b9fe_1a85_ec53
        return hash ^ hash >> 33
    }
}
