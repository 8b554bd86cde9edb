import Foundation

/// Points of time as text.
enum DateText {
    /// `2026-01-31T12:00:00Z`, from nanoseconds since 1970.
    static func rfc3339(_ nanoseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(nanoseconds / 1_000_000_000)).formatted(.iso8601)
    }
}
