import LoadTester
import Testing

/// Refusals that should not have been, and what they said about coming back. Times are in milliseconds of the run.
@Suite struct RefusalTests {
    private static let ms: Int64 = 1_000_000

    private static func judge(_ observations: [Observation], limit: String = "10/s") throws -> Accuracy {
        let promise = try Promise(parsing: limit)
        return Accuracy(
            observations, names: ["acme"],
            Accuracy.Settings(
                promise: promise, isShared: false,
                windows: ClockWindows(length: promise.periodNanoseconds, epoch: 0, skew: 0)))
    }

    private static func seen(
        _ outcome: Observation.Outcome, _ sent: Int64, _ received: Int64, cost: Int = 1,
        retry: Observation.RetryAfter = .seconds(1)
    ) -> Observation {
        Observation(
            sent: sent * ms, received: received * ms, tenant: 0, cost: cost, outcome: outcome, retryAfter: retry)
    }

    private static func admitted(_ count: Int, at time: Int64) -> [Observation] {
        (0..<count).map { _ in seen(.admitted, time, time + 1) }
    }

    // MARK: Under-admission

    @Test func aRefusalWithTheLimitSpentIsRight() throws {
        let accuracy = try Self.judge(Self.admitted(10, at: 100) + [Self.seen(.refused, 200, 201)])
        #expect(accuracy.wrongRefusals == 0)
        #expect(accuracy.underAdmissionPercent == 0)
        #expect(accuracy.refusedRequests == 1)
    }

    @Test func aRefusalWithRoomLeftIsWrong() throws {
        let refusals = (0..<5).map { Self.seen(.refused, 200 + $0, 201 + $0) }
        let accuracy = try Self.judge(Self.admitted(8, at: 100) + refusals)
        #expect(accuracy.wrongRefusals == 5)
        // Only two of them could have passed.
        #expect(accuracy.underAdmissionPercent == 20)
    }

    @Test func whatIsUnderWayMayHaveComeFirst() throws {
        let spent = Self.admitted(9, at: 100)
        let underWay = Self.seen(.admitted, 195, 250)
        #expect(try Self.judge(spent + [underWay, Self.seen(.refused, 200, 240)]).wrongRefusals == 0)
        #expect(try Self.judge(spent + [underWay, Self.seen(.refused, 150, 190)]).wrongRefusals == 1)
    }

    @Test func aRequestThatNobodyAnsweredMayHaveBeenCharged() throws {
        let lost = Self.seen(.unknown, 50, 90, cost: 10)
        #expect(try Self.judge([lost, Self.seen(.refused, 200, 201)]).wrongRefusals == 0)
    }

    @Test func theWindowBeforeWeighsAsMuchAsTheSlidingWindowStillCovers() throws {
        let before = Self.admitted(10, at: 500)
        // At 1.4 s six of the ten still count, and at 1.2 s eight.
        #expect(
            try Self.judge(before + Self.admitted(4, at: 1100) + [Self.seen(.refused, 1400, 1401)]).wrongRefusals == 0)
        #expect(
            try Self.judge(before + Self.admitted(3, at: 1100) + [Self.seen(.refused, 1400, 1401)]).wrongRefusals == 1)
        #expect(
            try Self.judge(before + Self.admitted(3, at: 1100) + [Self.seen(.refused, 1200, 1201)]).wrongRefusals == 0)
    }

    @Test func aRefusalThatMayBelongToEitherWindowIsNotJudged() throws {
        #expect(try Self.judge([Self.seen(.refused, 990, 1010)]).wrongRefusals == 0)
        #expect(try Self.judge([Self.seen(.refused, 980, 990)]).wrongRefusals == 1)
    }

    @Test func aCostlyRequestNeedsTheRoomForItsCost() throws {
        let spent = Self.admitted(6, at: 100)
        #expect(try Self.judge(spent + [Self.seen(.refused, 200, 201, cost: 5)]).wrongRefusals == 0)
        #expect(try Self.judge(spent + [Self.seen(.refused, 200, 201, cost: 4)]).wrongRefusals == 1)
    }

    @Test func aBucketIsJudgedByWhatItMustHaveGained() throws {
        let limit = "10/s,burst=5"
        let spent = Self.admitted(5, at: 100)
        #expect(try Self.judge(spent + [Self.seen(.refused, 190, 195)], limit: limit).wrongRefusals == 0)
        #expect(try Self.judge(spent + [Self.seen(.refused, 210, 215)], limit: limit).wrongRefusals == 1)
        // A full bucket gains nothing: after a rest it holds five, not fifty.
        let rested = Self.admitted(5, at: 5000) + [Self.seen(.refused, 5050, 5060)]
        #expect(try Self.judge(rested, limit: limit).wrongRefusals == 0)
    }

    // MARK: Retry-After

    @Test func aRefusalWithoutWholeSecondsIsDishonest() throws {
        let accuracy = try Self.judge([
            Self.seen(.refused, 100, 101, retry: .missing), Self.seen(.refused, 100, 101, retry: .invalid),
            Self.seen(.refused, 100, 101, retry: .seconds(3)),
        ])
        #expect(accuracy.retryAfterMissing == 1)
        #expect(accuracy.retryAfterInvalid == 1)
        #expect(accuracy.retryAfterTooLate == 0)
    }

    @Test func whoPassesOverASecondSoonerWasToldTooMuch() throws {
        let refusal = Self.seen(.refused, 1000, 1010, retry: .seconds(5))
        func tooLate(_ admission: Observation) throws -> Int { try Self.judge([refusal, admission]).retryAfterTooLate }
        #expect(try tooLate(Self.seen(.admitted, 4000, 4010)) == 1)
        // Rounding up to whole seconds may take a second.
        #expect(try tooLate(Self.seen(.admitted, 5100, 5110)) == 0)
        // It may have been decided before the refusal.
        #expect(try tooLate(Self.seen(.admitted, 1005, 1200)) == 0)
        // A cheaper request may pass sooner.
        #expect(
            try Self.judge([
                Self.seen(.refused, 1000, 1010, cost: 3, retry: .seconds(5)), Self.seen(.admitted, 4000, 4010),
            ]).retryAfterTooLate == 0)
    }

    // MARK: Fairness

    @Test func jainsIndexIsOneWhereAllGotTheSame() {
        #expect(Fairness([5, 5, 5])?.jain == 1)
        #expect(Fairness([9, 0, 0])?.jain == 1.0 / 3)
        #expect(Fairness([0, 0])?.jain == 1)
        #expect(Fairness([1]) == nil)
    }
}
