import Testing
import WeirConfiguration

/// `mirror` and `shift`.
@Suite struct MigrationTests {
    private static func text(_ declaration: String) -> String {
        """
        services:
          - name: orders
            routes: [{path: /orders}]
            upstreams: ["http://127.0.0.1:9001"]
            \(declaration)
          - {name: orders-v2, upstreams: ["http://127.0.0.1:9002"]}
          - {name: static, routes: [{path: /static, respond: {status: 204}}]}
        """
    }

    @Test func allIsRead() throws {
        let declarations = """
            mirror: {to: orders-v2, share: 0.5%, methods: [GET, POST], max_body: 1KiB, timeout: 2s, in_flight: 7}
                shift: {to: orders-v2, start: 2027-01-31T08:00:00+01:00, steps: [1%, 50%, 100%], every: 30m, return: {margin: 2.5%, requests: 9, window: 10s}}
            """
        let service = try Configuration.parse(Self.text(declarations), file: "weir.yaml").services[0]
        var mirror = Mirror(to: "orders-v2")
        mirror.share = 50
        mirror.methods = ["GET", "POST"]
        mirror.maximumBodyBytes = 1024
        mirror.timeout = .seconds(2)
        mirror.maximumInFlight = 7
        #expect(service.mirror == mirror)
        var shift = Shift(to: "orders-v2", startSeconds: 1_801_378_800)
        shift.steps = [100, 5000, 10_000]
        shift.interval = .seconds(1800)
        shift.automaticReturn?.margin = 250
        shift.automaticReturn?.minimumRequests = 9
        shift.automaticReturn?.window = .seconds(10)
        #expect(service.shift == shift)
    }

    @Test func aReturnCanBeTurnedOff() throws {
        let text = Self.text("shift: {to: orders-v2, start: 2027-01-31T08:00:00Z, return: off}")
        #expect(try Configuration.parse(text, file: "weir.yaml").services[0].shift?.automaticReturn == nil)
    }

    @Test(arguments: [
        ("mirror: {share: 10%}", "`services.mirror` does not say where to"),
        ("mirror: {to: order-v2}", "there is no service `order-v2`; did you mean `orders-v2`?"),
        ("mirror: {to: orders}", "the service `orders` cannot be its own second version"),
        ("mirror: {to: static}", "the service `static` has no upstreams"),
        ("mirror: {to: orders-v2, share: 0%}", "`mirror.share` is nothing"),
        ("mirror: {to: orders-v2, share: 10}", "`10` is not a percentage"),
        ("mirror: {to: orders-v2, methods: [FETCH]}", "`FETCH` in `mirror.methods` is no method"),
        ("mirror: {to: orders-v2, methods: []}", "`mirror.methods` is empty"),
        ("shift: {to: orders-v2}", "`shift` does not say when it begins"),
        ("shift: {to: orders-v2, start: tomorrow}", "`tomorrow`"),
        ("shift: {to: orders-v2, start: 2027-01-31T08:00:00Z, steps: []}", "`shift.steps` is empty"),
        ("shift: {to: orders-v2, start: 2027-01-31T08:00:00Z, steps: [5%, 5%]}", "the step 5% is not more"),
        ("shift: {to: orders-v2, start: 2027-01-31T08:00:00Z, return: {margn: 1%}}", "did you mean `margin`?"),
    ])
    func whatIsWrongIsSaid(declaration: String, sentence: String) {
        let found = faults(of: Self.text(declaration))
        #expect(found.count == 1 && found.first?.line == 5, "\(found)")
        #expect(found.first?.message.contains(sentence) == true, "\(found)")
    }

    @Test func aServiceWithoutRoutesMustBeAnothersVersionOrFallback() {
        let found = faults(of: Self.text("on_failure: fail"))
        #expect(found.map(\.message) == ["the service `orders-v2` has no routes; add `routes: [{path: /orders-v2}]`"])
    }
}
