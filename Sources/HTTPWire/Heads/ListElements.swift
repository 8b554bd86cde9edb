/// The elements of a comma-separated list (RFC 9110 §5.6.1) without the blanks around them; empty ones are skipped.
struct ListElements {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func next() -> UnsafeRawBufferPointer? {
        while offset < bytes.count {
            var start = offset
            while offset < bytes.count, bytes[offset] != UInt8(ascii: ",") { offset += 1 }
            var end = offset
            offset += 1
            while start < end, bytes[start] == .space || bytes[start] == .tab { start += 1 }
            while end > start, bytes[end - 1] == .space || bytes[end - 1] == .tab { end -= 1 }
            if end > start { return UnsafeRawBufferPointer(rebasing: bytes[start..<end]) }
        }
        return nil
    }
}
