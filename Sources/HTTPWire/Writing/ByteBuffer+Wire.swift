package import NIOCore

/// Pieces of HTTP/1, written without a String.
extension ByteBuffer {
    /// Ends a line, and as an empty one a head.
    package mutating func writeCRLF() { writeInteger(0x0d0a as UInt16) }

    /// In lower-case hexadecimal without leading zeros; at most 16 bytes.
    package mutating func writeHexadecimal(_ number: UInt64) {
        let length = max(1, (64 - number.leadingZeroBitCount + 3) / 4)
        writeWithUnsafeMutableBytes(minimumWritableBytes: length) { bytes in
            for place in 0..<length {
                let digit = UInt8(truncatingIfNeeded: number >> UInt64(4 * (length - 1 - place)) & 15)
                bytes[place] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            }
            return length
        }
    }

    /// `HTTP/1.1 200 OK` and its line end. `status` has three digits.
    package mutating func writeStatusLine(_ status: Int) {
        precondition((100...999).contains(status))
        let reason = ReasonPhrase.of(status)
        append(atMost: reason.utf8CodeUnitCount + 32) { cursor in
            cursor.write("HTTP/1.1 ")
            cursor.write(decimal: Int64(status))
            cursor.write(byte: .space)
            cursor.write(reason)
            cursor.write("\r\n")
        }
    }

    // MARK: Chunks

    /// What goes before `size` bytes of data; `writeCRLF()` goes after them. `size` must not be 0, which would end the body.
    package mutating func writeChunkSize(_ size: Int) {
        precondition(size > 0)
        writeHexadecimal(UInt64(size))
        writeCRLF()
    }

    package mutating func writeLastChunk() { writeStaticString("0\r\n\r\n") }
}
