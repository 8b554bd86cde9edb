/// Writes into room that was reserved before: many pieces for one access to the buffer.
struct RoomWriter {
    private let base: UnsafeMutableRawPointer
    private let room: Int
    private(set) var count = 0

    /// `bytes` must not be empty.
    init(_ bytes: UnsafeMutableRawBufferPointer) {
        base = bytes.baseAddress!
        room = bytes.count
    }

    @inline(__always)
    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        precondition(bytes.count <= room &- count)
        (base + count).copyMemory(from: start, byteCount: bytes.count)
        count &+= bytes.count
    }

    @inline(__always)
    mutating func write(_ text: StaticString) {
        write(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inline(__always)
    mutating func write(_ byte: UInt8) {
        precondition(count < room)
        base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    @inline(__always)
    mutating func writeCRLF() {
        write(.carriageReturn)
        write(.lineFeed)
    }

    mutating func write(decimal number: UInt64) {
        let length = DecimalDigits.count(of: number)
        precondition(length <= room &- count)
        var rest = number
        var offset = count &+ length
        repeat {
            offset &-= 1
            base.storeBytes(
                of: UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10), toByteOffset: offset, as: UInt8.self)
            rest /= 10
        } while rest > 0
        count &+= length
    }
}

enum DecimalDigits {
    /// Of UInt64.max.
    static let longest = 20

    static func count(of number: UInt64) -> Int {
        var count = 1
        var bound: UInt64 = 10
        while number >= bound {
            count &+= 1
            guard count < longest else { break }
            bound &*= 10
        }
        return count
    }
}
