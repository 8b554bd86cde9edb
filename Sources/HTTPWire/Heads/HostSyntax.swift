/// `host[:port]` as Host fields and absolute targets have it.
enum HostSyntax {
    /// Percent-escapes and sub-delimiters, which RFC 3986 would allow in a name, are refused: no host has them.
    static func isValid(_ bytes: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Bool {
        let classes = ByteClass.table
        var offset = start
        if offset < end, bytes[offset] == UInt8(ascii: "[") {
            offset &+= 1
            let addressStart = offset
            while offset < end, isInAddress(bytes[offset], classes) { offset &+= 1 }
            guard offset < end, bytes[offset] == UInt8(ascii: "]"), offset &- addressStart >= 2 else { return false }
            offset &+= 1
        } else {
            while offset < end, classes[Int(bytes[offset])] & ByteClass.unreserved != 0 { offset &+= 1 }
            guard offset > start else { return false }
        }
        guard offset < end else { return true }
        guard bytes[offset] == UInt8(ascii: ":") else { return false }
        offset &+= 1
        guard end &- offset >= 1, end &- offset <= 5 else { return false }
        var port = 0
        while offset < end, classes[Int(bytes[offset])] & ByteClass.digit != 0 {
            port = port &* 10 &+ Int(bytes[offset] & 0xf)
            offset &+= 1
        }
        return offset == end && port <= 65_535
    }

    private static func isInAddress(_ byte: UInt8, _ classes: UnsafePointer<UInt8>) -> Bool {
        classes[Int(byte)] & ByteClass.hex != 0 || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
    }
}
