/// JSON strings from bytes that may be anything.
enum JSONText {
    /// Bytes of a value that are shown; what is longer is cut at a character and ends in `…`.
    static let maximumBytes = 1024

    private static let ellipsis: StaticString = "…"
    private static let replacement: StaticString = "\u{FFFD}"

    /// Adds the quotes too. Control characters are escaped, those beyond ASCII included, because terminals obey them; bytes that are
    /// not UTF-8 become U+FFFD.
    static func append(_ bytes: UnsafeRawBufferPointer, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        appendContent(bytes, to: &text)
        text.append(UInt8(ascii: "\""))
    }

    /// The same without the quotes.
    static func appendContent(_ bytes: UnsafeRawBufferPointer, to text: inout [UInt8]) {
        let end = cut(bytes)
        var position = 0
        while position < end {
            let plain = plainCount(bytes, from: position, to: end)
            if plain > 0 {
                text.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[position..<position + plain]))
                position += plain
                continue
            }
            let byte = bytes[position]
            if byte < 0x80 {
                appendEscape(UInt16(byte), to: &text)
                position += 1
                continue
            }
            let sequence = sequenceLength(bytes, from: position, to: end)
            if sequence.isValid {
                if byte == 0xC2, bytes[position + 1] < 0xA0 {
                    appendEscape(UInt16(bytes[position + 1]), to: &text)
                } else {
                    text.append(
                        contentsOf: UnsafeRawBufferPointer(rebasing: bytes[position..<position + sequence.length]))
                }
            } else {
                append(replacement, to: &text)
            }
            position += sequence.length
        }
        if end < bytes.count { append(ellipsis, to: &text) }
    }

    /// Where a value ends that may be too long: never within a character.
    private static func cut(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard bytes.count > maximumBytes else { return bytes.count }
        var end = maximumBytes
        while end > maximumBytes - 3, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return end
    }

    private static func plainCount(_ bytes: UnsafeRawBufferPointer, from start: Int, to end: Int) -> Int {
        var position = start
        while position < end {
            let byte = bytes[position]
            guard byte >= 0x20, byte < 0x7F, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") else { break }
            position += 1
        }
        return position - start
    }

    private static func appendEscape(_ code: UInt16, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\\"))
        switch UInt8(truncatingIfNeeded: code) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(UInt8(truncatingIfNeeded: code))
        case UInt8(ascii: "\n"): text.append(UInt8(ascii: "n"))
        case UInt8(ascii: "\r"): text.append(UInt8(ascii: "r"))
        case UInt8(ascii: "\t"): text.append(UInt8(ascii: "t"))
        default:
            append("u00", to: &text)
            text.append(hexDigit(code >> 4))
            text.append(hexDigit(code & 15))
        }
    }

    private static func hexDigit(_ value: UInt16) -> UInt8 {
        UInt8(truncatingIfNeeded: value) + (value < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
    }

    /// The length of the character that starts here, or of what one replacement character stands for, by Unicode's table of
    /// well-formed UTF-8.
    private static func sequenceLength(
        _ bytes: UnsafeRawBufferPointer, from start: Int, to end: Int
    ) -> (length: Int, isValid: Bool) {
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch bytes[start] {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        case 0xF1...0xF3: length = 4
        default: return (1, false)
        }
        for offset in 1..<length {
            let allowed = offset == 1 ? second : 0x80...0xBF
            guard start + offset < end, allowed.contains(bytes[start + offset]) else { return (offset, false) }
        }
        return (length, true)
    }

    private static func append(_ literal: StaticString, to text: inout [UInt8]) {
        literal.withUTF8Buffer { text.append(contentsOf: $0) }
    }
}
