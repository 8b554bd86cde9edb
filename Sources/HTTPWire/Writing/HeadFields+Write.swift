package import NIOCore

extension HeadFields {
    /// Writes the lines of all fields that are not removed, as they came; neighbours go in one copy.
    package func write(into out: inout ByteBuffer) {
        bytes.withUnsafeReadableBytes { bytes in
            // The last line ends where the empty line begins.
            let end = bytes.count - 2
            guard !entries.isEmpty, end > start else { return }
            out.writeWithUnsafeMutableBytes(minimumWritableBytes: end - start) { room in
                var room = RoomWriter(room)
                var runStart = start
                for index in entries.indices where entries[index].isRemoved {
                    room.write(UnsafeRawBufferPointer(rebasing: bytes[runStart..<Int(entries[index].name.start)]))
                    runStart = index + 1 < entries.count ? Int(entries[index + 1].name.start) : end
                }
                room.write(UnsafeRawBufferPointer(rebasing: bytes[runStart..<end]))
                return room.count
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
            _ = canonical.rewritten.withUnsafeReadableBytes { rewritten in
                out.writeWithUnsafeMutableBytes(minimumWritableBytes: longest) { room in
                    var room = RoomWriter(room)
                    room.write(method.name)
                    room.write(.space)
                    let isRewritten = canonical.isRewritten
                    if isRewritten { room.write(rewritten) }
                    let start = isRewritten ? query.start : path.start
                    room.write(UnsafeRawBufferPointer(rebasing: bytes[Int(start)..<Int(query.end)]))
                    room.write(" HTTP/1.1\r\n")
                    return room.count
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
