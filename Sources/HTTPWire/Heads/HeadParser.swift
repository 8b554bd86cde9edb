package import NIOCore

/// Reads heads strictly: it accepts what RFC 9112 allows without repair, and refuses the rest.
///
/// Incremental: where a head is not complete yet, `parse` leaves the buffer as it is and is called again when more bytes
/// have been appended to it; no line is looked at twice. The head given must be the same one each time.
///
/// Stricter than the RFC, on purpose:
/// - no bare line feeds, at most one empty line before a request, none before a response, no white space in a start line;
/// - methods are those in `Method`; CONNECT and TRACE are not among them (501);
/// - Host is letters, digits, `-`, `.`, `_`, `~` or a bracketed IPv6 address, with a port of 1...5 digits if any;
///   an absolute target's authority must equal it;
/// - Content-Length is one field with at most 18 digits; Transfer-Encoding is one field, `chunked`, in HTTP/1.1; neither
///   has blanks after its value; tabs are refused in both and in Connection;
/// - a response of 1xx does not end the connection;
/// - Connection may not name fields on which framing, routing, authentication or tracing rest (400). Other fields that
///   it names, and the hop-by-hop ones, are marked as removed.
///
/// A field whose name is a known one with underscores for hyphens (`X_Weir_Tenant`) is marked as removed.
package struct HeadParser: Sendable {
    var limits: HeadLimits
    private var lineStart = 0
    /// No line feed lies before this offset, from `lineStart` on.
    private var scanned = 0
    private var hasStartLine = false
    private var hasSkippedEmptyLine = false
    var facts = FieldFacts()

    package init(limits: HeadLimits = HeadLimits()) { self.limits = limits }

    /// A head has been begun and is not complete.
    package var isWithinHead: Bool { hasStartLine || scanned > 0 }

    /// Forgets a head that was begun.
    package mutating func reset() {
        lineStart = 0
        scanned = 0
        hasStartLine = false
        hasSkippedEmptyLine = false
        facts = FieldFacts()
    }

    /// True when `head` is complete; its bytes have then been taken from `buffer`, and what follows is the body.
    package mutating func parse(
        _ buffer: inout ByteBuffer, into head: inout RequestHead
    ) throws(WireError) -> Bool {
        try skipEmptyLine(&buffer)
        let length = try buffer.withUnsafeReadableBytes { bytes throws(WireError) -> Int in
            guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), !bytes.isEmpty else { return 0 }
            if !hasStartLine {
                guard ByteClass.table[Int(base[0])] & ByteClass.token != 0 || base[0] == .carriageReturn else {
                    throw WireError(.badRequestLine)
                }
                // A target's bound, and room for the longest method, two spaces and the version.
                let bound = min(limits.maxHeadBytes, limits.maxTargetBytes + 32)
                guard let end = try nextLine(base, bytes.count, maxBytes: bound, orElse: .targetTooLong) else {
                    return 0
                }
                head.clear()
                try parseRequestLine(base, end, into: &head)
                beginFields(&head.fields)
            }
            guard try parseFields(base, bytes.count, version: head.version, into: &head.fields) else { return 0 }
            try settle(&head, base)
            return lineStart
        }
        guard length > 0, let bytes = buffer.readSlice(length: length) else { return false }
        head.fields.bytes = bytes
        reset()
        return true
    }

    /// As for requests; `method` is that of the request which is answered.
    package mutating func parse(
        _ buffer: inout ByteBuffer, into head: inout ResponseHead, answering method: Method
    ) throws(WireError) -> Bool {
        let length = try buffer.withUnsafeReadableBytes { bytes throws(WireError) -> Int in
            guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), !bytes.isEmpty else { return 0 }
            if !hasStartLine {
                guard base[0] == UInt8(ascii: "H") else { throw WireError(.badStatusLine) }
                let bound = limits.maxHeadBytes
                guard let end = try nextLine(base, bytes.count, maxBytes: bound, orElse: .headTooLarge) else {
                    return 0
                }
                head.clear()
                try parseStatusLine(base, end, into: &head)
                beginFields(&head.fields)
            }
            guard try parseFields(base, bytes.count, version: head.version, into: &head.fields) else { return 0 }
            try settle(&head, base, answering: method)
            return lineStart
        }
        guard length > 0, let bytes = buffer.readSlice(length: length) else { return false }
        head.fields.bytes = bytes
        reset()
        return true
    }

    /// Clients of old sent an empty line after a body; RFC 9112 §2.2 has servers skip one.
    private mutating func skipEmptyLine(_ buffer: inout ByteBuffer) throws(WireError) {
        guard !hasStartLine, !hasSkippedEmptyLine, buffer.readableBytes >= 2, scanned <= 2 else { return }
        let start = buffer.readerIndex
        guard buffer.getInteger(at: start, as: UInt8.self) == .carriageReturn else { return }
        guard buffer.getInteger(at: start + 1, as: UInt8.self) == .lineFeed else { throw WireError(.badLineEnding) }
        buffer.moveReaderIndex(forwardBy: 2)
        scanned = 0
        hasSkippedEmptyLine = true
    }

    private mutating func beginFields(_ fields: inout HeadFields) {
        hasStartLine = true
        fields.start = lineStart
        fields.reserve(16)
    }

    /// Finds the line that begins at `lineStart`, moves on to the next, and returns where the line's CRLF is; nil where it
    /// is not complete.
    @inline(__always)
    private mutating func nextLine(
        _ bytes: UnsafePointer<UInt8>, _ count: Int, maxBytes: Int, orElse tooLong: WireError.Code
    ) throws(WireError) -> Int? {
        let lineFeed = ByteScan.lineFeed(in: bytes, from: scanned, to: count)
        guard lineFeed < maxBytes else { throw WireError(tooLong) }
        scanned = lineFeed
        guard lineFeed < count else { return nil }
        guard lineFeed > lineStart, bytes[lineFeed &- 1] == .carriageReturn else { throw WireError(.badLineEnding) }
        lineStart = lineFeed &+ 1
        scanned = lineStart
        return lineFeed &- 1
    }

    /// True when the empty line has been reached; `lineStart` is then the first byte after the head.
    @inline(__always)
    private mutating func parseFields(
        _ bytes: UnsafePointer<UInt8>, _ count: Int, version: Version, into fields: inout HeadFields
    ) throws(WireError) -> Bool {
        let tables = FieldTables()
        while true {
            let start = lineStart
            let bound = limits.maxHeadBytes
            guard let end = try nextLine(bytes, count, maxBytes: bound, orElse: .headTooLarge) else { return false }
            if end == start { return true }
            guard fields.count < limits.maxFields else { throw WireError(.tooManyFields) }
            try parseField(bytes, start, end, version: version, tables, into: &fields)
        }
    }
}
