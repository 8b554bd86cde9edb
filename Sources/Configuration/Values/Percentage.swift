/// Shares as the configuration writes them: a whole number and `%`.
enum Percentage {
    /// `title` names the key.
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
