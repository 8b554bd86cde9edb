import Crypto
import Foundation
import LimiterCore
import NIOCore
import Synchronization
import Testing
import TestSupport
import WeirConfiguration

@testable import Gateway

struct LimitingTests {
    static func identity(_ keys: [String: String] = ["demo-acme": "acme", "demo-globex": "globex"]) -> IdentitySettings
    {
        var identity = IdentitySettings()
        var tenants: [[UInt8]: String] = [:]
        for (key, tenant) in keys { tenants[Array(SHA256.hash(data: Array(key.utf8)))] = tenant }
        identity.apiKeys = IdentitySettings.APIKeys(header: "x-api-key", tenants: tenants)
        return identity
    }

    private func payment(_ upstream: TestUpstream) throws -> Setup {
        var setup = Setup([(name: "payment", path: "/payment", upstreams: [upstream.port])])
        setup.identity = Self.identity()
        setup.limits = [try declared("global", "100/minute")]
        setup.serviceLimits["payment"] = [try declared("payment", "3/minute", burst: 3)]
        return setup
    }

    @Test func allowedAnswersSayWhatIsLeft() async throws {
        let upstream = TestUpstream.answering { _ in
            "HTTP/1.1 200 OK\r\nRateLimit: \"theirs\";r=1\r\nX-RateLimit-Limit: 5\r\nContent-Length: 0\r\n\r\n"
        }
        defer { upstream.stop() }
        try await withGateway(payment(upstream)) { gateway async throws in
            let answer = try gateway.get("/payment", "X-API-Key: demo-acme")
            #expect(answer.status == 200)
            #expect(answer.all("RateLimit-Policy") == ["\"payment\";q=3;w=60, \"global\";q=100;w=60"])
            #expect(answer.all("RateLimit") == ["\"payment\";r=2;t=20, \"global\";r=99;t=120"])
            #expect(answer["X-RateLimit-Limit"] == nil)
        }
    }

