import TestSupport
import Testing

@testable import LimiterCore

@Suite struct AlignedClockTests {
    private let time = ManualTime()

    @Test func theStoresTimeGoesOnFromWhatItShowedLast() {
        let clock = AlignedClock(time)
        #expect(clock.storeTime == nil, "it was never heard")
        #expect(clock.now == time.nowMicroseconds)
        clock.align(to: 5_000_000)
        time.advance(by: .seconds(3))
        #expect(clock.storeTime == 8_000_000)
        #expect(clock.now == 8_000_000)
    }

    @Test func whatWasHeardLongAgoSaysNothingOfTheStoresTime() {
        let clock = AlignedClock(time)
        clock.align(to: 5_000_000)
        time.advance(by: .seconds(599))
        #expect(clock.storeTime != nil)
        time.advance(by: .seconds(1))
        #expect(clock.storeTime == nil)
        #expect(clock.now == 605_000_000, "windows still align by it")
    }
}
