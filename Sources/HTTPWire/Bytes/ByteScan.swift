/// Searches that take 16 bytes a step, then eight, then one.
enum ByteScan {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    /// The first byte of eight, lowest address first, whose top bit is set in `marks`.
    @inline(__always)
    private static func first(of marks: UInt64) -> Int { marks.trailingZeroBitCount >> 3 }

    @inline(__always)
    private static func load(_ bytes: UnsafePointer<UInt8>, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(bytes + offset).loadUnaligned(as: UInt64.self))
    }

    @inline(__always)
    private static func loadVector(_ bytes: UnsafePointer<UInt8>, _ offset: Int) -> SIMD16<UInt8> {
        UnsafeRawPointer(bytes + offset).loadUnaligned(as: SIMD16<UInt8>.self)
    }

    /// Which of 16 bytes is the first that is marked; nil: none.
    @inline(__always)
    private static func first(of marks: SIMDMask<SIMD16<Int8>>) -> Int? {
        let halves = unsafeBitCast(marks, to: SIMD2<UInt64>.self)
        guard halves.x | halves.y != 0 else { return nil }
        if halves.x != 0 { return first(of: UInt64(littleEndian: halves.x)) }
        return 8 &+ first(of: UInt64(littleEndian: halves.y))
    }

    /// Where the first line feed at or after `start` is; `end` if there is none before it.
    @inline(__always)
    static func lineFeed(in bytes: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Int {
        var offset = start
        let lineFeeds = SIMD16<UInt8>(repeating: .lineFeed)
        while offset &+ 16 <= end {
            if let found = first(of: loadVector(bytes, offset) .== lineFeeds) { return offset &+ found }
            offset &+= 16
        }
        while offset &+ 8 <= end {
            // Zero where the byte is a line feed. A borrow can only mark bytes above the first true one.
            let zeros = load(bytes, offset) ^ (ones &* 0x0a)
            let marks = (zeros &- ones) & ~zeros & tops
            if marks != 0 { return offset &+ first(of: marks) }
            offset &+= 8
        }
        while offset < end, bytes[offset] != .lineFeed { offset &+= 1 }
        return offset
    }

    /// Where the first control character (below 0x20, or 0x7f) at or after `start` is; `end` if there is none before it.
    @inline(__always)
    static func control(in bytes: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Int {
        var offset = start
        let (blanks, deletes) = (SIMD16<UInt8>(repeating: 0x20), SIMD16<UInt8>(repeating: 0x7f))
        while offset &+ 16 <= end {
            let vector = loadVector(bytes, offset)
            if let found = first(of: (vector .< blanks) .| (vector .== deletes)) { return offset &+ found }
            offset &+= 16
        }
        while offset &+ 8 <= end {
            let word = load(bytes, offset)
            let deletes = word ^ (ones &* 0x7f)
            let marks = (((word &- ones &* 0x20) & ~word) | ((deletes &- ones) & ~deletes)) & tops
            if marks != 0 { return offset &+ first(of: marks) }
            offset &+= 8
        }
        while offset < end, bytes[offset] >= 0x20, bytes[offset] != 0x7f { offset &+= 1 }
        return offset
    }

    /// Whether `count` bytes equal `lowercase` once letters are made lower case.
    @inline(__always)
    static func equal(
        _ bytes: UnsafePointer<UInt8>, _ lowercase: UnsafePointer<UInt8>, count: Int
    ) -> Bool {
        var offset = 0
        while offset < count {
            guard ByteClass.lowercased(bytes[offset]) == lowercase[offset] else { return false }
            offset &+= 1
        }
        return true
    }
}