    @Test func theRequestOverTheLimitGetsTheProblemAndNeverReachesTheUpstream() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        try await withGateway(payment(upstream)) { gateway async throws in
            let client = try gateway.connect()
            for _ in 0..<3 {
                try client.wire.send("GET /payment HTTP/1.1\r\nHost: a\r\nX-API-Key: demo-acme\r\n\r\n")
                #expect(try client.next()?.status == 200)
            }
            try client.wire.send("GET /payment HTTP/1.1\r\nHost: a\r\nX-API-Key: demo-acme\r\n\r\n")
            let refused = try #require(try client.next())
            let id = try #require(refused["X-Request-Id"])
            let date = try #require(refused["Date"])
            let body =
                #"{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","title":"Quota exceeded","status":429,"#
                + #""detail":"The request exceeds a limit; `violated-policies` names which.","violated-policies":["payment"],"#
                + #""retry_after_seconds":20.000,"degraded":false,"request_id":""# + id + #""}"#
            #expect(refused.text == body)
            let next = try #require(Self.next(refused))
            #expect(
                refused.head == """
                    HTTP/1.1 429 Too Many Requests\r
                    Content-Type: application/problem+json\r
                    Cache-Control: no-store\r
                    Retry-After: 20\r
                    RateLimit-Policy: "payment";q=3;w=60, "global";q=100;w=60\r
                    RateLimit: "payment";r=0;t=20, "global";r=97;t=\(next)\r
                    X-Request-Id: \(id)\r
                    Date: \(date)\r
                    Content-Length: \(body.utf8.count)
                    """)
            // The connection stays, and another tenant has a budget of its own.
            try client.wire.send("GET /payment HTTP/1.1\r\nHost: a\r\nX-API-Key: demo-globex\r\n\r\n")
            #expect(try client.next()?.status == 200)
            gateway.time.advance(by: .seconds(20))
            try client.wire.send("GET /payment HTTP/1.1\r\nHost: a\r\nX-API-Key: demo-acme\r\n\r\n")
            #expect(try client.next()?.status == 200)
        }
        #expect(upstream.requests.count == 5)
    }

    private static func next(_ message: Message) -> Substring? {
        message["RateLimit"]?.split(separator: "\"global\";r=97;t=").last
    }

    @Test func aCostOverTheLimitHasNoRetryAfter() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        var setup = Setup(upstream)
        setup.limits = [try declared("all", per: [], "5/minute", cost: .header("x-cost", otherwise: 1))]
        try await withGateway(setup) { gateway async throws in
            let refused = try gateway.get("/", "X-Cost: 6")
            #expect(refused.status == 429)
            #expect(refused["Retry-After"] == nil)
            #expect(!refused.text.contains("retry_after_seconds"))
            #expect(refused.text.contains(#""violated-policies":["all"]"#))
            #expect(try gateway.get("/", "X-Cost: 5").status == 200)
            #expect(try gateway.get("/", "X-Cost: 0").status == 200)
            #expect(try gateway.get("/").status == 429)
        }
    }

    @Test func costsFollowTheMethod() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        var setup = Setup(upstream)
        setup.limits = [try declared("all", per: [.clientIP], "5/minute", cost: .byMethod(["POST": 4], other: 1))]
        try await withGateway(setup) { gateway async throws in
            #expect(try gateway.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").status == 200)
            let answer = try gateway.get("/")
            #expect(answer["RateLimit"]?.hasPrefix("\"all\";r=0") == true)
        }
    }

    @Test func shadowLimitsRefuseNobody() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        var setup = Setup(upstream)
        setup.limits = [try declared("trial", per: [], "1/minute", shadow: true)]
        try await withGateway(setup) { gateway async throws in
            for _ in 0..<3 {
                let answer = try gateway.get("/")
                #expect(answer.status == 200)
                #expect(answer["RateLimit"] == nil)
            }
        }
    }

    @Test func withHeadersNoneTheUpstreamsFieldsStayAndOursAreMissing() async throws {
        let upstream = TestUpstream.answering { _ in
            "HTTP/1.1 200 OK\r\nRateLimit: \"theirs\";r=1\r\nContent-Length: 0\r\n\r\n"
        }
        defer { upstream.stop() }
        var setup = Setup(upstream)
        setup.gateway.headers = .none
        setup.limits = [try declared("all", per: [], "1/minute")]
        try await withGateway(setup) { gateway async throws in
            let answer = try gateway.get("/")
            #expect(answer["RateLimit"] == "\"theirs\";r=1")
            #expect(answer["RateLimit-Policy"] == nil)
            let refused = try gateway.get("/")
            #expect(refused.status == 429)
            #expect(refused["RateLimit"] == nil)
            #expect(refused["Retry-After"] == "60" || refused["Retry-After"] == "120" || refused["Retry-After"] != nil)
        }
    }

    @Test func guardsComeBeforeRoutes() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        var setup = try payment(upstream)
        setup.limits.append(try declared("flood", per: [.clientIP], "2/minute", isGuard: true))
        try await withGateway(setup) { gateway async throws in
            #expect(try gateway.get("/nowhere").status == 404)
            #expect(try gateway.get("/nowhere").status == 404)
            let refused = try gateway.get("/nowhere")
            #expect(refused.status == 429)
            #expect(refused.text.contains(#""violated-policies":["flood"]"#))
        }
    }

    /// Keeps what it is asked until the test lets it answer.
    private final class SlowStore: LimitStore {
        private struct Asked: @unchecked Sendable {
            // Only touched on the loop where it was asked.
            let call: LimitCall
            let loop: any EventLoop
        }
        private let waiting = Mutex<[Asked]>([])
        private let inner: LocalStore
        private let loop: any EventLoop

        init(_ inner: LocalStore, _ loop: any EventLoop) {
            self.inner = inner
            self.loop = loop
        }

        func decide(_ call: LimitCall) { waiting.withLock { $0.append(Asked(call: call, loop: loop)) } }

        var count: Int { waiting.withLock { $0.count } }

        func answerAll() {
            let asked = waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
            let inner = inner
            for item in asked { item.loop.execute { inner.decide(item.call) } }
        }

        func refuseAll() {
            let asked = waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
            for item in asked {
                item.loop.execute {
                    item.call.decision.begin(limits: 0)
                    item.call.decision.outcome = .unavailable
                    item.call.answer()
                }
            }
        }
    }

    private final class Stores: @unchecked Sendable {
        // Written once, when the gateway starts.
        var slow: SlowStore?
    }

    private func withSlowStore(_ setup: Setup, _ body: (Fixture, SlowStore) async throws -> Void) async throws {
        var setup = setup
        let stores = Stores()
        let labels = try setup.configuration().limits.labels
        let inner = LocalStore(labels: labels, time: FixedTime())
        setup.makeStore = { loop in
            let store = SlowStore(inner, loop)
            stores.slow = store
            return store
        }
        try await withGateway(setup) { gateway async throws in try await body(gateway, try #require(stores.slow)) }
    }

    private struct FixedTime: TimeSource {
        var nowMicroseconds: Int64 { 1_767_225_600_000_000 }
    }

    @Test func aDecisionMayComeLaterAndRequestsBehindItWait() async throws {
        let upstream = TestUpstream.echoing()
        defer { upstream.stop() }
        var setup = Setup(upstream)
        setup.limits = [try declared("all", per: [], "100/minute")]
        try await withSlowStore(setup) { gateway, store async throws in
            let client = try gateway.connect()
            try client.wire.send(
                "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\noneGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await eventually { store.count == 1 })
            #expect(client.wire.isSilent)
            store.answerAll()
            #expect(try client.next()?.text == "one")
            #expect(await eventually { store.count == 1 })
            store.answerAll()
            #expect(try client.next()?.text == "")
        }
        #expect(upstream.requests.map(\.startLine) == ["POST /1 HTTP/1.1", "GET /2 HTTP/1.1"])
    }

    @Test func anAnswerForAClientThatHasLeftIsForgotten() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        var setup = Setup(upstream)
        setup.limits = [try declared("all", per: [], "100/minute")]
        try await withSlowStore(setup) { gateway, store async throws in
            do {
                let client = try gateway.connect()
                try client.wire.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(await eventually { store.count == 1 })
                client.wire.close()
            }
            let other = try gateway.connect()
            try other.wire.send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await eventually { store.count == 2 })
            store.answerAll()
            #expect(try other.next()?.text == "hello")
        }
        #expect(upstream.requests.map(\.startLine) == ["GET /2 HTTP/1.1"])
    }

    @Test func whereNobodyCanDecideTheAnswerIs503() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        var setup = Setup(upstream)
        setup.limits = [try declared("all", per: [], "100/minute")]
        try await withSlowStore(setup) { gateway, store async throws in
            let client = try gateway.connect()
            try client.wire.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await eventually { store.count == 1 })
            store.refuseAll()
            let answer = try #require(try client.next())
            #expect(answer.status == 503)
            #expect(answer["Retry-After"] == "1")
            #expect(answer["RateLimit"] == nil)
        }
    }

    @Test func severalWorkersAdmitExactlyTheLimitTogether() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        var setup = Setup(upstream)
        setup.gateway.workers = 2
        setup.limits = [try declared("all", per: [], "100/minute")]
        let statuses = Mutex<[Int: Int]>([:])
        try await withGateway(setup) { gateway async throws in
            for _ in 0..<8 {
                Thread.detachNewThread {
                    guard let client = try? gateway.connect() else { return }
                    for _ in 0..<25 {
                        guard (try? client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")) != nil,
                            let answer = try? client.next()
                        else { return }
                        statuses.withLock { $0[answer.status, default: 0] += 1 }
                    }
                }
            }
            #expect(await eventually { statuses.withLock { $0.values.reduce(0, +) } == 200 })
        }
        #expect(statuses.withLock { $0 } == [200: 100, 429: 100])
        #expect(upstream.requests.count == 100)
    }

    @Test func ownBudgetCostsNothingAndIsAtMostASecondOld() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        try await withGateway(payment(upstream)) { gateway async throws in
            #expect(try gateway.get("/.well-known/rate-limit").status == 401)
            #expect(try gateway.get("/payment", "X-API-Key: demo-acme").status == 200)
            let expected =
                #"{"tenant":"acme","degraded":false,"limits":["#
                + #"{"name":"global","service":null,"algorithm":"sliding_window","window_seconds":60,"limit":100,"used":1,"remaining":99,"reset_after_seconds":"#
            let asked = ContinuousClock.now
            let answer = try gateway.get("/.well-known/rate-limit", "X-API-Key: demo-acme")
            #expect(answer.status == 200)
            #expect(answer["Content-Type"] == "application/json")
            #expect(answer.text.hasPrefix(expected))
            #expect(
                answer.text.hasSuffix(
                    #"{"name":"payment","service":"payment","algorithm":"token_bucket","window_seconds":60,"limit":3,"used":1,"remaining":2,"reset_after_seconds":20.000}]}"#
                ))
            #expect(answer["RateLimit"] == nil)
            #expect(try gateway.get("/payment", "X-API-Key: demo-acme").status == 200)
            let copy = try gateway.get("/.well-known/rate-limit", "X-API-Key: demo-acme").text
            if ContinuousClock.now - asked < .seconds(1) { #expect(copy == answer.text) }
            let isRenewed = try await eventually {
                try gateway.get("/.well-known/rate-limit", "X-API-Key: demo-acme").text.contains(#""used":2"#)
            }
            #expect(isRenewed)
            #expect(try gateway.ask("DELETE /.well-known/rate-limit HTTP/1.1\r\nHost: a\r\n\r\n").status == 405)
        }
    }
}
