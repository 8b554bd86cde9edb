/// Durations as the configuration writes them: a whole number and a unit.
enum DurationText {
    private static let units: [(name: String, microseconds: Int64)] = [
        ("us", 1), ("ms", 1000), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000),
    ]

    static func parse(_ text: String) throws(ConfigurationError) -> Duration {
        let example = "write it like 20ms, 10s or 1m"
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count)
        guard let number = Int64(digits) else { throw ConfigurationError("`\(text)` is not a duration; \(example)") }
        guard !unit.isEmpty else { throw ConfigurationError("the duration `\(text)` has no unit; \(example)") }
        guard let known = units.first(where: { $0.name == unit }) else {
            throw ConfigurationError(
                "`\(unit)` in the duration `\(text)` is not a unit; there are us, ms, s, m and h")
        }
        let (microseconds, overflow) = number.multipliedReportingOverflow(by: known.microseconds)
        guard !overflow else { throw ConfigurationError("the duration `\(text)` is too long; \(example)") }
        return .microseconds(microseconds)
    }

    /// With the largest unit that divides it.
    static func describe(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        let unit = units.last { microseconds % $0.microseconds == 0 && microseconds >= $0.microseconds } ?? units[2]
        return "\(microseconds / unit.microseconds)\(unit.name)"
    }
}
