import LimiterCore
import Testing

@Suite struct BreakerTests {
    private let second: Int64 = 1_000_000

    private func probes(_ breaker: inout Breaker, at now: Int64) -> Bool { breaker.shouldProbe(at: now) }

    @Test func fiveFailuresInARowOpenIt() {
        var breaker = Breaker(seed: 1)
        for _ in 0..<4 { breaker.failed(at: 0) }
        #expect(breaker.isClosed)
        breaker.succeeded(at: 0)
        for _ in 0..<4 { breaker.failed(at: 0) }
        #expect(breaker.isClosed)
        breaker.failed(at: 0)
        #expect(!breaker.isClosed)
    }

    @Test func halfOfTwentyCallsInASecondOpenIt() {
        var breaker = Breaker(seed: 1)
        for index in 0..<19 { index % 2 == 0 ? breaker.failed(at: 5) : breaker.succeeded(at: 5) }
        #expect(breaker.isClosed)
        breaker.failed(at: 5)
        #expect(!breaker.isClosed)
    }

    @Test func failuresOfAnotherSecondDoNotCount() {
        var breaker = Breaker(seed: 1)
        for index in 0..<19 { index % 2 == 0 ? breaker.failed(at: 5) : breaker.succeeded(at: 5) }
        breaker.succeeded(at: 5 + second)
        breaker.failed(at: 5 + second)
        #expect(breaker.isClosed)
    }

    @Test func threeProbesThatPassCloseItOneAtATime() {
        var breaker = Breaker(seed: 3)
        breaker.disconnected(at: 0)
        #expect(probes(&breaker, at: 100_000) == false)
        for probe in 0..<3 {
            #expect(!breaker.isClosed)
            #expect(probes(&breaker, at: second) == true)
            #expect(probes(&breaker, at: second) == false, "one at a time, probe \(probe)")
            breaker.probePassed(at: second)
        }
        #expect(breaker.isClosed)
        #expect(probes(&breaker, at: second) == false)
    }

    @Test func aProbeThatFailsKeepsItOpenForLongerEachTimeUpToABound() {
        for seed in 1...50 as ClosedRange<UInt64> {
            var breaker = Breaker(seed: seed)
            var now: Int64 = 0
            breaker.disconnected(at: now)
            for opening in 0..<9 {
                guard case .open(let until) = breaker.phase else {
                    Issue.record("not open")
                    return
                }
                let base = min(5 * second, 250_000 << Int64(opening))
                #expect((base / 2...base * 3 / 2).contains(until - now))
                #expect(probes(&breaker, at: until - 1) == false)
                now = until
                #expect(probes(&breaker, at: now) == true)
                breaker.probeFailed(at: now)
            }
        }
    }
}
