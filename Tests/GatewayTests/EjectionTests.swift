import Testing
import WeirConfiguration

@testable import Gateway

struct EjectionTests {
    private static let second: Int64 = 1_000_000_000

    private let rules = EjectionRules(.init())

    private func ejected(at now: Int64 = 0) -> Ejection {
        var ejection = Ejection()
        for _ in 0..<5 { _ = ejection.failed(at: now, rules, hasRoom: true) }
        return ejection
    }

    @Test func theFifthFailureInARowEjects() {
        var ejection = Ejection()
        for _ in 0..<4 { #expect(ejection.failed(at: 0, rules, hasRoom: true) == nil) }
        #expect(!ejection.isPassedOver(at: 0))
        #expect(ejection.failed(at: 0, rules, hasRoom: true) == .ejected(for: 10 * Self.second))
        #expect(ejection.isPassedOver(at: 10 * Self.second - 1))
        #expect(!ejection.isPassedOver(at: 10 * Self.second))
    }

    @Test func aSuccessInBetweenBeginsTheCountAnew() {
        var ejection = Ejection()
        for _ in 0..<10 {
            for _ in 0..<4 { #expect(ejection.failed(at: 0, rules, hasRoom: true) == nil) }
            #expect(ejection.succeeded() == nil)
        }
        #expect(ejection.isInUse)
    }

    @Test func goodHeadsOfAnswersThatBreakOffAreNoSuccesses() {
        var ejection = Ejection()
        for _ in 0..<4 {
            #expect(ejection.answered() == nil)
            #expect(ejection.failed(at: 0, rules, hasRoom: true) == nil)
        }
        #expect(ejection.answered() == nil)
        #expect(ejection.failed(at: 0, rules, hasRoom: true) == .ejected(for: 10 * Self.second))
        #expect(ejection.answered() == .returned)
    }

    @Test func withoutRoomNobodyIsEjectedUntilThereIsSome() {
        var ejection = Ejection()
        for _ in 0..<50 { #expect(ejection.failed(at: 0, rules, hasRoom: false) == nil) }
        #expect(ejection.failed(at: 0, rules, hasRoom: true) != nil)
    }

    @Test func eachEjectionInARowIsTwiceAsLongUpToFiveMinutes() {
        var ejection = ejected()
        var now: Int64 = 0
        var duration = 10 * Self.second
        for expected in [20, 40, 80, 160, 300, 300] as [Int64] {
            now += duration
            ejection.chosen(at: now, rules)
            duration = expected * Self.second
            #expect(ejection.failed(at: now, rules, hasRoom: false) == .ejected(for: duration))
            #expect(ejection.isPassedOver(at: now + duration - 1))
        }
    }

    @Test func oneRequestTriesItBeforeTheOthersFollow() {
        var ejection = ejected()
        let now = 10 * Self.second
        ejection.chosen(at: now, rules)
        #expect(ejection.isPassedOver(at: now))
        #expect(ejection.succeeded() == .returned)
        #expect(!ejection.isPassedOver(at: now))
        #expect(ejection.isInUse)
        for _ in 0..<4 { #expect(ejection.failed(at: now, rules, hasRoom: true) == nil) }
        #expect(ejection.failed(at: now, rules, hasRoom: true) == .ejected(for: 10 * Self.second))
    }

    @Test func aTrialThatSettlesNothingIsFollowedByAnother() {
        var ejection = ejected()
        ejection.chosen(at: 10 * Self.second, rules)
        #expect(ejection.isPassedOver(at: 20 * Self.second - 1))
        #expect(!ejection.isPassedOver(at: 20 * Self.second))
    }

    @Test func whatFailsLateDoesNotProlongAnEjection() {
        var ejection = ejected()
        for _ in 0..<9 { #expect(ejection.failed(at: 9 * Self.second, rules, hasRoom: true) == nil) }
        #expect(!ejection.isPassedOver(at: 10 * Self.second))
    }

    @Test(arguments: [200, 204, 301, 404, 429, 500, 501])
    func anAnswerThatIsOneIsASuccess(status: Int) { #expect(AttemptOutcome(status: status) == .answered) }

    @Test(arguments: [502, 503, 504])
    func anAnswerForAnotherIsAFailure(status: Int) { #expect(AttemptOutcome(status: status) == .failed) }
}

struct HealthStateTests {
    private func changes(_ checks: String, unhealthyAfter: Int = 3, healthyAfter: Int = 2) -> String {
        var rules = BalancingSettings.Health()
        (rules.unhealthyAfter, rules.healthyAfter) = (unhealthyAfter, healthyAfter)
        var state = HealthState()
        return String(
            checks.map { check in
                switch state.checked(isGood: check == "+", rules) {
                case true?: "u"
                case false?: "d"
                case nil: "."
                }
            })
    }

    @Test(arguments: [
        ("+++++", "....."), ("---", "..d"), ("--+--+---", "........d"), ("-----", "..d.."), ("---++", "..d.u"),
        ("---+-+-++", "..d.....u"), ("---++---", "..d.u..d"),
    ])
    func itTakesSomeInARowToChange(checks: String, expected: String) { #expect(changes(checks) == expected) }

    @Test func oneIsEnoughWhereOneIsAskedFor() {
        #expect(changes("-+-+", unhealthyAfter: 1, healthyAfter: 1) == "dudu")
    }
}
