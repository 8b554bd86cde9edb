import LimiterCore
import TestSupport
import Testing

@Suite struct CalendarPeriodTests {
    /// Berlin in 2026: summer time from 29 March 01:00 UTC to 25 October 01:00 UTC.
    private static let berlin = TimeZoneOffsets(
        name: "Europe/Berlin", first: 3600, changes: [(1_774_746_000, 7200), (1_792_890_000, 3600)])
    private static let march29: Int64 = 1_774_738_800
    private static let october25: Int64 = 1_792_879_200

    @Test(arguments: [
        (CalendarPeriod.Unit.day, Int64(86_400)), (.hour, 3600), (.week, 7 * 86_400),
    ])
    func inUTCPeriodsHaveOneLength(unit: CalendarPeriod.Unit, length: Int64) {
        let period = CalendarPeriod(unit)
        for time in stride(from: Int64(0), to: 2_000_000_000, by: 9_999_991) {
            let span = period.span(at: time)
            #expect(span.start <= time && time < span.end && span.end - span.start == length)
        }
    }

    @Test func aDayHas23Or25HoursWhereClocksAreChanged() {
        let day = CalendarPeriod(.day, in: Self.berlin)
        let short = day.span(at: Self.march29)
        #expect(short.start == Self.march29 && short.end - short.start == 23 * 3600)
        let long = day.span(at: Self.october25 + 20 * 3600)
        #expect(long.start == Self.october25 && long.end - long.start == 25 * 3600)
        #expect(day.label(ofNumber: long.number) == "2026-10-25")
    }

    @Test func anHourThatComesTwiceIsTwoPeriods() {
        let hour = CalendarPeriod(.hour, in: Self.berlin)
        let first = hour.span(at: Self.october25 + 2 * 3600 + 1800)
        let second = hour.span(at: first.end)
        #expect(first.end - first.start == 3600 && second.end - second.start == 3600)
        #expect(second.number == first.number + 1)
        #expect(hour.label(ofNumber: first.number) == "2026-10-25T02:00+02:00")
        #expect(hour.label(ofNumber: second.number) == "2026-10-25T02:00+01:00")
    }

    @Test func anHourThatHalfAnHourIsTakenFromOrAddedToStaysOne() {
        // Lord Howe: clocks go back and forth by half an hour.
        let zone = TimeZoneOffsets(
            name: "Australia/Lord_Howe", first: 39_600, changes: [(1_775_314_800, 37_800), (1_791_041_400, 39_600)])
        let hour = CalendarPeriod(.hour, in: zone)
        let back = hour.span(at: 1_775_314_800 + 600)
        #expect(back.start == 1_775_314_800 - 3600 && back.end == 1_775_314_800 + 1800)
        #expect(hour.span(at: back.end).start == back.end)
        let forth = hour.span(at: 1_791_041_400 + 600)
        #expect(forth.start == 1_791_041_400 - 3600 && forth.end == 1_791_041_400 + 1800)
    }

    @Test func aMonthIsAMonth() {
        let month = CalendarPeriod(.month, in: Self.berlin)
        let february = month.span(at: 1_771_000_000)
        #expect(month.label(ofNumber: february.number) == "2026-02")
        #expect(february.end - february.start == 28 * 86_400)
        let march = month.span(at: february.end)
        #expect(march.number == february.number + 1)
        // 31 days, less the hour that the clocks skip.
        #expect(march.end - march.start == 31 * 86_400 - 3600)
        #expect(month.span(at: march.end - 1) == march)
    }

    @Test(arguments: [
        (31, "2026-01-31", "2026-02-28", "2026-03-31"), (15, "2026-01-15", "2026-02-15", "2026-03-15"),
        (29, "2026-01-29", "2026-02-28", "2026-03-29"),
    ])
    func aBillingMonthBeginsOnItsAnchorOrTheLastDay(anchor: Int, first: String, second: String, third: String) {
        let month = CalendarPeriod(.month, anchorDay: anchor)
        // 2026-02-10
        let span = month.span(at: 1_770_681_600)
        #expect(month.label(ofNumber: span.number) == first)
        #expect(month.label(ofNumber: month.span(at: span.end).number) == second)
        #expect(month.label(ofNumber: month.span(at: month.span(at: span.end).end).number) == third)
    }

    @Test func weeksBeginOnMondayOrOnTheirAnchor() {
        let week = CalendarPeriod(.week)
        // 2026-11-25 is a Wednesday, in week 48.
        let span = week.span(at: 1_795_608_000)
        #expect(week.label(ofNumber: span.number) == "2026-W48")
        let fromSunday = CalendarPeriod(.week, anchorDay: 7)
        #expect(fromSunday.label(ofNumber: fromSunday.span(at: 1_795_608_000).number) == "2026-11-22")
        // 2027-01-01 is a Friday and belongs to the last week of 2026.
        #expect(week.label(ofNumber: week.span(at: 1_798_761_600).number) == "2026-W53")
    }

    @Test func yearsFollowTheLeapDay() {
        let year = CalendarPeriod(.year)
        let leap = year.span(at: 1_835_000_000)
        #expect(year.label(ofNumber: leap.number) == "2028" && leap.end - leap.start == 366 * 86_400)
    }

    @Test func aDayThatClocksSkipIsNoPeriod() {
        // Samoa went over the date line: 30 December 2011 did not happen there.
        let zone = TimeZoneOffsets(name: "Pacific/Apia", first: -36_000, changes: [(1_325_239_200, 50_400)])
        let day = CalendarPeriod(.day, in: zone)
        let before = day.span(at: 1_325_239_199)
        let after = day.span(at: 1_325_239_200)
        #expect(before.end == after.start && after.start == 1_325_239_200)
        #expect(day.label(ofNumber: before.number) == "2011-12-29")
        #expect(day.label(ofNumber: after.number) == "2011-12-31")
    }

    @Test(arguments: CalendarPeriod.Unit.allCases)
    func periodsFollowEachOtherWithoutGapsWhateverClocksDo(unit: CalendarPeriod.Unit) {
        var random = SeededGenerator()
        for _ in 0..<30 {
            var changes: [(at: Int64, offset: Int64)] = []
            var at = Int64.random(in: 1_000_000_000...1_000_100_000, using: &random) / 900 * 900
            for _ in 0..<6 {
                changes.append((at, Int64.random(in: -48...56, using: &random) * 900))
                at += Int64.random(in: 200...9000, using: &random) * 3600
            }
            let zone = TimeZoneOffsets(name: "test", first: 0, changes: changes)
            let period = CalendarPeriod(unit, in: zone, anchorDay: unit == .month ? 31 : 1)
            var span = period.span(at: 999_000_000)
            while span.end < at + 86_400 * 400 {
                let next = period.span(at: span.end)
                #expect(next.start == span.end && next.number > span.number && next.end > next.start)
                #expect(period.span(at: next.end - 1) == next)
                span = next
            }
        }
    }
}
