package import NIOCore

/// Pieces of HTTP/1, written without a String.
extension ByteBuffer {
    package mutating func writeCRLF() { writeInteger(0x0d0a as UInt16) }

    /// The empty line that ends a head.
    package mutating func writeEndOfHead() { writeCRLF() }

    /// In decimal, at most 20 bytes.
    package mutating func writeDecimal(_ number: some FixedWidthInteger) {
        if number >= 0, number < 10 {
            writeInteger(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number))
            return
        }
        writeWithUnsafeMutableBytes(minimumWritableBytes: 20) { bytes in
            var rest = UInt64(number.magnitude)
            var length = number < 0 ? 1 : 0
            var probe = rest
            repeat {
                length += 1
                probe /= 10
            } while probe > 0
            var offset = length
            repeat {
                offset -= 1
                bytes[offset] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            if number < 0 { bytes[0] = UInt8(ascii: "-") }
            return length
        }
    }

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

    /// `name: ` and nothing after it: the caller writes the value, then `writeCRLF()`.
    package mutating func writeFieldName(_ name: StaticString) {
        writeStaticString(name)
        writeInteger(0x3a20 as UInt16)
    }

    package mutating func writeField(_ name: StaticString, _ value: StaticString) {
        writeFieldName(name)
        writeStaticString(value)
        writeCRLF()
    }

    /// The value must hold no control characters.
    package mutating func writeField(_ name: StaticString, _ value: some Collection<UInt8>) {
        writeFieldName(name)
        writeBytes(value)
        writeCRLF()
    }

    package mutating func writeField(_ name: StaticString, decimal value: some FixedWidthInteger) {
        writeFieldName(name)
        writeDecimal(value)
        writeCRLF()
    }

    /// `HTTP/1.1 200 OK` and its line end.
    package mutating func writeStatusLine(_ status: Int) {
        if status == 200 {
            writeStaticString("HTTP/1.1 200 OK\r\n")
            return
        }
        writeStaticString("HTTP/1.1 ")
        writeDecimal(status)
        writeInteger(UInt8.space)
        writeStaticString(ReasonPhrase.of(status))
        writeCRLF()
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
