import Glibc
import Logging
import Synchronization
import Telemetry
import TestSupport
import Testing
import Tokens
import WeirConfiguration

@testable import Gateway
@testable import weir

/// What comes of fetching keys, and what a gateway makes of it.
struct KeyUpdateTests {
    private func field(_ signer: Signer, kid: String) throws -> String {
        let payload = #"{"iss":"https://issuer.example","aud":"weir","exp":\#(TokenIssuer.now + 100),"tenant":"acme"}"#
        return "Authorization: Bearer "
            + (try signer.token(payload, header: #"{"alg":"\#(signer.algorithm)","kid":"\#(kid)"}"#))
    }

    /// A gateway that believes two issuers, whose keys nobody fetches, with a token of each in a field of its own.
    private func withTwoIssuers(
        _ body: (Fixture, _ request: String, _ keys: KeySet, Metrics) async throws -> Void
    ) async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        let metrics = Metrics(
            services: ["a"], limits: [], workers: 3, traffic: TrafficNames([TrafficNames.Service("a", routes: ["/"])]))
        var setup = Setup(
            yaml: """
                identity:
                  jwt:
                    - {issuer: "https://issuer.example", audience: weir, jwks_url: "http://127.0.0.1:1/one"}
                    - {issuer: "https://other.example", audience: weir, jwks_url: "http://127.0.0.1:1/two", header: X-Token}
                services: [{name: a, routes: [{path: /}], upstreams: ["http://127.0.0.1:\(upstream.port)"]}]
                """)
        setup.epoch = { TokenIssuer.now * 1_000_000 }
        setup.metrics = metrics
        let signer = Signer.es256()
        let other = try signer.token(
            #"{"iss":"https://other.example","aud":"weir","exp":\#(TokenIssuer.now + 100),"tenant":"acme"}"#,
            header: #"{"alg":"\#(signer.algorithm)","kid":"k"}"#)
        let request = "GET / HTTP/1.1\r\nHost: a\r\n\(try field(signer, kid: "k"))\r\nX-Token: \(other)\r\n\r\n"
        let keys = try KeySet.read(Array(signer.set(id: "k").utf8))
        try await withGateway(setup) { try await body($0, request, keys, metrics) }
    }

    @Test func twoTokensWaitForTheKeysOfEach() async throws {
        try await withTwoIssuers { gateway, request, keys, metrics async throws in
            let client = try gateway.connect()
            try client.wire.send(request)
            #expect(await eventually { metrics.value("weir_requests_in_flight") == 1 })
            for name in ["one", "two"] {
                gateway.server.use(KeyUpdate(address: "http://127.0.0.1:1/\(name)", keys: keys, nextAllowedAt: .max))
            }
            #expect(try client.next()?.status == 200)
        }
    }

    @Test func keysThatAreTakenBackAreNotBelieved() async throws {
        try await withTwoIssuers { gateway, request, keys, _ async throws in
            let addresses = ["http://127.0.0.1:1/one", "http://127.0.0.1:1/two"]
            for address in addresses {
                gateway.server.use(KeyUpdate(address: address, keys: keys, nextAllowedAt: .max))
            }
            #expect(try gateway.ask(request).status == 200)
            gateway.server.use(KeyUpdate(address: addresses[1], keys: nil, nextAllowedAt: .max))
            try expectProblem(gateway.ask(request), 503)
        }
    }

    @Test func keysThatCannotBeFetchedAnewEndOneDay() async throws {
        let published = PublishedKeys(Signer.es256().set(id: "a"))
        let server = TestUpstream.answering { _ in published.message }
        defer { server.stop() }
        var logger = Logger(label: "keys")
        logger.logLevel = .critical
        let keeper = KeyKeeper(KeyRefresh.Terms(lifetime: 500_000_000), logger: logger)
        let updates = Mutex<[KeyUpdate]>([])
        let identity = try Setup(
            yaml: """
                identity: {jwt: {issuer: a, audience: b, jwks_url: "http://127.0.0.1:\(server.port)/keys"}}
                services: [{name: a, routes: [{path: /}], upstreams: ["http://127.0.0.1:1"]}]
                """
        ).configuration().identity
        keeper.keep(identity) { update in updates.withLock { $0.append(update) } }
        #expect(await eventually { updates.withLock { $0.count } >= 2 })
        await keeper.stop()
        #expect(updates.withLock { $0.prefix(2).map { $0.keys == nil } } == [false, true])
    }

    @Test(.timeLimit(.minutes(1))) func anAnswerThatDripsIsGivenUp() async throws {
        let server = TestUpstream { _, wire, _ in
            _ = try MessageReader(wire).next(isResponse: false)
            try wire.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            while true {
                try wire.send(" ")
                usleep(10_000)
            }
        }
        defer { server.stop() }
        let fetcher = KeyFetcher(patience: .milliseconds(200))
        await #expect(throws: KeyFetchError.self) { try await fetcher.fetch("http://127.0.0.1:\(server.port)/keys") }
        await fetcher.shutdown()
    }
}
