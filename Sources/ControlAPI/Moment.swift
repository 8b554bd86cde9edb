import Foundation
import WeirConfiguration

/// A moment as the API writes it, RFC 3339 in UTC, and reads it: that with any offset, or seconds since the epoch.
enum Moment {
    static func json(_ microseconds: Int64?) -> JSON { microseconds.map { .string(text($0)) } ?? .null }

    /// To the millisecond, rounded down; whole seconds without a fraction.
    static func text(_ microseconds: Int64) -> String {
        let milliseconds = microseconds / 1000
        let date = Date(timeIntervalSince1970: Double(milliseconds / 1000))
        let text = date.formatted(.iso8601)
        let fraction = milliseconds % 1000
        guard fraction > 0 else { return text }
        return "\(text.dropLast()).\(String(repeating: "0", count: 3 - "\(fraction)".count))\(fraction)Z"
    }

    /// Microseconds since the epoch; nil where it is neither.
    static func microseconds(_ value: JSON) -> Int64? {
        switch value {
        case .integer(let seconds): bounded(Double(seconds))
        case .number(let seconds): bounded(seconds)
        case .string(let text): microseconds(parsing: text)
        case .null, .bool, .array, .object: nil
        }
    }

    static func microseconds(parsing text: String) -> Int64? {
        let isNumber = !text.isEmpty && text.allSatisfy { $0.isASCII && $0.isNumber }
        return (isNumber ? Double(text) : MomentText.seconds(text)).flatMap(bounded)
    }

    private static func bounded(_ seconds: Double) -> Int64? {
        MomentText.range.contains(seconds) ? Int64((seconds * 1_000_000).rounded()) : nil
    }
}
