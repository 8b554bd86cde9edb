/// The text of a file in which keys that a mapping has twice were renamed.
///
/// The parser stops at the first such key, which would hide all other faults. So the earlier one gets another name of
/// the same length, at the same place, and the text is read again.
struct RenamedKeys {
    private(set) var text: String
    /// The names that keys had, by place.
    private(set) var renamed: [Position: String] = [:]
    /// From Unicode's private use area, which no key has.
    private static let firstMark: UInt32 = 0xE000
    private static let markCount: UInt32 = 6000

    init(_ text: String) { self.text = text }

    /// false: the key is not written plainly, so it cannot be found in the text.
    mutating func rename(at position: Position) -> Bool {
        var scalars = Array(text.unicodeScalars)
        var start = 0
        for _ in 1..<max(1, position.line) {
            guard let end = scalars[start...].firstIndex(of: "\n") else { return false }
            start = end + 1
        }
        start += position.column - 1
        guard start >= 0, start < scalars.count else { return false }
        var quote: Unicode.Scalar?
        if scalars[start] == "\"" || scalars[start] == "'" {
            quote = scalars[start]
            start += 1
        }
        var end = start
        while end < scalars.count, quote.map({ scalars[end] != $0 }) ?? Self.isPlain(scalars[end]) { end += 1 }
        guard end > start, end - start <= 256 else { return false }
        let name = String(String.UnicodeScalarView(scalars[start..<end]))
        guard quote == nil || !name.contains("\\") && !name.contains("\n") else { return false }
        let mark = Unicode.Scalar(Self.firstMark + UInt32(renamed.count) % Self.markCount)!
        for index in start..<end { scalars[index] = mark }
        text = String(String.UnicodeScalarView(scalars))
        renamed[position] = name
        return true
    }

    /// Whether a key is one that was renamed.
    static func isMark(_ key: String) -> Bool {
        key.unicodeScalars.first.map { (firstMark..<firstMark + markCount).contains($0.value) } ?? false
    }

    func isIndentedByTab(line: Int) -> Bool {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return [line, line - 1].contains { number in
            guard number >= 1, number <= lines.count else { return false }
            return lines[number - 1].prefix { $0 == " " || $0 == "\t" }.contains("\t")
        }
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isAlphabetic || scalar.properties.numericType != nil || "_-./".unicodeScalars.contains(scalar)
    }
}
