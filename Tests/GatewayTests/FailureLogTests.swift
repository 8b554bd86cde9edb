import Telemetry
import Testing

@testable import Gateway

struct FailureLogTests {
    private static let second: Int64 = 1_000_000_000

    @Test func theFirstIsToldAtOnceAndLaterHowManyWereNot() {
        var log = FailureLog(services: 2)
        #expect(log.note(.timeout, service: 0, at: 0) == 0)
        for _ in 0..<7 { #expect(log.note(.timeout, service: 0, at: Self.second) == nil) }
        #expect(log.note(.timeout, service: 0, at: 5 * Self.second) == 7)
        #expect(log.note(.timeout, service: 0, at: 11 * Self.second) == 0)
    }

    @Test func kindsAreApart() {
        var log = FailureLog(services: 2)
        for service in -1...2 {
            for cause in FailureCause.allCases {
                // A service that there is not, and none, are one.
                #expect(log.note(cause, service: service, at: 0) == (service == 2 ? nil : 0))
            }
        }
    }
}
