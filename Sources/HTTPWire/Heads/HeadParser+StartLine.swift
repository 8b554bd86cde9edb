extension HeadParser {
    /// The line is `[0, end)`.
    func parseRequestLine(
        _ bytes: UnsafePointer<UInt8>, _ end: Int, into head: inout RequestHead
    ) throws(WireError) {
        let classes = ByteClass.table
        var offset = 0
        while offset < end, classes[Int(bytes[offset])] & ByteClass.token != 0 { offset &+= 1 }
        guard offset < end, bytes[offset] == .space else {
            throw WireError(offset == end || offset == 0 ? .badRequestLine : .badMethod)
        }
        guard offset > 0 else { throw WireError(.badRequestLine) }
        let targetStart = offset &+ 1
        let targetEnd = end &- 9
        guard targetEnd > targetStart, bytes[targetEnd] == .space else { throw WireError(.badRequestLine) }
        head.version = try Self.version(bytes + (targetEnd &+ 1))
        guard let method = Method.lookup(bytes, offset) else { throw WireError(.methodNotSupported) }
        head.method = method
        guard targetEnd &- targetStart <= limits.maxTargetBytes else { throw WireError(.targetTooLong) }
        head.target = ByteRange(targetStart, targetEnd)
        try parseTarget(bytes, targetStart, targetEnd, into: &head)
    }

    private func parseTarget(
        _ bytes: UnsafePointer<UInt8>, _ start: Int, _ end: Int, into head: inout RequestHead
    ) throws(WireError) {
        var pathStart = start
        switch bytes[start] {
        case UInt8(ascii: "/"):
            head.targetForm = .origin
        case UInt8(ascii: "*"):
            guard end == start &+ 1, head.method == .options else { throw WireError(.badTarget) }
            head.targetForm = .asterisk
            head.path = ByteRange(start, end)
            head.query = ByteRange(end, end)
            return
        default:
            let authorityStart = try Self.authorityStart(bytes, start, end)
            pathStart = authorityStart
            while pathStart < end, bytes[pathStart] != UInt8(ascii: "/"), bytes[pathStart] != UInt8(ascii: "?") {
                pathStart &+= 1
            }
            guard HostSyntax.isValid(bytes, authorityStart, pathStart) else { throw WireError(.badTarget) }
            head.targetForm = .absolute
            head.authority = ByteRange(authorityStart, pathStart)
        }
        let classes = ByteClass.table
        var offset = pathStart
        while offset < end, classes[Int(bytes[offset])] & ByteClass.path != 0 { offset &+= 1 }
        head.path = ByteRange(pathStart, offset)
        head.query = ByteRange(offset, end)
        guard offset < end else { return }
        guard bytes[offset] == UInt8(ascii: "?") else { throw WireError(.badTarget) }
        while offset < end, classes[Int(bytes[offset])] & ByteClass.query != 0 { offset &+= 1 }
        guard offset == end else { throw WireError(.badTarget) }
    }

    /// The offset after `http://` or `https://`.
    private static func authorityStart(
        _ bytes: UnsafePointer<UInt8>, _ start: Int, _ end: Int
    ) throws(WireError) -> Int {
        let rest = UnsafeRawBufferPointer(start: bytes + start, count: end - start)
        for scheme in ["http://", "https://"] as [StaticString] {
            let length = scheme.utf8CodeUnitCount
            if rest.count > length, UnsafeRawBufferPointer(rebasing: rest[0..<length]).equalsLowercase(scheme) {
                return start + length
            }
        }
        throw WireError(.badTarget)
    }

    /// `HTTP/1.1` or `HTTP/1.0`, eight bytes.
    @inline(__always)
    private static func version(_ bytes: UnsafePointer<UInt8>) throws(WireError) -> Version {
        // "HTTP/1.1" and "HTTP/1.0", lowest address first.
        let word = UInt64(littleEndian: UnsafeRawPointer(bytes).loadUnaligned(as: UInt64.self))
        if word == 0x312e_312f_5054_5448 { return .http11 }
        if word == 0x302e_312f_5054_5448 { return .http10 }
        let classes = ByteClass.table
        // "HTTP/", a digit, ".", a digit: a version, but none that is spoken here.
        guard word & 0x00ff_00ff_ffff_ffff == 0x002e_002f_5054_5448,
            classes[Int(bytes[5])] & classes[Int(bytes[7])] & ByteClass.digit != 0
        else { throw WireError(.badRequestLine) }
        throw WireError(.versionNotSupported)
    }

    /// The line is `[0, end)`: `HTTP/1.1 200 OK`; the second space must be there even where there is no reason.
    func parseStatusLine(
        _ bytes: UnsafePointer<UInt8>, _ end: Int, into head: inout ResponseHead
    ) throws(WireError) {
        guard end >= 13, bytes[8] == .space, bytes[12] == .space else { throw WireError(.badStatusLine) }
        do {
            head.version = try Self.version(bytes)
        } catch {
            throw WireError(error.code == .versionNotSupported ? .versionNotSupported : .badStatusLine)
        }
        var status = 0
        for offset in 9..<12 {
            let digit = bytes[offset] &- UInt8(ascii: "0")
            guard digit < 10 else { throw WireError(.badStatusLine) }
            status = status &* 10 &+ Int(digit)
        }
        guard status >= 100, status <= 599 else { throw WireError(.badStatusLine) }
        var offset = ByteScan.control(in: bytes, from: 13, to: end)
        while offset < end, bytes[offset] == .tab { offset = ByteScan.control(in: bytes, from: offset &+ 1, to: end) }
        guard offset == end else { throw WireError(.badStatusLine) }
        head.status = status
        head.reason = ByteRange(13, end)
    }
}
