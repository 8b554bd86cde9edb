import LoadTester
import Testing

/// Assertions, stop conditions, limits and faults as people write them.
@Suite struct ConditionTests {
    private static func parse(_ text: String) throws -> [Condition] {
        try Condition.parse(text, "--assert", known: Report.figures)
    }

    @Test func conditionsAreFiguresComparedWithNumbersInTheirUnits() throws {
        let conditions = try Self.parse("p99<5ms, over_admission==0,rate >= 1_000, p99.9<=1s,error_rate<0.1%")
        #expect(conditions.map(\.figure) == ["p99", "over_admission", "rate", "p999", "error_rate"])
        #expect(conditions.map(\.bound) == [5e6, 0, 1000, 1e9, 0.1])
        #expect(conditions[0].holds(4.9e6))
        #expect(!conditions[0].holds(5e6))
        #expect(conditions[1].holds(0))
        #expect(conditions[3].holds(1e9))
    }

    @Test(arguments: [
        ("", "not a comparison"), ("p99", "not a comparison"), ("p99<5", "not a length of time"),
        ("refused>many", "not a number"), ("<5ms", "not a comparison"), ("p99=5ms", "not a comparison"),
    ])
    func whatIsNoComparisonIsRefusedAndSaysWhy(_ text: String, _ why: String) {
        let error = #expect(throws: LoadError.self) { try Self.parse(text) }
        #expect(error?.message.contains(why) == true)
        #expect(error?.code == .usage)
    }

    @Test func anUnknownFigureIsAnsweredWithTheOneThatWasMeantAndAllThereAre() throws {
        let error = try #require(throws: LoadError.self) { try Self.parse("overadmission==0") }
        #expect(error.message.contains("did you mean `over_admission`?"))
        for figure in Report.figures { #expect(error.message.contains(figure.name)) }
    }

    @Test(
        arguments: [
            ("100/minute", "100/minute, sliding window", 100),
            ("100/minute,sliding_window", "100/minute, sliding window", 100),
            ("10/m, token_bucket", "10/minute, token bucket of 10", 10),
            ("10/s,burst=25", "10/second, token bucket of 25", 25),
        ] as [(String, String, Int64)])
    func limitsAreRatesWithAnAlgorithm(_ text: String, _ description: String, _ burst: Int64) throws {
        let promise = try Promise(parsing: text)
        #expect(promise.description == description)
        #expect(promise.burst == burst)
    }

    @Test(arguments: ["", "100", "100/fortnight", "100/m,leaky", "100/m,burst=0", "100/m,sliding_window,burst=3"])
    func limitsThatCannotBeMeantAreRefused(_ text: String) {
        #expect(throws: LoadError.self) { try Promise(parsing: text) }
    }

    @Test func aPromiseGrowsWithTheInterval() throws {
        let window = try Promise(parsing: "100/minute")
        #expect(window.bound(0) == 100)
        #expect(window.bound(30_000_000_000) == 150)
        #expect(window.bound(60_000_000_000) == 200)
        #expect(window.bound(599_999_999) == 100)
        #expect(window.bound(600_000_000) == 101)
        let bucket = try Promise(parsing: "10/s,burst=5")
        #expect(bucket.bound(1_000_000_000_000) == 10_005)
    }

    private static let minute: Int64 = 60_000_000_000

    @Test func faultsHaveTimesOrTakeTheMiddleOfTheRun() throws {
        let fault = try Fault(parsing: "pause@5s,2s", runLength: Self.minute)
        #expect(fault == Fault(kind: .pause, at: 5_000_000_000, length: 2_000_000_000))
        #expect(
            try Fault(parsing: "stop", runLength: Self.minute)
                == Fault(kind: .stop, at: Self.minute / 3, length: Self.minute / 6))
        #expect(
            try Fault(parsing: "flush@1s", runLength: Self.minute) == Fault(kind: .flush, at: 1_000_000_000, length: 0))
    }

    @Test(arguments: ["", "burn", "pause@", "pause@5", "pause@1s,0s", "flush@1s,2s", "slow@1s,2s,3s", "failover@1s,2s"])
    func faultsThatCannotBeMeantAreRefused(_ text: String) {
        #expect(throws: LoadError.self) { try Fault(parsing: text, runLength: Self.minute) }
    }

    @Test func faultsDoNotOverlap() throws {
        let pause = try Fault(parsing: "pause@5s,2s", runLength: Self.minute)
        let flush = try Fault(parsing: "flush@7s", runLength: Self.minute)
        #expect(try Fault.ordered([flush, pause]) == [pause, flush])
        let early = try Fault(parsing: "flush@6s", runLength: Self.minute)
        #expect(throws: LoadError.self) { try Fault.ordered([early, pause]) }
    }

    @Test func aFailoverStandsAlone() throws {
        let failover = try Fault(parsing: "failover@5s", runLength: Self.minute)
        #expect(try Fault.ordered([failover]) == [failover])
        let flush = try Fault(parsing: "flush@20s", runLength: Self.minute)
        #expect(throws: LoadError.self) { try Fault.ordered([failover, flush]) }
    }
}
