/// Lines in the combined log format of Apache and nginx, piece by piece.
extension AccessLogWriter {
    package func append(_ text: StaticString) { text.withUTF8Buffer { buffer.append(contentsOf: $0) } }

    package func append(decimal value: Int64) { buffer.appendDecimal(value) }

    /// `[01/Mar/2026:12:00:00 +0000]`
    package func append(commonTimeOf epochMicroseconds: Int64) {
        commonTime.append(epochMicroseconds: epochMicroseconds, to: &buffer)
    }

    /// Quotes, backslashes, control characters and what is not ASCII are written as `\xHH`, as nginx does, and so are blanks where
    /// `isWord`: nothing that a client sends can end a line or a part of one. Long values are cut as in JSON.
    package func append(escaping bytes: UnsafeRawBufferPointer, isWord: Bool = false) {
        for byte in bytes.prefix(JSONText.maximumBytes) {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), 0..<0x20, 0x7F...0xFF: appendEscape(byte)
            case 0x20 where isWord: appendEscape(byte)
            default: buffer.append(byte)
            }
        }
        if bytes.count > JSONText.maximumBytes { append("...") }
    }

    private func appendEscape(_ byte: UInt8) {
        append("\\x")
        for digit in [byte >> 4, byte & 15] {
            buffer.append(digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "A") - 10))
        }
    }
}

/// Times as Apache's common log has them, formatted once a second.
struct CachedCommonTime {
    private var second: Int64?
    private var text: [UInt8] = []

    mutating func append(epochMicroseconds: Int64, to bytes: inout [UInt8]) {
        let epochSeconds = epochMicroseconds / 1_000_000
        if second != epochSeconds {
            second = epochSeconds
            format(CivilTime(epochSeconds: epochSeconds))
        }
        bytes.append(contentsOf: text)
    }

    private static let months: [StaticString] = [
        "/Jan/", "/Feb/", "/Mar/", "/Apr/", "/May/", "/Jun/", "/Jul/", "/Aug/", "/Sep/", "/Oct/", "/Nov/", "/Dec/",
    ]

    private mutating func format(_ time: CivilTime) {
        text.removeAll(keepingCapacity: true)
        text.append(UInt8(ascii: "["))
        text.appendDecimal(Int64(time.day), width: 2)
        Self.months[time.month - 1].withUTF8Buffer { text.append(contentsOf: $0) }
        text.appendDecimal(Int64(time.year), width: 4)
        for value in [time.hour, time.minute, time.second] {
            text.append(UInt8(ascii: ":"))
            text.appendDecimal(Int64(value), width: 2)
        }
        text += " +0000]".utf8
    }
}
