/// A kind of calendar period: hours, days, weeks, months or years as the clocks and calendars of a time zone show them.
///
/// Periods follow each other without gaps. A day has 23 or 25 hours where clocks are changed; where they are put back over its start,
/// it begins the first time. An hour that clocks show twice is two periods.
package struct CalendarPeriod: Hashable, Sendable {
    package enum Unit: String, Hashable, Sendable, CaseIterable {
        case hour, day, week, month, year
    }

    /// One period.
    package struct Span: Hashable, Sendable {
        /// Counts up by one from period to period; by two where clocks skip a whole one.
        package let number: Int64
        /// Seconds since the epoch; `end` is the next one's start.
        package let start: Int64
        package let end: Int64
    }

    package let unit: Unit
    package let zone: TimeZoneOffsets
    /// The day of the month on which months begin, from 1 to 31, or the last day of shorter ones; the day of the week on which weeks
    /// begin, from 1 (Monday) to 7. Other units: 1.
    package let anchorDay: Int

    package init(_ unit: Unit, in zone: TimeZoneOffsets = .utc, anchorDay: Int = 1) {
        self.unit = unit
        self.zone = zone
        self.anchorDay = anchorDay
    }

    /// The period at a time in seconds since the epoch.
    package func span(at time: Int64) -> Span {
        guard unit != .hour else { return hour(at: time) }
        var number = number(ofDay: CivilDay.days(inSeconds: zone.local(time)))
        while start(of: number + 1) <= time { number += 1 }
        while start(of: number) > time { number -= 1 }
        return Span(number: number, start: start(of: number), end: start(of: number + 1))
    }

    /// The period of this number.
    package func span(ofNumber number: Int64) -> Span {
        // An hour is at least that long, so its last second by UTC is in it.
        unit == .hour
            ? hour(at: number * 3600 + 3599)
            : Span(number: number, start: start(of: number), end: start(of: number + 1))
    }

    /// A time in seconds since the epoch as clocks there show it, by RFC 3339: `2026-11-25T14:00:00+01:00`.
    package func time(_ seconds: Int64) -> String {
        let offset = zone.offsets[zone.segment(at: seconds)]
        let (day, rest) = CivilDay.divide(seconds + offset, by: 86_400)
        func digits(_ value: Int64) -> String { CivilDay.digits(value, 2) }
        let clock = "\(digits(rest / 3600)):\(digits(rest / 60 % 60)):\(digits(rest % 60))"
        let ahead = "\(offset < 0 ? "-" : "+")\(digits(abs(offset) / 3600)):\(digits(abs(offset) / 60 % 60))"
        return "\(CivilDay(days: day))T\(clock)\(ahead)"
    }

    /// As people write it: `2026-11-25T14:00+01:00`, `2026-11-25`, `2026-W48`, `2026-11` or `2026`; where an anchor moves its start, that day.
    package func label(ofNumber number: Int64) -> String {
        switch unit {
        case .hour:
            let text = time(span(ofNumber: number).start)
            return "\(text.prefix(16))\(text.suffix(6))"
        case .day: return "\(CivilDay(days: number))"
        case .week:
            guard anchorDay == 1 else { return "\(CivilDay(days: firstDay(of: number)))" }
            // The week belongs to the year of its Thursday.
            let thursday = CivilDay(days: firstDay(of: number) + 3)
            let week = (firstDay(of: number) + 3 - CivilDay.days(year: thursday.year, month: 1, day: 1)) / 7 + 1
            return "\(CivilDay.digits(thursday.year, 4))-W\(CivilDay.digits(week, 2))"
        case .month:
            let first = CivilDay(days: firstDay(of: number))
            return anchorDay == 1
                ? "\(CivilDay.digits(first.year, 4))-\(CivilDay.digits(first.month, 2))" : "\(first)"
        case .year: return CivilDay.digits(number, 4)
        }
    }

    // MARK: Days and what is made of them

    private func start(of number: Int64) -> Int64 { zone.firstTime(showing: firstDay(of: number) * 86_400) }

    /// In days since 1970-01-01.
    private func firstDay(of number: Int64) -> Int64 {
        switch unit {
        case .hour, .day: return number
        // 1970-01-05 was a Monday.
        case .week: return number * 7 + 3 + Int64(anchorDay)
        case .month:
            let (year, month) = CivilDay.divide(number, by: 12)
            let day = min(Int64(anchorDay), CivilDay.daysInMonth(year: year, month: month + 1))
            return CivilDay.days(year: year, month: month + 1, day: day)
        case .year: return CivilDay.days(year: number, month: 1, day: 1)
        }
    }

    private func number(ofDay days: Int64) -> Int64 {
        switch unit {
        case .hour, .day: return days
        case .week: return CivilDay.divide(days - 3 - Int64(anchorDay), by: 7).quotient
        case .month:
            let day = CivilDay(days: days)
            let number = day.year * 12 + day.month - 1
            return firstDay(of: number) <= days ? number : number - 1
        case .year: return CivilDay(days: days).year
        }
    }

    // MARK: Hours

    /// Hours begin where clocks show a full one. One that the change of clocks cuts short belongs to the hour before.
    private func hour(at time: Int64) -> Span {
        let segment = zone.segment(at: time)
        if segment > 0 {
            let seam = seam(before: segment)
            if time < seam.end { return seam }
        }
        let offset = zone.offsets[segment]
        let start = CivilDay.divide(time + offset, by: 3600).quotient * 3600 - offset
        if segment + 1 < zone.offsets.count {
            let seam = seam(before: segment + 1)
            if start == seam.start { return seam }
        }
        return Self.hour(from: start, to: start + 3600)
    }

    /// The hour in which an offset ends and the next one begins; at least an hour long.
    private func seam(before segment: Int) -> Span {
        let (change, before, after) = (zone.start(of: segment), zone.offsets[segment - 1], zone.offsets[segment])
        let start = CivilDay.divide(change - 1 + before, by: 3600).quotient * 3600 - before
        let end = CivilDay.divide(change + after + 3599, by: 3600).quotient * 3600 - after
        return Self.hour(from: start, to: end - start < 3600 ? end + 3600 : end)
    }

    private static func hour(from start: Int64, to end: Int64) -> Span {
        Span(number: CivilDay.divide(start, by: 3600).quotient, start: start, end: end)
    }
}

