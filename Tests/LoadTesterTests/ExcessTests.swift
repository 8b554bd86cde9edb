import LimiterCore
import LoadTester
import Testing

/// The promise's arithmetic on observations that tests make up. Times are in milliseconds of the run.
@Suite struct ExcessTests {
    private static let ms: Int64 = 1_000_000

    /// Judges a limit of 10 a second, with clock windows that begin at whole seconds of the run.
    private static func judge(
        _ observations: [Observation], limit: String = "10/s", isShared: Bool = false, skew: Int64 = 0
    ) throws -> Accuracy {
        let promise = try Promise(parsing: limit)
        return Accuracy(
            observations, names: ["acme", "globex"],
            Accuracy.Settings(
                promise: promise, isShared: isShared,
                windows: ClockWindows(length: promise.periodNanoseconds, epoch: 0, skew: skew * ms)))
    }

    private static func admitted(_ sent: Int64, _ received: Int64, cost: Int = 1, tenant: Int = 0) -> Observation {
        Observation(sent: sent * ms, received: received * ms, tenant: tenant, cost: cost, outcome: .admitted)
    }

    private static func admitted(_ count: Int, at time: Int64, tenant: Int = 0) -> [Observation] {
        (0..<count).map { _ in admitted(time, time + 1, tenant: tenant) }
    }

    @Test func whatWasPromisedIsNoExcess() throws {
        // L at the end of a window and, as its weight shrinks, L more: 2L in a second and a bit.
        let paced = (1...9).map { Self.admitted(1000 + 100 * $0, 1001 + 100 * $0) }
        let accuracy = try Self.judge(Self.admitted(10, at: 990) + paced)
        #expect(accuracy.overAdmissionPercent == 0)
        #expect(accuracy.worstWindow == nil)
        #expect(accuracy.worstInterval == nil)
    }

    @Test func moreThanTheLimitInAClockWindowIsAnExcess() throws {
        let accuracy = try Self.judge(Self.admitted(6, at: 1000) + Self.admitted(6, at: 1900))
        let breach = try #require(accuracy.worstWindow)
        #expect(breach.units == 2)
        #expect(breach.admitted == 12)
        #expect(breach.bound == 10)
        #expect(breach.tenant == "acme")
        #expect(breach.fromSeconds == 1)
        #expect(breach.toSeconds == 2)
        #expect(accuracy.overAdmissionPercent == 20)
        #expect(accuracy.tenantsOver == 1)
        // 10·(1 + 0.901) in that interval: only the window is over.
        #expect(accuracy.worstInterval == nil)
    }

    @Test func tooMuchInAShortIntervalIsAnExcessThoughEveryWindowHoldsTheLimit() throws {
        // A fixed window would admit this: 10 at the end of one, 10 at the begin of the next.
        let accuracy = try Self.judge(Self.admitted(10, at: 950) + Self.admitted(10, at: 1049))
        #expect(accuracy.worstWindow == nil)
        let breach = try #require(accuracy.worstInterval)
        // In 100 ms at most 10·1.1 = 11.
        #expect(breach.bound == 11)
        #expect(breach.units == 9)
        #expect(breach.admitted == 20)
    }

    @Test func anAdmissionCountsOnlyWhereItCertainlyWas() throws {
        // Eleven, but the eleventh may have been decided in the window before, or, as the clocks differ, in the one after.
        let straddling = Self.admitted(10, at: 1500) + [Self.admitted(990, 1010)]
        #expect(try Self.judge(straddling).worstWindow == nil)
        let nearTheEdge = Self.admitted(10, at: 1500) + [Self.admitted(1002, 1004)]
        #expect(try Self.judge(nearTheEdge).worstWindow?.units == 1)
        #expect(try Self.judge(nearTheEdge, skew: 5).worstWindow == nil)
    }

    @Test func aSlowAnswerCannotMakeUpAnExcess() throws {
        // Twenty that were sent over two seconds and all answered at once.
        let late = (0..<20).map { Self.admitted(Int64($0) * 100, 2000) }
        #expect(try Self.judge(late).overAdmissionPercent == 0)
        // Sent at once, answered over two seconds.
        let slow = (0..<20).map { Self.admitted(0, 1 + Int64($0) * 100) }
        #expect(try Self.judge(slow).worstInterval == nil)
    }

    @Test func aBucketMayAdmitItsBurstAndWhatItGained() throws {
        let burst = Self.admitted(5, at: 0)
        #expect(try Self.judge(burst + [Self.admitted(99, 101)], limit: "10/s,burst=5").worstInterval == nil)
        let over = try Self.judge(burst + [Self.admitted(50, 90)], limit: "10/s,burst=5")
        #expect(over.worstInterval?.units == 1)
        #expect(over.worstInterval?.bound == 5)
        #expect(over.overAdmissionPercent == 20)
        #expect(over.worstWindow == nil, "a bucket promises nothing about clock windows")
    }

    @Test func costsCountAndNotRequests() throws {
        let costly = [Self.admitted(1100, 1101, cost: 7), Self.admitted(1200, 1201, cost: 7)]
        #expect(try Self.judge(costly).worstWindow?.units == 4)
        #expect(try Self.judge(costly).admittedUnits == 14)
    }

    @Test func tenantsHaveCountersOfTheirOwnUnlessTheyShareOne() throws {
        let both = Self.admitted(8, at: 1100) + Self.admitted(8, at: 1100, tenant: 1)
        #expect(try Self.judge(both).overAdmissionPercent == 0)
        #expect(try Self.judge(both, isShared: true).worstWindow?.units == 6)
    }

    @Test func theExcessInAnyPeriodIsToldApart() throws {
        let paced = (1...8).map { Self.admitted(1000 + 100 * $0, 1001 + 100 * $0) }
        let accuracy = try Self.judge(Self.admitted(10, at: 990) + paced)
        #expect(accuracy.overAdmissionPercent == 0)
        #expect(accuracy.worstPeriod?.units == 8)
        #expect(accuracy.excessInAnyPeriodPercent == 80)
    }

    /// Against the definition, in quadratic time.
    @Test func theGreatestExcessIsFoundAmongAllIntervals() throws {
        var random = SeededRandom(seed: 7)
        for round in 0..<200 {
            let observations = (0..<Int.random(in: 1...40, using: &random)).map { _ in
                let sent = Int64.random(in: 0...3000, using: &random)
                return Self.admitted(
                    sent, sent + Int64.random(in: 1...200, using: &random), cost: Int.random(in: 1...3, using: &random))
            }
            for limit in ["10/s", "3/s", "5/s,burst=4"] {
                let promise = try Promise(parsing: limit)
                var greatest: Int64 = 0
                for begin in observations.map(\.sent) {
                    for end in observations.map(\.received)
                    where end >= begin && end - begin <= promise.longestInterval ?? .max {
                        let units = observations.reduce(0) {
                            $0 + ($1.sent >= begin && $1.received <= end ? Int64($1.cost) : 0)
                        }
                        greatest = max(greatest, units - promise.bound(end - begin))
                    }
                }
                let found = try Self.judge(observations, limit: limit).worstInterval?.units ?? 0
                #expect(found == greatest, "round \(round), \(limit)")
            }
        }
    }
}
