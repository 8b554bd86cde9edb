import LimiterCore
import Testing

@Suite struct RateTests {
    @Test(
        arguments: [
            ("100/minute", 100, 60), ("5/s", 5, 1), ("1000/30s", 1000, 30), ("1/2weeks", 1, 1_209_600),
            ("7/day", 7, 86_400),
            ("3/h", 3, 3600), ("9/15min", 9, 900),
        ] as [(String, Int64, Int64)])
    func aRateIsReadAsItIsWritten(text: String, count: Int64, seconds: Int64) throws {
        let rate = try Rate(parsing: text)
        #expect(rate.count == count)
        #expect(rate.periodSeconds == seconds)
    }

    @Test(arguments: [
        "", "100", "100/", "/minute", "0/minute", "-1/s", "1.5/s", "+5/s", "1e3/s", "100/fortnight", "5/0s", "5 / s",
        "1/54w",
        "99999999999999999999/s", "1/99999999999999999999s", "100/minute/x", "١/s",
    ])
    func whatIsNotARateIsRefused(text: String) { #expect(throws: LimitError.self) { try Rate(parsing: text) } }

    @Test func monthsAndYearsNeedTheCalendar() throws {
        #expect(try Rate(parsing: "1000000/month").needsCalendar)
        #expect(try Rate(parsing: "5/year").calendarUnit == .year)
        #expect(try !Rate(parsing: "5/day").needsCalendar)
        #expect(try Rate(parsing: "5/24h").calendarUnit == nil)
        #expect(throws: LimitError.self) { try Rate(parsing: "5/2months") }
    }

    @Test func aRateDescribesItselfAsTheConfigurationWritesIt() throws {
        #expect(try Rate(parsing: "100/60s").description == "100/minute")
        #expect(try Rate(parsing: "1000/30s").description == "1000/30s")
        #expect(try Rate(parsing: "1000/month").description == "1000/month")
    }
}
