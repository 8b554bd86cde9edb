import Testing

@testable import Gateway

/// Times in milliseconds, told to the value in nanoseconds.
struct BodyPatienceTests {
    private static let millisecond: Int64 = 1_000_000

    /// 100 ms, and a byte a millisecond.
    private var patience = BodyPatience(timeout: 100 * millisecond, leastRate: 1000)

    private mutating func wait(at now: Int64, after bytes: Int64) -> Int64 {
        patience.wait(at: now * Self.millisecond, after: bytes) / Self.millisecond
    }

    @Test mutating func silenceEndsWithTheTimeout() {
        #expect(wait(at: 1000, after: 0) == 1100)
    }

    @Test mutating func bytesGiveBackWhatTheyMayTake() {
        _ = wait(at: 0, after: 0)
        patience.stopWaiting(at: 60 * Self.millisecond)
        // 40 ms are left, and 30 bytes give 30 ms.
        #expect(wait(at: 60, after: 30) == 60 + 70)
    }

    @Test mutating func aFastBodyIsOwedNoMoreThanTheTimeout() {
        _ = wait(at: 0, after: 0)
        #expect(wait(at: 10, after: 1 << 40) == 110)
    }

    @Test mutating func evenTricklingEnds() {
        var (now, bytes): (Int64, Int64) = (0, 0)
        var deadline = wait(at: now, after: bytes)
        // A byte each 4 ms costs 3 ms net.
        while now + 4 <= deadline {
            now += 4
            bytes += 1
            deadline = wait(at: now, after: bytes)
        }
        #expect((120...140).contains(now))
    }

    @Test mutating func timeInWhichNobodyReadsDoesNotCount() {
        _ = wait(at: 0, after: 0)
        patience.stopWaiting(at: 10 * Self.millisecond)
        #expect(wait(at: 5000, after: 0) == 5090)
    }

    @Test func withoutALeastRateEveryByteGivesEverythingBack() {
        var patience = BodyPatience(timeout: 100, leastRate: 0)
        _ = patience.wait(at: 0, after: 0)
        #expect(patience.wait(at: 90, after: 1) == 190)
    }

    @Test mutating func theNextRequestBeginsAnew() {
        _ = wait(at: 0, after: 50)
        patience.stopWaiting(at: 90 * Self.millisecond)
        patience.reset()
        #expect(wait(at: 100, after: 0) == 200)
    }
}
