package import NIOCore

/// The one form of a path in which it is routed, limited and forwarded.
///
/// Escapes of unreserved characters are decoded and the other ones written in upper case; dot segments are removed and
/// runs of slashes merged. Refused (400), as different servers read them differently:
/// - `;` in any segment: some servers drop such parameters before they look the path up. Its escape `%3B` is kept;
/// - escapes of control characters, `/` and `\`; escapes that are not two hexadecimal digits;
/// - escapes of an escape of `.`, `/`, `\`, NUL, CR or LF, at any depth (`%252e`, `%25252f`);
/// - bytes that can only be an overlong UTF-8 form (`%C0`, `%C1`, `%E0%80`...`%E0%9F`, `%F0%80`...`%F0%8F`).
///
/// Idempotent. Letters' case is kept; the query is not part of it. One value serves a connection: it keeps its room.
package struct CanonicalPath: Sendable {
    package private(set) var isRewritten = false
    /// The canonical form, where that differs from what was received.
    package private(set) var rewritten = ByteBuffer()

    package init() {}

    /// Takes the path of `head`. An empty one, which absolute targets may have, becomes `/`; the asterisk stays.
    package mutating func resolve(_ head: borrowing RequestHead) throws(WireError) {
        if rewritten.writerIndex > 0 { rewritten.clear() }
        isRewritten = false
        guard head.targetForm != .asterisk else { return }
        let range = head.path.range
        isRewritten = try head.fields.bytes.withUnsafeReadableBytes { bytes throws(WireError) -> Bool in
            try Self.rewrite(UnsafeRawBufferPointer(rebasing: bytes[range]), into: &rewritten)
        }
    }

    /// The canonical path of `head`, for which it was resolved last; the bytes are valid only within `body`.
    @inlinable
    package func withBytes<Result>(
        of head: borrowing RequestHead, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        isRewritten ? rewritten.withUnsafeReadableBytes(body) : head.fields.withBytes(head.path, body)
    }

    /// The canonical form of a path from anywhere else, such as a configured route.
    package static func of(_ path: [UInt8]) throws(WireError) -> [UInt8] {
        var rewritten = ByteBuffer()
        let isRewritten = try path.withUnsafeBufferPointer { path throws(WireError) -> Bool in
            let classes = ByteClass.table
            guard path.allSatisfy({ classes[Int($0)] & ByteClass.path != 0 }) else { throw WireError(.badPath) }
            return try rewrite(UnsafeRawBufferPointer(path), into: &rewritten)
        }
        return isRewritten ? Array(rewritten.readableBytesView) : path
    }

    /// Whether a path from anywhere else has its canonical form. `scratch` may be written to.
    package static func isCanonical(_ path: UnsafeRawBufferPointer, scratch: inout ByteBuffer) -> Bool {
        let classes = ByteClass.table
        guard !path.isEmpty, path.allSatisfy({ classes[Int($0)] & ByteClass.path != 0 }) else { return false }
        scratch.clear()
        return (try? rewrite(path, into: &scratch)) == false
    }

    /// False, and nothing of use written, where `path` is canonical already.
    private static func rewrite(
        _ path: UnsafeRawBufferPointer, into out: inout ByteBuffer
    ) throws(WireError) -> Bool {
        guard let bytes = path.baseAddress?.assumingMemoryBound(to: UInt8.self), !path.isEmpty else {
            out.writeInteger(UInt8(ascii: "/"))
            return true
        }
        guard bytes[0] == UInt8(ascii: "/") else { throw WireError(.badPath) }
        if isPlain(bytes, path.count) { return false }
        let length = try out.writeWithUnsafeMutableBytes(minimumWritableBytes: path.count) {
            room throws(WireError) -> Int in
            let written = room.baseAddress!.assumingMemoryBound(to: UInt8.self)
            let length = try PathRewriter.decode(bytes, path.count, into: written)
            return PathRewriter.removeDotSegments(written, length)
        }
        return !(length == path.count && out.withUnsafeReadableBytes { $0.elementsEqual(path) })
    }

    /// Nothing in it could need a change: no escape, no empty segment, no segment that begins with a dot.
    @inline(__always)
    private static func isPlain(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        let classes = ByteClass.table
        var offset = 1
        while offset < count {
            let byte = bytes[offset]
            if classes[Int(byte)] & ByteClass.suspectInPath != 0 {
                switch byte {
                case UInt8(ascii: "/"), UInt8(ascii: "."): if bytes[offset &- 1] == UInt8(ascii: "/") { return false }
                default: return false
                }
            }
            offset &+= 1
        }
        return true
    }
}
