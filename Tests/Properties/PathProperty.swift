import HTTPWire
import NIOCore
import TestSupport

/// A canonical path is its own canonical form, has neither dot segments nor empty ones, and decodes to nothing that an upstream
/// might take for something else.
enum PathProperty {
    static func fault(_ bytes: [UInt8]) -> String? {
        guard let once = try? CanonicalPath.of(bytes) else { return nil }
        guard (try? CanonicalPath.of(once)) == once else {
            return "\(bytes.quoted) becomes \(once.quoted), which changes"
        }
        let segments = once.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard segments.count > 1, segments[0].isEmpty, !segments.dropFirst().dropLast().contains([]) else {
            return "\(bytes.quoted) becomes \(once.quoted), which has empty segments"
        }
        var decoded = once
        // However often an upstream decodes it.
        for _ in 0..<16 {
            let next = decoded.percentDecoded
            if next == decoded { break }
            decoded = next
            if decoded.contains(where: { [0, 0x0a, 0x0d, UInt8(ascii: "\\")].contains($0) })
                || decoded.count(where: { $0 == UInt8(ascii: "/") }) != segments.count - 1
                || decoded.split(separator: UInt8(ascii: "/")).contains(where: isDots)
            {
                return "\(bytes.quoted) becomes \(once.quoted), which may be read as \(decoded.quoted)"
            }
        }
        return segments.contains(where: isDots) ? "\(bytes.quoted) becomes \(once.quoted)" : faultInTarget(bytes, once)
    }

    /// As the target of a request it has the same form.
    private static func faultInTarget(_ bytes: [UInt8], _ canonical: [UInt8]) -> String? {
        guard !bytes.isEmpty else { return nil }
        var buffer = ByteBuffer(bytes: Array("GET ".utf8) + bytes + Array(" HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
        var head = RequestHead()
        var parser = HeadParser()
        var path = CanonicalPath()
        guard (try? parser.parse(&buffer, into: &head)) == true, (try? path.resolve(head)) != nil else {
            return bytes.count > HeadLimits().maxTargetBytes ? nil : "\(bytes.quoted) is refused in a request"
        }
        let resolved = path.withBytes(of: head) { Array($0) }
        return resolved == canonical ? nil : "\(bytes.quoted) is \(resolved.quoted) in a request"
    }

    private static func isDots(_ segment: some Collection<UInt8>) -> Bool {
        segment.elementsEqual(".".utf8) || segment.elementsEqual("..".utf8)
    }
}
