import Testing

@testable import Tokens

struct RefreshTests {
    private static let second: Int64 = 1_000_000_000

    /// What a change of state answers; `#expect` cannot take the change itself.
    private func expect<Answer: Equatable>(
        _ answer: Answer, _ expected: Answer, _ comment: Comment? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(answer == expected, comment, sourceLocation: sourceLocation)
    }

    private func second(_ number: Int64) -> Int64 { number * Self.second }

    @Test func keysAreFetchedAtOnceAndThenFromTimeToTime() {
        var refresh = KeyRefresh(at: 0)
        expect(refresh.tick(at: 0), true)
        expect(refresh.tick(at: 1), false)
        expect(refresh.succeeded(at: second(1), maxAge: nil), false)
        expect(refresh.tick(at: second(600)), false)
        expect(refresh.tick(at: second(601)), true)
        _ = refresh.succeeded(at: second(601), maxAge: second(5))
        expect(refresh.tick(at: second(660)), false)
        expect(refresh.tick(at: second(661)), true)
        _ = refresh.succeeded(at: second(661), maxAge: second(86_400))
        expect(refresh.tick(at: second(4260)), false)
        expect(refresh.tick(at: second(4261)), true)
    }

    @Test func aMissedKeyIsFetchedOnceAndNoSoonerThanTheFloorAllows() {
        var refresh = KeyRefresh(at: 0)
        expect(refresh.tick(at: 0), true)
        expect(refresh.demand(at: 1), false)
        _ = refresh.succeeded(at: second(1), maxAge: nil)
        expect(refresh.demand(at: second(29)), false)
        #expect(refresh.nextAllowedAt == second(30))
        expect(refresh.demand(at: second(30)), true)
        expect(refresh.demand(at: second(30)), false)
        expect(refresh.demand(at: second(70)), false, "one is under way")
        _ = refresh.succeeded(at: second(70), maxAge: nil)
        expect(refresh.demand(at: second(70)), true)
    }

    @Test func failuresAreToldOnceAndComeEverLessOften() {
        var refresh = KeyRefresh(at: 0)
        var starts: [Int64] = []
        var told = 0
        for now in 0..<2000 where refresh.tick(at: second(Int64(now))) {
            starts.append(Int64(now))
            if refresh.failed(at: second(Int64(now))) { told += 1 }
        }
        #expect(starts == [0, 30, 90, 210, 450, 930, 1530])
        #expect(told == 1)
        expect(refresh.demand(at: second(2000)), true)
        expect(refresh.succeeded(at: second(2000), maxAge: nil), true, "it is back")
        expect(refresh.demand(at: second(2030)), true)
        expect(refresh.failed(at: second(2030)), true, "and away again")
    }

    @Test func tokensWaitForTheFirstKeys() {
        var demand = KeyDemand()
        expect(demand.miss(nil, at: 0), .wait)
        demand.answered(hasChanged: false, nextAllowedAt: second(30))
        expect(demand.miss(nil, at: second(29)), .refuse)
        expect(demand.miss(nil, at: second(30)), .ask)
        expect(demand.miss(nil, at: second(30)), .wait)
    }

    @Test func anIdThatWasNotFoundIsNotAskedForAgain() {
        var demand = KeyDemand()
        demand.answered(hasChanged: true, nextAllowedAt: 0)
        expect(demand.miss([1], at: 0), .ask)
        expect(demand.miss([2], at: 0), .wait)
        demand.answered(hasChanged: false, nextAllowedAt: second(30))
        demand.missedAgain([1], at: second(1))
        expect(demand.miss([1], at: second(100)), .refuse)
        expect(demand.miss([2], at: second(100)), .ask)
        demand.answered(hasChanged: false, nextAllowedAt: second(130))
        expect(demand.miss([1], at: second(301)), .ask, "it may have been published since")
        demand.answered(hasChanged: true, nextAllowedAt: second(331))
        demand.missedAgain([1], at: second(331))
        demand.answered(hasChanged: true, nextAllowedAt: second(331))
        expect(demand.miss([1], at: second(332)), .ask, "there are other keys")
    }

    @Test func whatIsRememberedOfMissedIdsIsBounded() {
        var demand = KeyDemand()
        demand.answered(hasChanged: false, nextAllowedAt: 0)
        for number in 0..<5000 {
            demand.missedAgain(Array("\(number)".utf8), at: 0)
            #expect(demand.missedCount <= KeyDemand.mostMissed)
        }
        expect(demand.miss(Array("4999".utf8), at: 1), .refuse)
        expect(demand.miss(Array("3976".utf8), at: 1), .refuse)
        expect(demand.miss(Array("0".utf8), at: 1), .ask)
    }

    @Test func keysAreBelievedForADayIfNoOthersCome() {
        var refresh = KeyRefresh(at: 0)
        #expect(!refresh.haveKeysExpired(at: second(1_000_000)), "there are none")
        expect(refresh.tick(at: 0), true)
        _ = refresh.succeeded(at: second(1), maxAge: nil)
        #expect(!refresh.haveKeysExpired(at: second(86_400)))
        #expect(refresh.haveKeysExpired(at: second(86_401)))
        expect(refresh.tick(at: second(86_401)), true)
        _ = refresh.failed(at: second(86_402))
        #expect(refresh.haveKeysExpired(at: second(86_402)))
        expect(refresh.tick(at: second(86_500)), true)
        _ = refresh.succeeded(at: second(86_500), maxAge: nil)
        #expect(!refresh.haveKeysExpired(at: second(86_501)))
    }
}
