/// Sizes as the configuration writes them: bytes, or a whole number and a unit.
enum ByteSize {
    private static let units: [String: Int64] = [
        "": 1, "B": 1, "kB": 1000, "MB": 1_000_000, "GB": 1_000_000_000, "KiB": 1 << 10, "MiB": 1 << 20,
        "GiB": 1 << 30,
    ]

    static func parse(_ text: String) throws(ConfigurationError) -> Int64 {
        let example = "write it like 65536, 64KiB or 10MiB"
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits), let unit = units[String(text.dropFirst(digits.count))] else {
            throw ConfigurationError("`\(text)` is not a number of bytes; \(example)")
        }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: unit)
        guard !overflow else { throw ConfigurationError("`\(text)` is too many bytes; \(example)") }
        return bytes
    }
}
