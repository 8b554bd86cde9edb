import LimiterCore
import Testing
import WeirConfiguration

/// What is different between two configurations.
@Suite struct ChangeTests {
    private static let text = """
        gateway: {listen: 127.0.0.1:8080, workers: 2}
        identity: {api_keys: {keys: [{tenant: acme, sha256: 0ee3d7e3ae154954f584999ee8a2898c17694d98ad7cf282281363b71fcec8ae}]}}
        plans: [{name: pro, limits: [{name: global, rate: 500/minute}]}]
        limits: [{name: global, per: tenant, rate: 100/minute}]
        services:
          - {name: product, routes: [{path: /product}], upstreams: ["http://127.0.0.1:9001"]}
          - {name: payment, routes: [{path: /payment}], upstreams: ["http://127.0.0.1:9002"], limits: [{name: own, per: tenant, rate: 5/s}]}
        """

    private static func parse(_ text: String, after previous: Configuration? = nil) throws -> Configuration {
        try Configuration.parse(text, file: "weir.yaml", after: previous)
    }

    private static func changes(_ edits: (old: String, new: String)...) throws -> [String] {
        let before = try parse(text)
        return before.changes(to: try parse(edits.reduce(text) { $0.replacing($1.old, with: $1.new) }, after: before))
    }

    @Test func theSameTextChangesNothing() throws { #expect(try Self.changes() == []) }

    @Test func eachChangeIsNamedAndNoSecretIs() throws {
        #expect(try Self.changes(("100/minute", "200/minute")) == ["limit global 100/minute is now 200/minute"])
        #expect(try Self.changes(("9001", "9003")) == ["service product changed"])
        #expect(
            try Self.changes(("name: own", "name: mine")) == [
                "limit mine of payment added", "limit own of payment removed",
            ])
        #expect(
            try Self.changes(("name: product", "name: goods")) == ["service goods added", "service product removed"])
        #expect(try Self.changes(("0ee3", "0ee4")) == ["identity"])
        #expect(try Self.changes(("500/minute", "400/minute")) == ["plan pro changed"])
        #expect(try Self.changes(("tenant: acme,", "tenant: acme, plan: pro,")) == ["plans of tenants"])
        #expect(try Self.changes(("workers: 2", "workers: 2, headers: none")) == ["gateway"])
    }

    @Test(arguments: [
        ("8080", "8090", "`gateway.listen`"), ("workers: 2", "workers: 3", "`gateway.workers`"),
        ("workers: 2", "workers: 2, access_log: stdout", "`gateway.access_log`"),
        ("plans:", "store: {redis: redis://127.0.0.1:6379}\nplans:", "`store`"),
        ("plans:", "control: {listen: 127.0.0.1:8082}\nplans:", "`control`"),
        ("plans:", "usage: {file: usage.log}\nplans:", "`usage`"),
        ("plans:", "tracing: {otlp: \"http://c/v1/traces\"}\nplans:", "`tracing`"),
        ("plans:", "logging: {level: debug}\nplans:", "`logging`"),
    ])
    func whatNeedsARestartIsRefused(old: String, new: String, key: String) throws {
        let before = try Self.parse(Self.text)
        let next = try Self.parse(Self.text.replacing(old, with: new), after: before)
        #expect(before.refusal(ofReloading: next)?.hasPrefix("\(key) cannot change while Weir runs") == true)
        #expect(before.refusal(ofReloading: before) == nil)
    }

    @Test func whatIsLoggedAndTracedMayChange() throws {
        func text(_ log: String, _ tracing: String) throws -> Configuration {
            try Self.parse(
                Self.text.replacing("workers: 2", with: "workers: 2, access_log: {to: stdout\(log)}")
                    .replacing("plans:", with: "tracing: {otlp: \"http://c/v1/traces\"\(tracing)}\nplans:"))
        }
        let before = try text("", "")
        let next = try text(", sample: 1%, format: combined", ", sample: 1%, trust: proxies")
        #expect(before.refusal(ofReloading: next) == nil)
        #expect(before.changes(to: next) == ["gateway", "tracing"])
        #expect(try before.refusal(ofReloading: text("", ", service_name: other"))?.hasPrefix("`tracing`") == true)
    }

    @Test func limitsKeepTheirPlacesAndNewOnesComeBehind() throws {
        let before = try Self.parse(Self.text)
        let text = Self.text.replacing(
            "\nlimits: [{name: global,", with: "\nlimits: [{name: first, per: everyone, rate: 9/s}, {name: global,")
        let next = try Self.parse(text, after: before)
        #expect(Array(next.limits.labels.prefix(before.limits.labels.count)) == before.limits.labels)
        #expect(next.limits.labels.last?.limit == "first")
        let back = try Self.parse(Self.text, after: next)
        #expect(back.limits.labels == next.limits.labels)
    }

    @Test func theFilesThatItWasReadFromAreKnown() throws {
        let scratch = try Scratch()
        let keys = try scratch.write("keys.yaml", "[]")
        let file = try scratch.write("weir.yaml", Self.text.replacing("{keys: [", with: "{file: keys.yaml, keys: ["))
        #expect(try Configuration.load(path: file).files == [file, keys])
    }
}
