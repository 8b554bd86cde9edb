import LoadTester
import Testing

/// What the command line's texts mean.
@Suite struct PlanTests {
    @Test(
        arguments: [
            ("250us", 250_000), ("20ms", 20_000_000), ("1.5s", 1_500_000_000), ("2m", 120_000_000_000),
            ("1m30s", 90_000_000_000), ("0s", 0),
        ] as [(String, Int64)])
    func timesHaveUnits(_ text: String, _ nanoseconds: Int64) throws {
        #expect(try TimeText.parse(text, "--duration") == nanoseconds)
    }

    @Test(arguments: ["", "10", "s", "10 s", "-1s", "1e3s", "10s5", "1000000h", "10parsecs"])
    func whatIsNoTimeIsRefusedByName(_ text: String) {
        #expect(throws: LoadError.self) { try TimeText.parse(text, "--duration") }
    }

    @Test(arguments: [
        ("http://127.0.0.1:8080/payment", "127.0.0.1:8080", "/payment", 8080),
        ("http://example.com", "example.com", "/", 80), ("https://example.com?x=1", "example.com", "/?x=1", 443),
        ("http://[::1]:81/a?b#c", "[::1]:81", "/a?b", 81), ("https://example.com:443/", "example.com", "/", 443),
    ])
    func targetsAreURLs(_ text: String, _ authority: String, _ path: String, _ port: Int) throws {
        let target = try Target(parsing: text)
        #expect(target.authority == authority)
        #expect(target.path == path)
        #expect(target.port == port)
    }

    @Test(arguments: [
        "", "127.0.0.1:8080", "ftp://a", "http://", "http://:80/", "http://a:0/", "http://a:99999/", "http://[::1/",
        "http://a:b@c/", "http://a/ b",
    ])
    func whatIsNoURLIsRefused(_ text: String) {
        #expect(throws: LoadError.self) { try Target(parsing: text) }
    }

    private static func tenants(_ text: String, file: String = "") throws -> Tenants {
        try Tenants(parsing: text, pattern: "t-{run}-{n}", run: "r") { _ in file }
    }

    @Test func tenantsAreListedCountedOrReadFromAFile() throws {
        #expect(try Self.tenants("acme").names == ["acme"])
        #expect(try Self.tenants("acme,globex-{run}").names == ["acme", "globex-r"])
        #expect(try Self.tenants("uniform:3").names == ["t-r-1", "t-r-2", "t-r-3"])
        let zipf = try Self.tenants("zipf:4:2")
        #expect(zipf.weights == [1, 0.25, 1 / 9, 0.0625] as [Double])
        let file = try Self.tenants("file:x", file: "# who\nacme 3\n\nglobex,1.5\ninitech\n")
        #expect(file.names == ["acme", "globex", "initech"])
        #expect(file.weights == [3, 1.5, 1])
    }

    @Test(arguments: [
        "", ",", "uniform:0", "uniform:x", "zipf:3:-1", "zipf:3:99", "a b", "acme,acme", "uniform:9999999",
    ])
    func whatNamesNobodyIsRefused(_ text: String) {
        #expect(throws: LoadError.self) { try Self.tenants(text) }
    }

    @Test(arguments: ["acme x", "acme -1", "acme 1 2", "acme 0"])
    func aFileWithABadWeightIsRefused(_ file: String) {
        #expect(throws: LoadError.self) { try Self.tenants("file:x", file: file) }
    }

    @Test func requestsAreDrawnByWeight() throws {
        let requests = try Requests(methods: "GET=9,POST", costs: "1,10=2")
        #expect(
            requests.variants == [
                Requests.Variant(method: "GET", cost: 1), Requests.Variant(method: "GET", cost: 10),
                Requests.Variant(method: "POST", cost: 1), Requests.Variant(method: "POST", cost: 10),
            ])
        #expect(requests.weights == [9, 18, 1, 2])
    }

    @Test(arguments: [("", "1"), ("GE T", "1"), ("GET", "-1"), ("GET", "x"), ("GET=0", "1"), ("GET=1=2", "1")])
    func methodsAndCostsThatCannotBeMeantAreRefused(_ methods: String, _ costs: String) {
        #expect(throws: LoadError.self) { try Requests(methods: methods, costs: costs) }
    }

    @Test(arguments: ["X-Key", "a b: c", ": x", "Host: other", "X: a\r\nY: b", "content-length: 3"])
    func fieldsThatWouldBreakARequestAreRefused(_ text: String) throws {
        var requests = try Requests()
        #expect(throws: LoadError.self) { try requests.add(field: text) }
    }

    private static func plan(_ change: (inout LoadPlan) throws -> Void) throws -> LoadPlan {
        var plan = LoadPlan(
            targets: [try Target(parsing: "http://127.0.0.1:1")], requests: try Requests(),
            phases: [try Phase(parsing: "hold:10s")], seed: 1)
        try change(&plan)
        return plan
    }

    @Test func aPlanThatFitsTogetherIsValid() throws {
        try Self.plan { $0.phases = [try Phase(parsing: "warm-up:1s"), try Phase(parsing: "hold:10s")] }.validate()
        try Self.plan {
            $0.phases = [try Phase(parsing: "warm-up:1s:5"), try Phase(parsing: "ramp:10s:1-10")]
            $0.pace = .open(.even)
        }.validate()
    }

    @Test func whatDoesNotFitTogetherIsRefused() throws {
        let faults: [(inout LoadPlan) throws -> Void] = [
            { $0.targets = [] }, { $0.connections = 0 }, { $0.threads = 11 }, { $0.timeout = 0 },
            { $0.requestCount = 0 },
            { $0.wire = .http2(streams: 0) }, { $0.phases = [] },
            { $0.phases = [try Phase(parsing: "warm-up:1s")] },
            { $0.phases = [try Phase(parsing: "hold:1s"), try Phase(parsing: "warm-up:1s")] },
            { $0.phases = [try Phase(parsing: "hold:1s"), try Phase(parsing: "hold:1s:5")] },
            { $0.pace = .open(.even) },
            {
                $0.pace = .open(.even)
                $0.phases = [try Phase(parsing: "hold:1s:0")]
            },
            { $0.faults = [try Fault(parsing: "flush@11s", runLength: 10_000_000_000)] },
        ]
        for fault in faults {
            let plan = try Self.plan(fault)
            #expect(throws: LoadError.self) { try plan.validate() }
        }
    }
}