/// A day of the Gregorian calendar.
struct CivilDay: Hashable, CustomStringConvertible {
    let year: Int64
    /// From 1 to 12.
    let month: Int64
    let day: Int64

    /// `days` since 1970-01-01. Years are counted from 1 March of the year 0, so that the leap day is the last of its year, and 400
    /// years are one cycle of 146 097 days.
    init(days: Int64) {
        let (cycle, dayOfCycle) = Self.divide(days + 719_468, by: 146_097)
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        // From March on, five months are always 153 days long.
        let fromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * fromMarch + 2) / 5 + 1
        month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
        year = cycle * 400 + yearOfCycle + (month <= 2 ? 1 : 0)
    }

    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let (cycle, yearOfCycle) = divide(month <= 2 ? year - 1 : year, by: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return cycle * 146_097 + yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + dayOfYear - 719_468
    }

    static func daysInMonth(year: Int64, month: Int64) -> Int64 {
        month == 12 ? 31 : days(year: year, month: month + 1, day: 1) - days(year: year, month: month, day: 1)
    }

    static func days(inSeconds seconds: Int64) -> Int64 { divide(seconds, by: 86_400).quotient }

    /// Rounds down, so that the rest is never negative.
    static func divide(_ value: Int64, by divisor: Int64) -> (quotient: Int64, rest: Int64) {
        let rest = value % divisor
        return rest >= 0 ? (value / divisor, rest) : (value / divisor - 1, rest + divisor)
    }

    static func digits(_ value: Int64, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    /// Such as `2026-11-25`.
    var description: String { "\(Self.digits(year, 4))-\(Self.digits(month, 2))-\(Self.digits(day, 2))" }
}
