package import NIOCore

extension HeadFields {
    /// Writes the lines of all fields that are neither removed nor withheld, as they came; neighbours go in one copy.
    package func write(into out: inout ByteBuffer) {
        bytes.withUnsafeReadableBytes { bytes in
            // The last line ends where the empty line begins.
            let end = bytes.count - 2
            guard !entries.isEmpty, end > start else { return }
            out.append(atMost: end - start) { cursor in
                var runStart = start
                for index in entries.indices where !entries[index].isWritten {
                    cursor.write(UnsafeRawBufferPointer(rebasing: bytes[runStart..<Int(entries[index].name.start)]))
                    runStart = index + 1 < entries.count ? Int(entries[index + 1].name.start) : end
                }
                cursor.write(UnsafeRawBufferPointer(rebasing: bytes[runStart..<end]))
            }
        }
    }
}

extension RequestHead {
    /// Writes `METHOD path?query HTTP/1.1` and its line end: an absolute target becomes an origin one.
    ///
    /// A whole forwarded head is: this, `fields.write(into:)`, fields of the gateway's own, `writeCRLF()`.
    package func writeRequestLine(into out: inout ByteBuffer, path canonical: borrowing CanonicalPath) {
        let longest = target.count + canonical.rewritten.readableBytes + 32
        fields.bytes.withUnsafeReadableBytes { bytes in
            canonical.rewritten.withUnsafeReadableBytes { rewritten in
                out.append(atMost: longest) { cursor in
                    cursor.write(method.name)
                    cursor.write(byte: .space)
                    if canonical.isRewritten { cursor.write(rewritten) }
                    let start = canonical.isRewritten ? query.start : path.start
                    cursor.write(UnsafeRawBufferPointer(rebasing: bytes[Int(start)..<Int(query.end)]))
                    cursor.write(" HTTP/1.1\r\n")
                }
            }
        }
    }
}

extension ResponseHead {
    /// Writes `HTTP/1.1 status reason` and its line end, the reason as it came.
    ///
    /// A whole forwarded head is: this, `fields.write(into:)`, fields of the gateway's own, `writeCRLF()`.
    package func writeStatusLine(into out: inout ByteBuffer) {
        guard version == .http11 else { return out.writeStatusLine(status) }
        fields.bytes.withUnsafeReadableBytes { bytes in
            _ = out.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[0..<fields.start]))
        }
    }
}
