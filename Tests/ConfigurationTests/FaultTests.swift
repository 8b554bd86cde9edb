import Testing
import WeirConfiguration

/// A text and the one fault that it has.
struct WrongText: CustomTestStringConvertible, Sendable {
    var yaml: String
    var line: Int
    var fragment: String

    /// What every configuration needs follows the text.
    init(_ yaml: String, _ line: Int, _ fragment: String) {
        self.yaml = yaml + "\n" + leastServices
        (self.line, self.fragment) = (line, fragment)
    }

    /// The text is all there is.
    init(alone yaml: String, _ line: Int, _ fragment: String) {
        (self.yaml, self.line, self.fragment) = (yaml, line, fragment)
    }

    var testDescription: String { fragment }
}

@Suite struct FaultTests {
    static let someHash = String(repeating: "0a", count: 32)

    func check(_ wrong: WrongText) {
        let found = faults(of: wrong.yaml)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.line == wrong.line, "\(found)")
        #expect(found.first?.message.contains(wrong.fragment) == true, "\(found)")
    }

    @Test(arguments: [
        WrongText(alone: "", 1, "the file is empty"),
        WrongText(alone: "# nothing\n", 1, "the file is empty"),
        WrongText(alone: "~\n", 1, "the file is empty"),
        WrongText(alone: "- a\n- b\n", 1, "should be a mapping"),
        WrongText(alone: "just text\n", 1, "should be a mapping"),
        WrongText(alone: "gateway:\n  listen: [a\ncontrol: {}\n", 3, "this is not YAML"),
        WrongText(alone: "gateway:\n\tlisten: 127.0.0.1:1\n", 2, "a tab"),
        WrongText(alone: "gateway: {}\n---\ncontrol: {}\n", 2, "another document"),
        WrongText(alone: "gateway: *none\n", 1, "alias"),
        WrongText(alone: "gateway: \"a\u{1}\"\n", 1, "control character"),
        WrongText(alone: "gateway:\n  ? [a, b]\n  : 1\n" + leastServices, 2, "should be a word"),
        WrongText("gateway:\n  <<: {workers: 1}", 2, "merge keys"),
    ])
    func whatIsNotAUsableDocument(wrong: WrongText) { check(wrong) }

    @Test(arguments: [
        WrongText("gatway: {}", 1, "did you mean `gateway`?"),
        WrongText("colors: {}", 1, "there are gateway, control"),
        WrongText("grpc: {}", 1, "`grpc` is not built yet"),
        WrongText("plans: {}", 1, "`plans` should be a list of plans"),
        WrongText("gateway:", 1, "has no value"),
        WrongText("gateway: 1", 1, "`gateway` should be a mapping with keys like `listen`"),
        WrongText("gateway: [a]", 1, "but is a list"),
        WrongText("gateway:\n  lisen: 127.0.0.1:1", 2, "did you mean `listen`?"),
        WrongText("gateway:\n  listen: :8080", 2, "write 127.0.0.1:8080 for this machine"),
        WrongText("gateway:\n  listen: [127.0.0.1]", 2, "should be an address like"),
        WrongText("gateway:\n  workers: two", 2, "should be a whole number, but is `two`"),
        WrongText("gateway:\n  workers: \"2\"", 2, "should be a whole number"),
        WrongText("gateway:\n  workers: 2.5", 2, "should be a whole number"),
        WrongText("gateway:\n  workers: 0", 2, "between 1 and 1024"),
        WrongText("gateway:\n  trusted_proxies: 10.0.0.0/8", 2, "should be a list"),
        WrongText("gateway:\n  trusted_proxies:\n    - 10.0.0.0/8\n    - 10.0.0.0/33", 4, "`10.0.0.0/33`"),
        WrongText("gateway:\n  headers: legcy", 2, "did you mean `legacy`?"),
        WrongText("gateway:\n  headers: all", 2, "use standard, legacy, none"),
        WrongText("gateway:\n  timeouts: 10s", 2, "should be a mapping"),
        WrongText("gateway:\n  timeouts:\n    header: 10", 3, "has no unit"),
        WrongText("gateway:\n  timeouts:\n    header: 0s", 3, "between 1ms and 1h"),
        WrongText("gateway:\n  timeouts:\n    read: 1s", 3, "is not a key of `gateway.timeouts`"),
        WrongText("gateway:\n  max_header_bytes: 100", 2, "between 1024 and 1048576 bytes"),
        WrongText("gateway:\n  max_body_bytes: 10 MB", 2, "is not a number of bytes"),
        WrongText("gateway:\n  max_header_fields: 5000", 2, "between 1 and 1000"),
        WrongText("gateway:\n  access_log: stdot", 2, "off, stdout, or a file's path"),
        WrongText("gateway:\n  tls: {}", 2, "`tls` is not built yet"),
        WrongText("control:\n  listen: 0.0.0.0:8081", 2, "needs a `token` or a `token_file`"),
        WrongText("control:\n  token: \"\"", 2, "is empty"),
        WrongText("control:\n  token: two words", 2, "has spaces"),
        WrongText("control:\n  listen: 127.0.0.1:8080", 1, "both listen on port 8080"),
        WrongText("control: {listen: \"0.0.0.0:8080\", token: t}", 1, "both listen on port 8080"),
        WrongText("store: {}", 1, "names no Redis"),
        WrongText("store:\n  redis: redis://a\n  tls: {}", 3, "begin the URL with rediss://"),
        WrongText("store:\n  redis: rediss://a\n  tls: {ca: a}", 3, "there are ca_file, certificate_file, key_file"),
        WrongText("store:\n  redis: rediss://a\n  tls: {cafile: a}", 3, "did you mean `ca_file`?"),
        WrongText("store:\n  redis: rediss://a\n  tls:\n    ca_file: none.pem", 4, "there is no such file"),
        WrongText("store:\n  redis: redis+sentinel://a,b", 2, "does not name the primary"),
        WrongText("store:\n  redis: redis://a\n  sentinel: {password: a}", 3, "begin the URL with redis+sentinel://"),
        WrongText("store:\n  redis: redis+sentinel://a/m\n  sentinel: {user: a}", 3, "a user without a password"),
        WrongText("store:\n  redis: redis+sentinel://a/m\n  sentinel: {password: \"\"}", 3, "is empty"),
        WrongText("store:\n  redis: redis+sentinel://a/m\n  sentinel: {name: a}", 3, "there are user, password"),
        WrongText("store:\n  redis: redis+cluster://a/2", 2, "database 0 only"),
        WrongText(
            "store:\n  redis: redis+cluster://a\n" + twoLimits("tenant", "client_ip"), 2, "add `mode: leased` to `two`"),
        WrongText(
            "store:\n  redis: redis+cluster://a\n" + twoLimits("tenant", "everyone, mode: exact"), 2,
            "keeps `two`, which is not per tenant, in a slot of its own"),
        WrongText("store:\n  redis: redis+cluster://a\n" + twoLimits("client_ip", "service"), 2, "keeps `one`"),
        WrongText("store:\n  redis: redis+cluster://a\n  sentinel: {password: a}", 3, "is for sentinels"),
        WrongText("store:\n  redis: redis://a\n  deadline: 20", 3, "has no unit"),
        WrongText("store:\n  redis: redis://a\n  deadline: 11s", 3, "between 1ms and 10s"),
        WrongText("store:\n  redis: redis://a\n  replicas: 0", 3, "between 1 and 10000"),
        WrongText("store:\n  redis: redis://a\n  on_store_failure: deny", 3, "beside a limit"),
        WrongText("usage: {interval: 1m}", 1, "`usage` names no file"),
        WrongText("usage: {file: usage.log, interval: 2h}", 1, "between 100ms and 1h"),
    ])
    func whatIsWrongWithTheServersAndTheStore(wrong: WrongText) { check(wrong) }

    private static func twoLimits(_ one: String, _ two: String) -> String {
        """
        identity: {api_keys: {keys: [{tenant: a, sha256: "\(String(repeating: "ab", count: 32))"}]}}
        limits:
          - {name: one, per: \(one), rate: 1/s}
          - {name: two, per: \(two), rate: 1/s}
        """
    }

    @Test(arguments: [
        WrongText("identity:\n  jwt: true", 2, "should be a mapping"),
        WrongText("identity:\n  header: X-Tenant", 2, "name them in `gateway.trusted_proxies`"),
        WrongText("identity:\n  header: \"X Tenant\"", 2, "cannot be a header's name"),
        WrongText("identity:\n  api_keys: {}", 2, "has no keys"),
        WrongText("identity:\n  api_keys:\n    keys: acme", 3, "should be a list"),
        WrongText("identity:\n  api_keys:\n    keys:\n      - {tenant: a}", 4, "has no `sha256`"),
        WrongText("identity:\n  api_keys:\n    keys:\n      - {sha256: \"\(someHash)\"}", 4, "has no `tenant`"),
        WrongText("identity:\n  api_keys:\n    keys:\n      - {tenant: a, sha256: hunter2}", 4, "has 7 characters"),
        WrongText(
            "identity:\n  api_keys:\n    keys:\n      - {tenant: \"\", sha256: \"\(someHash)\"}", 4, "1 to 256 bytes"),
        WrongText(
            "identity:\n  api_keys:\n    keys:\n      - {tenant: \"a\\tb\", sha256: \"\(someHash)\"}", 4,
            "a control character"),
        WrongText(
            "identity:\n  api_keys:\n    keys:\n      - {tenant: a, sha256: \"\(someHash)\", plan: gold}", 4,
            "there is no plan `gold`"),
        WrongText(
            "identity:\n  api_keys:\n    keys:\n      - {tenant: a, sha256: \"\(someHash)\"}\n      - {tenant: b, sha256: \"\(someHash.uppercased())\"}",
            5, "belongs to `b` here and to `a` in weir.yaml:4"),
        WrongText(
            "identity:\n  api_keys:\n    keys:\n      - {tenant: a, sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855}",
            4, "an empty key"),
        WrongText(
            "gateway: {trusted_proxies: [10.0.0.0/8]}\nidentity:\n  header: X-Key\n  api_keys:\n    header: x-key\n    keys: [{tenant: a, sha256: \"\(someHash)\"}]",
            5, "they must differ"),
    ])
    func whatIsWrongWithTheIdentity(wrong: WrongText) { check(wrong) }

    /// One more key beside those that a limit needs, on line 2.
    private static func calendar(_ keys: String, _ fragment: String) -> WrongText {
        WrongText("limits:\n  - {name: a, per: everyone, algorithm: calendar, \(keys)}", 2, fragment)
    }

    private static func limit(_ key: String, _ fragment: String) -> WrongText {
        WrongText("limits:\n  - {name: a, per: everyone, rate: 1/s, \(key)}", 2, fragment)
    }

    @Test(arguments: [
        WrongText("limits: {}", 1, "should be a list of limits"),
        WrongText("limits:\n  - global", 2, "should be a mapping"),
        WrongText("limits:\n  - {per: everyone, rate: 1/s}", 2, "has no name"),
        WrongText("limits:\n  - {name: Global, per: everyone, rate: 1/s}", 2, "`Global` cannot be a limit's name"),
        WrongText("limits:\n  - {name: a, per: everyone}", 2, "has no rate"),
        WrongText("limits:\n  - {name: a, rate: 1/s}", 2, "names no dimension"),
        WrongText("limits:\n  - name: a\n    per: everyone\n    rate: 100", 4, "is not a rate"),
        WrongText("limits:\n  - name: a\n    per: everyone\n    rate: 1000000/month", 4, "add `algorithm: calendar`"),
        WrongText(
            "limits:\n  - name: a\n    per: everyone\n    rate: 9000000000000000/week", 4, "cannot be counted exactly"),
        WrongText("limits:\n  - name: a\n    rate: 1/s\n    per: tennant", 4, "is not a dimension"),
        WrongText("limits:\n  - name: a\n    rate: 1/s\n    per: claim:plan", 4, "add `identity.jwt`"),
        WrongText("limits:\n  - name: a\n    rate: 1/s\n    per: []", 4, "empty list"),
        WrongText("limits:\n  - name: a\n    rate: 1/s\n    per: [method, everyone]", 4, "stands alone"),
        WrongText("limits:\n  - name: a\n    rate: 1/s\n    per: [method, method]", 4, "listed twice"),
        WrongText("limits:\n  - name: a\n    rate: 1/s\n    per: {tenant: 1}", 4, "but is a mapping"),
        WrongText("limits:\n  - name: a\n    rate: 1/s\n    per: tenant", 4, "without an `identity`"),
        limit("algorithm: calendar", "write the rate of `a` like 1000/day"),
        calendar("rate: 5/30d", "write the rate of `a` like 1000/day"),
        calendar("rate: 5/month, time_zone: Europe/Berlni", "did you mean Europe/Berlin?"),
        calendar("rate: 5/month, time_zone: Berlin", "did you mean Europe/Berlin?"),
        calendar("rate: 5/month, time_zone: GMT+1", "use a name like Europe/Berlin, or UTC"),
        calendar("rate: 5/month, anchor_day: 32", "use 1 to 31 for months"),
        calendar("rate: 5/month, anchor_day: monday", "a month begins on a day from 1 to 31"),
        calendar("rate: 5/week, anchor_day: 3", "a week begins on a weekday"),
        calendar("rate: 5/day, anchor_day: 3", "belongs to quotas per month or week"),
        calendar("rate: 5/month, burst: 3", "is a calendar quota"),
        calendar("rate: 9000000000000000/month", "cannot be counted exactly"),
        calendar("rate: 5/month, cost: 6", "never allows more than 5"),
        limit("anchor_day: 3", "`anchor_day` belongs to `algorithm: calendar`"),
        limit("algorithm: concurrency", "is not built yet"),
        limit("algorithm: token-bucket", "`token_bucket`?"),
        limit("time_zone: UTC", "`time_zone` belongs to `algorithm: calendar`"),
        limit("burst: 5", "`burst` belongs to"),
        WrongText(
            "limits:\n  - name: a\n    per: everyone\n    rate: 1/s\n    algorithm: token_bucket\n    burst: 0", 6,
            "at least 1"),
        limit("mode: lokal", "did you mean `local`?"),
        limit("mode: local, on_store_failure: deny", "it has no `on_store_failure`"),
        limit("cost: much", "should be a whole number"),
        limit("cost: -1", "between 0 and"),
        limit("cost: [1]", "should not be a list"),
        limit("cost: {get: 1}", "not a method in capitals"),
        limit("cost: {GET: x}", "the cost of `GET`"),
        limit("cost: {other: 2}", "names no method"),
        limit("cost: {otherwise: 2}", "belongs to a cost from"),
        limit("cost: {header: X, GET: 2}", "not a key of `limits.cost`"),
        limit("cost: {response_header: X}", "a cost from the response is not built yet"),
        limit("shadow: yes", "should be true or false"),
        limit("shared: true", "there is none"),
        limit("max_keys: 0", "max_keys must be between"),
        WrongText("limits:\n  - {name: a, per: service, rate: 1/s, guard: true}", 2, "cannot be per `service`"),
        limit("count: failures", "use requests, failed_auth"),
        limit("on_store_failure: open", "use local, allow, deny"),
        WrongText(
            "limits:\n  - {name: a, per: everyone, rate: 1/s}\n  - {name: a, per: everyone, rate: 1/s}", 3,
            "declared twice"),
    ])
    func whatIsWrongWithALimit(wrong: WrongText) { check(wrong) }

    private static func service(_ rest: String, _ line: Int, _ fragment: String) -> WrongText {
        WrongText(alone: "services:\n  - name: a\n    \(rest)\n", line, fragment)
    }

    private static let ends = "upstreams: [http://b]"

    @Test(arguments: [
        WrongText(alone: "gateway: {}\n", 1, "there are no services"),
        WrongText(alone: "gateway: {}\nservices: []\n", 2, "there are no services"),
        WrongText(alone: "services: {a: 1}\n", 1, "should be a list of services"),
        WrongText(alone: "services:\n  - {routes: [{path: /a}], upstreams: [http://b]}\n", 2, "has no name"),
        WrongText(
            alone: "services:\n  - {name: A, routes: [{path: /a}], upstreams: [http://b]}\n", 2, "a service's name"),
        service(ends, 2, "has no routes; add `routes: [{path: /a}]`"),
        service("routes: []\n    " + ends, 3, "has no routes"),
        service("routes: [{path: /a}]", 2, "has no upstreams"),
        service("routes: [{path: /a}]\n    upstreams: []", 4, "has no upstreams"),
        service("routes: [{path: /a}]\n    upstreams: http://b", 4, "should be a list"),
        service("routes: [{path: /a}]\n    upstreams:\n      - b:80", 5, "http:// or https://"),
        service("routes: [{path: /a}]\n    upstreams: [{a: b}]", 4, "should be a URL"),
        service("routes: [{path: /a}]\n    upstreams: [http://b, \"http://b:80/\"]", 4, "listed twice"),
        service("routes: [{path: /a}]\n    limit: []\n    " + ends, 4, "did you mean `limits`?"),
        service("routes: [/a]\n    " + ends, 3, "should be a mapping"),
        service("routes: [{name: b}]\n    " + ends, 3, "the route has no path"),
        service("routes: [{path: a}]\n    " + ends, 3, "write /a"),
        service("routes: [{path: /a, name: \"/b\"}]\n    " + ends, 3, "a route's name"),
        service("routes: [{path: /a, host: \"a:80\"}]\n    " + ends, 3, "has a port"),
        service("routes: [{path: /a, host: \"a.*\"}]\n    " + ends, 3, "has a wildcard elsewhere"),
        service("routes:\n      - {path: /a}\n      - {path: /a}\n    " + ends, 5, "a route already, on line 4"),
        service("routes:\n      - {path: /a}\n      - {path: /a, host: b}\n    " + ends, 5, "give this one a `name`"),
        service(
            "routes:\n      - {path: /a, name: x}\n      - {path: /b, name: x}\n    " + ends, 5,
            "a route named `x` already"),
        service(
            "routes: [{path: /a}]\n    limits: [{name: g, per: everyone, rate: 1/s, guard: true}]\n    " + ends, 4,
            "before routing"),
        service(
            "routes:\n      - path: /a\n        limits:\n          - {name: b, rate: 1/s}\n    " + ends, 6,
            "names no dimension"),
        WrongText(
            alone: leastServices + leastServices.dropFirst("services:\n".count).replacing("/a", with: "/b"), 5,
            "there already, on line 2"),
        WrongText(
            alone: leastServices + leastServices.dropFirst("services:\n".count).replacing("name: a", with: "name: b"),
            6, "has a route already, on line 3"),
    ])
    func whatIsWrongWithAService(wrong: WrongText) { check(wrong) }

    @Test func everyFaultIsFoundAtOnceAndSortedByLine() {
        let found = faults(
            of: """
                gateway:
                  listen: 8080
                  worker: 2
                control:
                  listen: 0.0.0.0:8081
                store:
                  redis: http://a
                  deadline: 1
                limits:
                  - {name: global, per: tenant}
                  - {name: Other, burst: 3, max_keys: 0}
                services:
                  - name: a
                    routes: [{path: a}, {path: /b/}]
                    upstreams: [b]
                    limits:
                      - {name: global, rate: many, mode: lokal}
                      - {name: global, shared: true}
                    retries: 3
                """)
        #expect(found.map(\.line) == [2, 3, 5, 7, 8, 10, 10, 11, 11, 11, 11, 11, 14, 14, 15, 17, 17, 18, 19])
        let text = ConfigurationErrors(found).description.split(separator: "\n")
        #expect(text.count == found.count)
        #expect(text[7].contains("`Other`"))
        #expect(text[0] == "weir.yaml:2: the address `8080` has no host; write 127.0.0.1:8080")
    }

    @Test func keysGivenTwiceAreFaultsBesideTheOthers() {
        let found = faults(
            of: """
                gateway:
                  listen: 127.0.0.1:1
                  workers: 2
                  listen: 127.0.0.1:2
                limits:
                  - {name: a, "name": b, per: everyone, rate: 1/s, cost: {GET: 1, GET: 2}}
                store:
                  redis: ftp://a
                gateway: {}

                """ + leastServices)
        #expect(found.map(\.line) == [1, 2, 6, 6, 8], "\(found)")
        #expect(found.map(\.message)[0].contains("`gateway` is given twice (again on line 9)"))
        #expect(found.map(\.message)[1].contains("`listen` is given twice (again on line 4)"))
        #expect(found.map(\.column)[2] == 6)
    }

    @Test func aBadLimitDoesNotMakeThoseThatBuildOnItFaulty() {
        let found = faults(
            of: """
                limits:
                  - {name: global, rate: 1/fortnight, per: everyone, on_store_failure: maybe}
                services:
                  - name: a
                    routes: [{path: /a}]
                    upstreams: [http://b]
                    limits: [{name: global, shadow: true}]
                """)
        #expect(found.map(\.line) == [2, 2])
    }

    @Test func faultyProxiesAreNotAlsoAFaultOfTheHeaderThatNeedsThem() {
        let found = faults(
            of: "gateway:\n  trusted_proxies: [nowhere]\nidentity: {header: X-Tenant}\n" + leastServices)
        #expect(found.map(\.line) == [2])
    }

    @Test func aFaultyIdentityIsNotAlsoAFaultOfLimitsPerTenant() {
        let found = faults(
            of: "identity:\n  jwt: true\nlimits: [{name: a, per: tenant, rate: 1/s}]\n" + leastServices)
        #expect(found.map(\.line) == [2])
    }

    @Test func anchorsAndAliasesAreFollowedUpToABound() throws {
        let shared = "limits: [&l {name: a, per: everyone, rate: 1/s}]\n" + leastServices + "    limits: [*l]\n"
        #expect(faults(of: shared).isEmpty)
        var bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        for level in 1...9 {
            bomb +=
                "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
                + "]\n"
        }
        let found = faults(of: bomb)
        #expect(found.count == 1)
        #expect(found.first?.message.contains("aliases multiply") == true)
    }

    @Test func deepNestingIsRefusedAndNotAnOverflow() {
        let found = faults(of: "gateway: " + String(repeating: "[", count: 100_000))
        #expect(found.count == 1, "\(found)")
    }

    @Test func aTextOverTheBoundIsRefused() {
        let found = faults(of: "#" + String(repeating: "x", count: Configuration.maximumFileBytes))
        #expect(
            found.map(\.description) == [
                "weir.yaml: the file is larger than 4 MiB; a configuration is smaller than that"
            ])
    }
}
