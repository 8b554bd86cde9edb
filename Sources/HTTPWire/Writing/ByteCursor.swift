package import NIOCore

/// Writes bytes one behind the other into memory whose size was bounded beforehand. Going past the end traps.
package struct ByteCursor: ~Copyable {
    @usableFromInline let base: UnsafeMutableRawPointer
    @usableFromInline let capacity: Int
    @usableFromInline var written = 0

    /// Bytes written so far.
    @inlinable package var count: Int { written }

    /// `memory` must not be empty.
    @inlinable
    package init(_ memory: UnsafeMutableRawBufferPointer) {
        base = memory.baseAddress!
        capacity = memory.count
    }

    @inlinable
    @inline(__always)
    package mutating func write(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        precondition(bytes.count <= capacity &- written)
        (base + written).copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
        written &+= bytes.count
    }

    @inlinable
    @inline(__always)
    package mutating func write(_ text: StaticString) {
        write(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inlinable
    @inline(__always)
    package mutating func write(_ bytes: [UInt8]) { bytes.withUnsafeBytes { write($0) } }

    /// A part of a head.
    package mutating func write(_ fields: borrowing HeadFields, _ range: ByteRange) {
        fields.bytes.withUnsafeReadableBytes { write(UnsafeRawBufferPointer(rebasing: $0[range.range])) }
    }

    @inlinable
    @inline(__always)
    package mutating func write(byte: UInt8) {
        precondition(written < capacity)
        base.storeBytes(of: byte, toByteOffset: written, as: UInt8.self)
        written &+= 1
    }

    /// At most 20 bytes.
    package mutating func write(decimal number: Int64) {
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
    package mutating func write(hexadecimal number: UInt64, digits: Int = 16) {
        let text = (
            Self.hexadecimal(UInt32(truncatingIfNeeded: number >> 32)).bigEndian,
            Self.hexadecimal(UInt32(truncatingIfNeeded: number)).bigEndian
        )
        withUnsafeBytes(of: text) { write(UnsafeRawBufferPointer(rebasing: $0[(16 - digits)...])) }
    }

    /// All eight digits at once, the first in the highest byte: each of four bits moves to a byte of its own.
    private static func hexadecimal(_ number: UInt32) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        var digits = UInt64(number)
        digits = (digits | digits << 16) & 0x0000_ffff_0000_ffff
        digits = (digits | digits << 8) & 0x00ff_00ff_00ff_00ff
        digits = (digits | digits << 4) & 0x0f0f_0f0f_0f0f_0f0f
        // Six more than a digit from ten on passes 15.
        let letters = (digits &+ ones &* 6) >> 4 & ones
        return digits &+ ones &* UInt64(UInt8(ascii: "0")) &+ letters &* UInt64(UInt8(ascii: "a") - UInt8(ascii: ":"))
    }

    /// A text as the content of a JSON string, at most six times as long.
    package mutating func write(jsonEscaping bytes: UnsafeRawBufferPointer) {
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
    package mutating func append(atMost bound: Int, _ body: (inout ByteCursor) -> Void) {
        _ = writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { memory in
            var cursor = ByteCursor(memory)
            body(&cursor)
            return cursor.written
        }
    }
}
