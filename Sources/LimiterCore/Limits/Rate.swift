/// So many cost units a period.
package struct Rate: Hashable, Sendable, CustomStringConvertible {
    /// Cost units a period, at least 1.
    package let count: Int64
    /// The period's length in seconds, at least 1 and at most `maximumPeriodSeconds`; of a month or year, the longest there is.
    package let periodSeconds: Int64
    /// The period is one of these, so that it can be the calendar's.
    package let calendarUnit: CalendarPeriod.Unit?

    /// 53 weeks.
    package static let maximumPeriodSeconds: Int64 = 53 * 7 * 86_400

    package var periodMicroseconds: Int64 { periodSeconds * 1_000_000 }

    /// Months and years have no fixed length: only `algorithm: calendar` counts by them.
    package var needsCalendar: Bool { calendarUnit == .month || calendarUnit == .year }

    package init(
        count: Int64, periodSeconds: Int64, calendarUnit: CalendarPeriod.Unit? = nil
    ) throws(LimitError) {
        guard count >= 1 else {
            throw LimitError(.invalidRate, "a rate's count must be at least 1, not \(count)", key: "rate")
        }
        guard periodSeconds >= 1, periodSeconds <= Self.maximumPeriodSeconds else {
            throw LimitError(
                .invalidRate, "a rate's period must be between 1 second and 53 weeks, not \(periodSeconds) s",
                key: "rate")
        }
        self.count = count
        self.periodSeconds = periodSeconds
        self.calendarUnit = calendarUnit
    }

    /// Reads `100/minute`, `5/s`, `1000/30s`, `1000000/month`. Units: s, m, h, d, w and their names, month and year.
    package init(parsing text: String) throws(LimitError) {
        let example = "write it like 100/minute, 5/s or 1000/30s"
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw LimitError(.invalidRate, "`\(text)` is not a rate; \(example)", key: "rate")
        }
        guard let count = Int64(parts[0]), parts[0].allSatisfy(\.isASCIIDigit) else {
            throw LimitError(
                .invalidRate, "`\(parts[0])` in the rate `\(text)` is not a whole number; \(example)", key: "rate")
        }
        let digits = parts[1].prefix(while: \.isASCIIDigit)
        let unit = parts[1].dropFirst(digits.count)
        guard let multiple = digits.isEmpty ? 1 : Int64(digits) else {
            throw LimitError(.invalidRate, "the period of the rate `\(text)` is too long; \(example)", key: "rate")
        }
        let calendarUnit = Self.calendarUnits[String(unit)]
        if multiple > 1, let calendarUnit, calendarUnit == .month || calendarUnit == .year {
            throw LimitError(
                .invalidRate,
                "the period in the rate `\(text)` must be one \(calendarUnit), like 1000000/\(calendarUnit)",
                key: "rate")
        }
        guard let seconds = Self.unitSeconds[String(unit)] else {
            throw LimitError(
                .invalidRate,
                "`\(parts[1])` in the rate `\(text)` is not a period; units are s, m, h, d and w, or their names, month and year",
                key: "rate")
        }
        let (period, overflow) = multiple.multipliedReportingOverflow(by: seconds)
        try self.init(
            count: count, periodSeconds: overflow ? .max : period, calendarUnit: multiple == 1 ? calendarUnit : nil)
    }

    private static let calendarUnits: [String: CalendarPeriod.Unit] = [
        "h": .hour, "hour": .hour, "hours": .hour, "d": .day, "day": .day, "days": .day,
        "w": .week, "week": .week, "weeks": .week,
        "month": .month, "months": .month, "year": .year, "years": .year,
    ]

    private static let unitSeconds: [String: Int64] = [
        "s": 1, "sec": 1, "second": 1, "seconds": 1,
        "m": 60, "min": 60, "minute": 60, "minutes": 60,
        "h": 3600, "hour": 3600, "hours": 3600,
        "d": 86_400, "day": 86_400, "days": 86_400,
        "w": 604_800, "week": 604_800, "weeks": 604_800,
        "month": 31 * 86_400, "months": 31 * 86_400, "year": 366 * 86_400, "years": 366 * 86_400,
    ]

    /// As the configuration writes it: `100/minute`, `1000/30s`.
    package var description: String {
        if let calendarUnit { return "\(count)/\(calendarUnit)" }
        for (name, seconds) in [("week", 604_800), ("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)]
            as [(String, Int64)]
        where periodSeconds == seconds {
            return "\(count)/\(name)"
        }
        return "\(count)/\(periodSeconds)s"
    }
}

extension Character {
    fileprivate var isASCIIDigit: Bool { self >= "0" && self <= "9" }
}
