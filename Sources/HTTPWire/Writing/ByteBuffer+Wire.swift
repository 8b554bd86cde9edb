package import NIOCore

/// Pieces of HTTP/1, written without a String.
extension ByteBuffer {
    package mutating func writeCRLF() { writeInteger(0x0d0a as UInt16) }

    /// The empty line that ends a head.
    package mutating func writeEndOfHead() { writeCRLF() }

    package mutating func writeDecimal(_ number: Int) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: DecimalDigits.longest + 1) { bytes in
            var room = RoomWriter(bytes)
            if number < 0 { room.write(UInt8(ascii: "-")) }
            room.write(decimal: UInt64(number.magnitude))
            return room.count
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
        writeWithUnsafeMutableBytes(minimumWritableBytes: name.utf8CodeUnitCount + 2) { bytes in
            var room = RoomWriter(bytes)
            room.write(name)
            room.write(": ")
            return room.count
        }
    }

    package mutating func writeField(_ name: StaticString, _ value: StaticString) {
        writeField(name, UnsafeRawBufferPointer(start: value.utf8Start, count: value.utf8CodeUnitCount))
    }

    /// The value must hold no control characters.
    package mutating func writeField(_ name: StaticString, _ value: UnsafeRawBufferPointer) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: name.utf8CodeUnitCount + value.count + 4) { bytes in
            var room = RoomWriter(bytes)
            room.write(name)
            room.write(": ")
            room.write(value)
            room.writeCRLF()
            return room.count
        }
    }

    package mutating func writeField(_ name: StaticString, decimal value: Int) {
        writeFieldName(name)
        writeDecimal(value)
        writeCRLF()
    }

    /// `HTTP/1.1 200 OK` and its line end.
    package mutating func writeStatusLine(_ status: Int) {
        let reason = ReasonPhrase.of(status)
        writeWithUnsafeMutableBytes(minimumWritableBytes: reason.utf8CodeUnitCount + 32) { bytes in
            var room = RoomWriter(bytes)
            room.write("HTTP/1.1 ")
            room.write(decimal: UInt64(status.magnitude))
            room.write(UInt8.space)
            room.write(reason)
            room.writeCRLF()
            return room.count
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
