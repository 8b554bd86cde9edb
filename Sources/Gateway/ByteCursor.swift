import HTTPWire
import NIOCore

/// Writes bytes one behind the other into memory whose size was bounded beforehand. Going past the end traps.
struct ByteCursor: ~Copyable {
    private let base: UnsafeMutableRawPointer
    private let capacity: Int
    private(set) var count = 0

    init(_ memory: UnsafeMutableRawBufferPointer) {
        base = memory.baseAddress!
        capacity = memory.count
    }

    @inline(__always)
    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        precondition(bytes.count <= capacity - count)
        (base + count).copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
        count += bytes.count
    }

    @inline(__always)
    mutating func write(_ text: StaticString) {
        write(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inline(__always)
    mutating func write(_ bytes: [UInt8]) { bytes.withUnsafeBytes { write($0) } }

    /// A part of a head.
    mutating func write(_ fields: borrowing HeadFields, _ range: ByteRange) {
        fields.bytes.withUnsafeReadableBytes { write(UnsafeRawBufferPointer(rebasing: $0[range.range])) }
    }

    @inline(__always)
    mutating func write(byte: UInt8) {
        precondition(count < capacity)
        base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    /// At most 20 bytes.
    mutating func write(decimal number: Int64) {
        if number < 0 { write(byte: UInt8(ascii: "-")) }
        var rest = number.magnitude
        var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
        withUnsafeMutableBytes(of: &digits) { digits in
            var start = digits.count
            repeat {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            write(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(digits)[start...]))
        }
    }

    /// 16 lowercase digits, or the last `digits` of them.
    mutating func write(hexadecimal number: UInt64, digits: Int = 16) {
        for index in (0..<digits).reversed() {
            let digit = UInt8(truncatingIfNeeded: number >> UInt64(index * 4)) & 15
            write(byte: digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit)
        }
    }

    /// A text as the content of a JSON string, at most six times as long.
    mutating func write(jsonEscaping bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                write(byte: UInt8(ascii: "\\"))
                write(byte: byte)
            case 0..<0x20:
                write("\\u00")
                write(hexadecimal: UInt64(byte), digits: 2)
            default: write(byte: byte)
            }
        }
    }
}

extension ByteBuffer {
    /// Appends what `body` writes, at most `bound` bytes.
    @inline(__always)
    mutating func append(atMost bound: Int, _ body: (inout ByteCursor) -> Void) {
        _ = writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { memory in
            var cursor = ByteCursor(memory)
            body(&cursor)
            return cursor.count
        }
    }
}
