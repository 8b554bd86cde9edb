import Testing

@testable import LoadTester

/// The probe as a value: events in, steps out. Times are in milliseconds of the run.
@Suite struct RetryProbeTests {
    private static let ms: Int64 = 1_000_000

    private static func refused(_ probe: inout RetryProbe, at time: Int64, seconds: Int) {
        probe.answered(.refused, .seconds(seconds), sent: time * ms, received: (time + 2) * ms)
    }

    private static func admitted(_ probe: inout RetryProbe, at time: Int64) {
        probe.answered(.admitted, .missing, sent: time * ms, received: (time + 2) * ms)
    }

    @Test func itSpendsTheBudgetThenComesBackTooEarlyThenInTime() {
        var probe = RetryProbe(burst: 3)
        for _ in 0..<3 {
            #expect(probe.next(at: 0) == .send)
            Self.admitted(&probe, at: 10)
        }
        Self.refused(&probe, at: 100, seconds: 4)
        // 30 ms before a second before: 100 + 3000 - 30.
        #expect(probe.next(at: 200 * Self.ms) == .wait(until: 3070 * Self.ms))
        #expect(probe.next(at: 3070 * Self.ms) == .send)
        Self.refused(&probe, at: 3070, seconds: 2)
        #expect(probe.findings.refusedWhenEarly == 1)
        // From when the refusal was received.
        #expect(probe.next(at: 3080 * Self.ms) == .wait(until: 4102 * Self.ms))
        #expect(probe.next(at: 4102 * Self.ms) == .send)
        Self.admitted(&probe, at: 4102)
        #expect(probe.findings == RetryProbe.Findings(passedWhenDue: 1, refusedWhenEarly: 1))
        #expect(probe.next(at: 4110 * Self.ms) == .send)
    }

    @Test func aTimeOfOneSecondHasNoEarlier() {
        var probe = RetryProbe(burst: 1)
        Self.refused(&probe, at: 100, seconds: 1)
        #expect(probe.next(at: 110 * Self.ms) == .wait(until: 1102 * Self.ms))
    }

    @Test func whoIsRefusedInTimeWasToldTooLittle() {
        var probe = RetryProbe(burst: 1)
        Self.refused(&probe, at: 100, seconds: 1)
        Self.refused(&probe, at: 1102, seconds: 1)
        #expect(probe.findings.refusedWhenDue == 1)
    }

    @Test func whoPassesTooEarlyWasToldTooMuch() {
        var probe = RetryProbe(burst: 1)
        Self.refused(&probe, at: 100, seconds: 3)
        Self.admitted(&probe, at: 2070)
        #expect(probe.findings.passedWhenEarly == 1)
    }

    @Test func aSlowAnswerProvesNothing() {
        var probe = RetryProbe(burst: 1)
        Self.refused(&probe, at: 100, seconds: 3)
        probe.answered(.refused, .seconds(1), sent: 2070 * Self.ms, received: 2200 * Self.ms)
        #expect(probe.findings == RetryProbe.Findings())
    }

    @Test func withoutARefusalOrATimeItEnds() {
        var unlimited = RetryProbe(burst: 1)
        var requests = 0
        while unlimited.next(at: 0) == .send, requests < 100_000 {
            Self.admitted(&unlimited, at: 1)
            requests += 1
        }
        #expect(unlimited.next(at: 0) == .finished)
        var silent = RetryProbe(burst: 1)
        silent.answered(.refused, .missing, sent: 0, received: 1)
        #expect(silent.next(at: 0) == .finished)
    }
}
