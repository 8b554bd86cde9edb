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

    /// `%25`, and what follows, may hide an escape from whoever decodes once: `%252e`, `%25252e`, `%252%2565`. Refused where one that
    /// comes to light, however often the path is decoded, is of a byte that would change its structure.
    private static func refuseEscapedEscapes(
        _ bytes: UnsafeMutablePointer<UInt8>, _ length: Int
    ) throws(WireError) {
        var offset = 0
        while offset + 2 < length, !isEscapedPercent(bytes + offset) { offset += 1 }
        guard offset + 4 < length else { return }
        let count = length - offset
        let isRefused = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count) {
            hidesStructure(bytes + offset, count, scratch: $0.baseAddress!)
        }
        if isRefused { throw WireError(.badPath) }
    }

    /// Each byte is decoded as soon as the escape that it ends is there, so that once through is as often as can be.
    private static func hidesStructure(
        _ bytes: UnsafeMutablePointer<UInt8>, _ length: Int, scratch decoded: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        var count = 0
        for offset in 0..<length {
            decoded[count] = bytes[offset]
            count += 1
            while count >= 3, decoded[count - 3] == UInt8(ascii: "%"),
                let high = ByteClass.hexValue(decoded[count - 2]), let low = ByteClass.hexValue(decoded[count - 1])
            {
                let byte = high << 4 | low
                switch byte {
                case 0x00, 0x0a, 0x0d, UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "\\"): return true
                default: break
                }
                decoded[count - 3] = byte
                count -= 2
            }
        }
        return false
    }

    private static func isEscapedPercent(_ bytes: UnsafeMutablePointer<UInt8>) -> Bool {
        bytes[0] == UInt8(ascii: "%") && bytes[1] == UInt8(ascii: "2") && bytes[2] == UInt8(ascii: "5")
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
