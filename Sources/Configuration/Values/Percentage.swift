/// Shares as the configuration writes them: `10%`, `0.5%`.
enum Percentage {
    /// From 0 to 1.
    static func parse(_ text: String) throws(ConfigurationError) -> Double {
        let example = "write it like 10% or 0.5%"
        guard text.hasSuffix("%") else { throw ConfigurationError("`\(text)` is not a percentage; \(example)") }
        let digits = text.dropLast()
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isDigit) }),
            let value = Double(digits)
        else { throw ConfigurationError("`\(text)` is not a percentage; \(example)") }
        guard value <= 100 else { throw ConfigurationError("`\(text)` is more than all; \(example)") }
        return value / 100
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// A whole number of percent. `title` names the key.
    static func parse(_ text: String, _ title: String, in range: ClosedRange<Int>) throws(ConfigurationError) -> Int {
        guard text.hasSuffix("%"), let number = Int(text.dropLast()) else {
            throw ConfigurationError("`\(title)` should be a share like 20%, but is `\(text)`")
        }
        guard range.contains(number) else {
            throw ConfigurationError(
                "`\(title)` is \(text); it must be between \(range.lowerBound)% and \(range.upperBound)%")
        }
        return number
    }
}
