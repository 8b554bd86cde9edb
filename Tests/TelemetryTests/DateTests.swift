import Foundation
import Testing

@testable import Telemetry

@Suite struct DateTests {
    @Test(
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
            (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
            (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
            (2_147_483_648, "Tue, 19 Jan 2038 03:14:08 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        ] as [(Int64, String)])
    func aDateIsWrittenAsHTTPWantsIt(second: Int64, text: String) {
        var date = CachedDate()
        #expect(String(decoding: date.bytes(epochSeconds: second), as: UTF8.self) == text)
    }

    @Test func aCachedDateChangesWithTheSecond() {
        var date = CachedDate()
        let first = date.bytes(epochSeconds: 784_111_777)
        #expect(date.bytes(epochSeconds: 784_111_777) == first)
        #expect(date.bytes(epochSeconds: 784_111_778) != first)
        #expect(date.bytes(epochSeconds: 784_111_777) == first)
    }

    @Test func everyDayOfFourCenturiesAgreesWithFoundation() {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(secondsFromGMT: 0)!
        var day = Int64(-25_567)
        while day < 146_097 {
            let time = CivilTime(epochSeconds: day * 86_400 + 3661)
            let date = Date(timeIntervalSince1970: Double(day * 86_400 + 3661))
            let parts = calendar.dateComponents([.year, .month, .day, .weekday], from: date)
            guard time.year == parts.year, time.month == parts.month, time.day == parts.day,
                time.weekday + 1 == parts.weekday
            else {
                Issue.record("day \(day): \(time)")
                return
            }
            day += 13
        }
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_772_366_400_042_999, "2026-03-01T12:00:00.042Z"),
            (999_999, "1970-01-01T00:00:00.999Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func aTimestampHasMilliseconds(microseconds: Int64, text: String) {
        var timestamp = CachedTimestamp()
        var bytes: [UInt8] = []
        timestamp.append(epochMicroseconds: microseconds, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == text)
    }

    @Test func aTimestampCachesTheSecondOnly() {
        var timestamp = CachedTimestamp()
        var bytes: [UInt8] = []
        for microseconds in [5_000_000, 5_001_000, 6_000_000] as [Int64] {
            timestamp.append(epochMicroseconds: microseconds, to: &bytes)
        }
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == "1970-01-01T00:00:05.000Z1970-01-01T00:00:05.001Z1970-01-01T00:00:06.000Z")
    }

    @Test(arguments: [
        (0, 1, "0"), (7, 3, "007"), (1234, 2, "1234"), (-5, 2, "-05"), (Int64.min, 1, "-9223372036854775808"),
    ])
    func numbersAreWrittenAsDecimals(value: Int64, width: Int, text: String) {
        var bytes: [UInt8] = []
        bytes.appendDecimal(value, width: width)
        #expect(String(decoding: bytes, as: UTF8.self) == text)
    }
}
