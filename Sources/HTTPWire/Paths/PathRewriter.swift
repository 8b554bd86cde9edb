/// The two passes that make a path canonical.
enum PathRewriter {
    /// Checks and normalizes escapes. `out` has room for `count` bytes; returns how many were written.
    static func decode(
        _ bytes: UnsafePointer<UInt8>, _ count: Int, into out: UnsafeMutablePointer<UInt8>
    ) throws(WireError) -> Int {
        let classes = ByteClass.table
        var offset = 0
        var length = 0
        var previous: UInt8 = 0
        while offset < count {
            let byte = bytes[offset]
            guard byte == UInt8(ascii: "%") else {
                guard byte != UInt8(ascii: ";") else { throw WireError(.badPath) }
                out[length] = byte
                length += 1
                offset += 1
                previous = 0
                continue
            }
            guard offset + 2 < count, let high = ByteClass.hexValue(bytes[offset + 1]),
                let low = ByteClass.hexValue(bytes[offset + 2])
            else { throw WireError(.badPath) }
            let decoded = high << 4 | low
            guard isAccepted(decoded, after: previous) else { throw WireError(.badPath) }
            if classes[Int(decoded)] & ByteClass.unreserved != 0 {
                out[length] = decoded
                length += 1
                previous = 0
            } else {
                out[length] = byte
                out[length + 1] = upperHex(high)
                out[length + 2] = upperHex(low)
                length += 3
                previous = decoded
            }
            offset += 3
        }
        try refuseEscapedEscapes(out, length)
        return length
    }

    /// `previous` is the byte escaped just before, 0 if there is none.
    private static func isAccepted(_ decoded: UInt8, after previous: UInt8) -> Bool {
        switch decoded {
        case 0x00...0x1f, 0x7f, UInt8(ascii: "/"), UInt8(ascii: "\\"), 0xc0, 0xc1: false
        case 0x80...0x8f: previous != 0xe0 && previous != 0xf0
        case 0x90...0x9f: previous != 0xe0
        default: true
        }
    }

    /// The digits of `.`, `/`, `\`, NUL, LF and CR.
    private static let escapedEscapes: [(UInt8, UInt8)] = [
        (0x32, 0x65), (0x32, 0x66), (0x35, 0x63), (0x30, 0x30), (0x30, 0x61), (0x30, 0x64),
    ]

    /// `%25` followed by what would be a refused or a decoded escape, were `%25` a `%`.
    private static func refuseEscapedEscapes(
        _ bytes: UnsafeMutablePointer<UInt8>, _ length: Int
    ) throws(WireError) {
        var offset = 0
        while offset + 4 < length {
            guard bytes[offset] == UInt8(ascii: "%"), isPair(bytes + offset + 1, 0x32, 0x35) else {
                offset += 1
                continue
            }
            offset += 3
            while offset + 1 < length, isPair(bytes + offset, 0x32, 0x35) { offset += 2 }
            guard offset + 1 < length else { return }
            for (high, low) in escapedEscapes where isPair(bytes + offset, high, low) { throw WireError(.badPath) }
        }
    }

    private static func isPair(_ bytes: UnsafeMutablePointer<UInt8>, _ first: UInt8, _ second: UInt8) -> Bool {
        ByteClass.lowercased(bytes[0]) == first && ByteClass.lowercased(bytes[1]) == second
    }

    private static func upperHex(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10
    }

    /// Merges slashes, then removes dot segments (RFC 3986 §5.2.4), in place; returns the new length, at least 1.
    /// The path begins with a slash.
    static func removeDotSegments(_ path: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int {
        let slash = UInt8(ascii: "/")
        let dot = UInt8(ascii: ".")
        // Invariant: what is written ends in a slash whenever a segment begins.
        path[0] = slash
        var length = 1
        var offset = 1
        while offset < count {
            let segment = offset
            while offset < count, path[offset] != slash { offset += 1 }
            let size = offset - segment
            let hasSlash = offset < count
            offset += 1
            if size == 0 || (size == 1 && path[segment] == dot) { continue }
            if size == 2, path[segment] == dot, path[segment + 1] == dot {
                if length > 1 {
                    length -= 1
                    while path[length - 1] != slash { length -= 1 }
                }
                continue
            }
            for position in 0..<size { path[length + position] = path[segment + position] }
            length += size
            if hasSlash {
                path[length] = slash
                length += 1
            }
        }
        return length
    }
}
