package import NIOCore

extension HeadFields {
    /// Writes the lines of all fields that are not removed, as they came; neighbours go in one copy.
    package func write(into out: inout ByteBuffer) {
        bytes.withUnsafeReadableBytes { bytes in
            // The last line ends where the empty line begins.
            let end = bytes.count - 2
            guard !entries.isEmpty, end > start else { return }
            out.reserveCapacity(minimumWritableBytes: end - start)
            var runStart = start
            for field in entries where field.isRemoved {
                let lineStart = Int(field.name.start)
                if lineStart > runStart {
                    out.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[runStart..<lineStart]))
                }
                runStart = Self.lineEnd(bytes, after: Int(field.value.end))
            }
            if end > runStart { out.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[runStart..<end])) }
        }
    }

    /// Past the CRLF of the line whose value ends at `offset`; blanks may come before it.
    private static func lineEnd(_ bytes: UnsafeRawBufferPointer, after offset: Int) -> Int {
        var offset = offset
        while bytes[offset] != .lineFeed { offset += 1 }
        return offset + 1
    }
}

extension RequestHead {
    /// Writes `METHOD path?query HTTP/1.1` and its line end: an absolute target becomes an origin one.
    ///
    /// A whole forwarded head is: this, `fields.write(into:)`, fields of the gateway's own, `writeEndOfHead()`.
    package func writeRequestLine(into out: inout ByteBuffer, path canonical: borrowing CanonicalPath) {
        bytes.withUnsafeReadableBytes { bytes in
            out.reserveCapacity(minimumWritableBytes: target.count + canonical.rewritten.readableBytes + 32)
            out.writeStaticString(method.name)
            out.writeInteger(UInt8.space)
            if canonical.isRewritten {
                out.writeImmutableBuffer(canonical.rewritten)
                out.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[query.range]))
            } else {
                out.writeBytes(
                    UnsafeRawBufferPointer(rebasing: bytes[Int(path.start)..<Int(query.end)]))
            }
            out.writeStaticString(" HTTP/1.1\r\n")
        }
    }
}

extension ResponseHead {
    /// Writes `HTTP/1.1 status reason` and its line end, the reason as it came.
    ///
    /// A whole forwarded head is: this, `fields.write(into:)`, fields of the gateway's own, `writeEndOfHead()`.
    package func writeStatusLine(into out: inout ByteBuffer) {
        guard version == .http10 else {
            _ = bytes.withUnsafeReadableBytes {
                out.writeBytes(UnsafeRawBufferPointer(rebasing: $0[0..<fields.start]))
            }
            return
        }
        out.writeStatusLine(status)
    }
}
