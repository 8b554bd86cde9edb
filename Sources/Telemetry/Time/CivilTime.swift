/// A moment in UTC as calendars and clocks show it, by the Gregorian calendar. Leap seconds do not exist.
struct CivilTime: Hashable, Sendable {
    let year: Int
    /// 1 to 12.
    let month: Int
    /// 1 to 31.
    let day: Int
    let hour: Int
    let minute: Int
    let second: Int
    /// 0 is Sunday.
    let weekday: Int

    /// `epochSeconds` may be negative: before 1970.
    init(epochSeconds: Int64) {
        let (days, rest) = Self.divide(epochSeconds, by: 86_400)
        hour = Int(rest / 3600)
        minute = Int(rest / 60 % 60)
        second = Int(rest % 60)
        weekday = Int(Self.divide(days + 4, by: 7).rest)

        // Counted from 1 March of the year 0, so that the leap day ends its year and 400 years are one cycle of 146 097 days.
        let (cycle, dayOfCycle) = Self.divide(days + 719_468, by: 146_097)
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        // From March on, five months are always 153 days long.
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * monthFromMarch + 2) / 5) + 1
        month = Int(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9)
        year = Int(cycle * 400 + yearOfCycle) + (month <= 2 ? 1 : 0)
    }

    /// Rounds down, so that the rest is never negative.
    private static func divide(_ value: Int64, by divisor: Int64) -> (quotient: Int64, rest: Int64) {
        let rest = value % divisor
        return rest >= 0 ? (value / divisor, rest) : (value / divisor - 1, rest + divisor)
    }
}

extension [UInt8] {
    /// A number as decimal digits, with zeros in front up to `width`, at most 20; negative ones get a sign.
    mutating func appendDecimal(_ value: Int64, width: Int = 1) {
        if value < 0 { append(UInt8(ascii: "-")) }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var rest = value.magnitude
            var start = 20
            while rest > 0 || 20 - start < width {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            append(contentsOf: UnsafeMutableBufferPointer(rebasing: digits[start...]))
        }
    }
}
