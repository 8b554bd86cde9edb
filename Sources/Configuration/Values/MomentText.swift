import Foundation

/// Moments as the configuration writes them: RFC 3339.
enum MomentText {
    /// Whole seconds since 1970, rounded down.
    static func parse(_ text: String) throws(ConfigurationError) -> Int64 {
        for style in [Date.ISO8601FormatStyle(), Date.ISO8601FormatStyle(includingFractionalSeconds: true)] {
            guard let date = try? style.parse(text) else { continue }
            let seconds = date.timeIntervalSince1970.rounded(.down)
            if (0...253_402_300_799).contains(seconds) { return Int64(seconds) }
        }
        throw ConfigurationError("`\(text)` is not a time; write it like 2027-01-31T12:00:00Z")
    }
}
