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
}
