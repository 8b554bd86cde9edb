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
}
