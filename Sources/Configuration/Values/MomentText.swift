import Foundation

/// Moments as users write them: RFC 3339.
package enum MomentText {
    /// Seconds since 1970, up to the year 9999.
    package static let range = 0.0...253_402_300_799

    /// Seconds since 1970; nil: this is no such time, or out of `range`.
    package static func seconds(_ text: String) -> Double? {
        for style in [Date.ISO8601FormatStyle(), Date.ISO8601FormatStyle(includingFractionalSeconds: true)] {
            guard let date = try? style.parse(text) else { continue }
            let seconds = date.timeIntervalSince1970
            return range.contains(seconds) ? seconds : nil
        }
        return nil
    }

    /// Whole seconds since 1970, rounded down.
    static func parse(_ text: String) throws(ConfigurationError) -> Int64 {
        guard let seconds = seconds(text) else {
            throw ConfigurationError("`\(text)` is not a time; write it like 2027-01-31T12:00:00Z")
        }
        return Int64(seconds)
    }
}
