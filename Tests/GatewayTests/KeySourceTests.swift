import Glibc
import Logging
import Synchronization
import TestSupport
import Testing
import Tokens
import WeirConfiguration

@testable import Gateway
@testable import weir

/// Keys that are fetched over HTTP, by the control plane, while requests wait for them.
struct KeySourceTests {
    /// A gateway that believes an issuer's server, the server, and an upstream.
    private func run(
        _ published: PublishedKeys, floor: Duration = .milliseconds(1),
        _ body: (Fixture, _ server: TestUpstream, _ upstream: TestUpstream) async throws -> Void
    ) async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        let server = TestUpstream.answering { _ in
            while published.isHeld { usleep(1000) }
            return published.message
        }
        defer { server.stop() }
        let nanoseconds = floor.components.seconds * 1_000_000_000 + floor.components.attoseconds / 1_000_000_000
        var logger = Logger(label: "keys")
        logger.logLevel = .critical
        let keeper = KeyKeeper(KeyRefresh.Terms(floor: nanoseconds), logger: logger)
        var setup = Setup(
            yaml: """
                identity:
                  jwt: {issuer: "https://issuer.example", audience: weir, jwks_url: "http://127.0.0.1:\(server.port)/keys"}
                services: [{name: a, routes: [{path: /}], upstreams: ["http://127.0.0.1:\(upstream.port)"]}]
                """)
        setup.epoch = { TokenIssuer.now * 1_000_000 }
        setup.requestKeys = { keeper.request($0) }
        let identity = try setup.configuration().identity
        do {
            try await withGateway(setup) { gateway in
                let deliver: KeyKeeper.Deliver = { [server = gateway.server] in server.use($0) }
                keeper.keep(identity, deliver: deliver)
                try await body(gateway, server, upstream)
            }
        } catch {
            await keeper.stop()
            throw error
        }
        await keeper.stop()
    }

    private func field(_ signer: Signer, kid: String) throws -> String {
        let payload = #"{"iss":"https://issuer.example","aud":"weir","exp":\#(TokenIssuer.now + 100),"tenant":"acme"}"#
        return "Authorization: Bearer "
            + (try signer.token(payload, header: #"{"alg":"\#(signer.algorithm)","kid":"\#(kid)"}"#))
    }

    @Test func aTokenWaitsForTheFirstKeys() async throws {
        let signer = Signer.es256()
        let published = PublishedKeys(signer.set(id: "a"))
        published.hold(true)
        try await run(published) { gateway, server, _ async throws in
            let client = try gateway.connect()
            try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\(try field(signer, kid: "a"))\r\n\r\n")
            #expect(await eventually { server.requests.count == 1 })
            #expect(client.wire.isSilent)
            published.hold(false)
            #expect(try client.next()?.status == 200)
            #expect(server.requests.count == 1)
            #expect(server.requests.first?.startLine == "GET /keys HTTP/1.1")
        }
    }

    @Test func fiftyRequestsWithANewKeyMakeOneFetch() async throws {
        let (old, new) = (Signer.es256(), Signer.edDSA())
        let published = PublishedKeys(old.set(id: "a"))
        try await run(published) { gateway, server, upstream async throws in
            #expect(try gateway.get("/", try field(old, kid: "a")).status == 200)
            published.publish("{\"keys\":[\(old.key(id: "a")),\(new.key(id: "b"))]}")
            published.hold(true)
            let field = try field(new, kid: "b")
            let clients = try (0..<50).map { _ in try gateway.connect() }
            for client in clients { try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n") }
            #expect(await eventually { server.requests.count == 2 })
            #expect(try gateway.get("/", try self.field(old, kid: "a")).status == 200, "others need not wait")
            published.hold(false)
            for client in clients { #expect(try client.next()?.status == 200) }
            #expect(server.requests.count == 2)
            #expect(upstream.requests.count == 52)
        }
    }

    @Test func theLastKeysStayWhileTheirSourceIsDown() async throws {
        let (old, new) = (Signer.es256(), Signer.es256())
        let published = PublishedKeys(old.set(id: "a"))
        try await run(published) { gateway, server, _ async throws in
            #expect(try gateway.get("/", try field(old, kid: "a")).status == 200)
            for (number, (status, text)) in [
                ("500 Internal Server Error", ""), ("200 OK", "nonsense"), ("200 OK", #"{"keys":[]}"#),
                ("200 OK", #"{"keys":[{"kty":"oct","k":"AA"}]}"#), ("302 Found", ""),
            ].enumerated() {
                published.answer(status: status, fields: "Location: http://127.0.0.1:\(server.port)/other\r\n")
                published.publish(text)
                #expect(try gateway.get("/", try field(new, kid: "new-\(number)")).status == 401)
                let asked = server.requests.count
                #expect(try gateway.get("/", try field(old, kid: "a")).status == 200)
                // A fetch that failed is also due again by itself, once.
                #expect(asked >= number + 2 && server.requests.count <= asked + 1)
            }
            #expect(server.requests.allSatisfy { $0.startLine == "GET /keys HTTP/1.1" }, "no redirection is followed")
            published.answer(status: "200 OK")
            published.publish(new.set(id: "new"))
            #expect(try gateway.get("/", try field(new, kid: "new")).status == 200)
            #expect(
                try gateway.get("/", try field(old, kid: "a")).status == 401,
                "the key is withdrawn, and its tokens with it")
        }
    }

    @Test func withoutAnyKeysTheAnswerIs503() async throws {
        let signer = Signer.es256()
        let published = PublishedKeys("")
        published.answer(status: "404 Not Found")
        try await run(published, floor: .seconds(30)) { gateway, server, upstream async throws in
            #expect(await eventually { server.requests.count == 1 })
            let answer = try gateway.get("/", try field(signer, kid: "a"))
            #expect(answer.status == 503)
            #expect(answer["Retry-After"] == "1")
            #expect(answer["Content-Type"] == "application/problem+json")
            #expect(try gateway.get("/", "Authorization: Bearer nonsense").status == 401)
            #expect(try gateway.get("/").status == 401)
            #expect(upstream.requests.isEmpty)
        }
    }

    @Test func keysThatDoNotComeInTimeAreNotWaitedFor() async throws {
        let signer = Signer.es256()
        let published = PublishedKeys(signer.set(id: "a"))
        published.hold(true)
        try await run(published) { gateway, _, _ async throws in
            let answer = try gateway.get("/", try field(signer, kid: "a"))
            #expect(answer.status == 503)
            published.hold(false)
        }
    }

    @Test func aFloodOfStrangeKeysIsNoFloodOfFetches() async throws {
        let signer = Signer.es256()
        let published = PublishedKeys(signer.set(id: "a"))
        try await run(published, floor: .seconds(30)) { gateway, server, upstream async throws in
            #expect(try gateway.get("/", try field(signer, kid: "a")).status == 200)
            for number in 0..<300 {
                #expect(try gateway.get("/", try field(signer, kid: "strange-\(number)")).status == 401)
            }
            #expect(server.requests.count == 1)
            #expect(upstream.requests.count == 1)
            #expect(try gateway.get("/", try field(signer, kid: "a")).status == 200)
        }
    }

    @Test func anIdThatWasNotFoundIsFetchedForOnce() async throws {
        let signer = Signer.es256()
        let published = PublishedKeys(signer.set(id: "a"))
        try await run(published) { gateway, server, _ async throws in
            #expect(try gateway.get("/", try field(signer, kid: "a")).status == 200)
            for _ in 0..<5 { #expect(try gateway.get("/", try field(signer, kid: "strange")).status == 401) }
            #expect(server.requests.count == 2)
        }
    }

    @Test func whoLeavesWhileWaitingDoesNoHarm() async throws {
        let signer = Signer.es256()
        let published = PublishedKeys(signer.set(id: "a"))
        published.hold(true)
        try await run(published) { gateway, server, upstream async throws in
            let field = try field(signer, kid: "a")
            for _ in 0..<5 {
                let client = try gateway.connect()
                try client.wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\(field)\r\n\r\nabc")
                client.wire.sendReset()
            }
            let client = try gateway.connect()
            try client.wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\(field)\r\n\r\nabc")
            #expect(await eventually { server.requests.count == 1 })
            published.hold(false)
            #expect(try client.next()?.status == 200)
            #expect(upstream.requests.last?.text == "abc")
        }
    }

    @Test func aReloadEndsNoWaitForKeys() async throws {
        let (old, new) = (Signer.es256(), Signer.es256())
        let published = PublishedKeys(old.set(id: "a"))
        try await run(published) { gateway, server, upstream async throws in
            #expect(try gateway.get("/", try field(old, kid: "a")).status == 200)
            published.publish(new.set(id: "b"))
            published.hold(true)
            let client = try gateway.connect()
            try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\(try field(new, kid: "b"))\r\n\r\n")
            #expect(await eventually { server.requests.count == 2 })
            let configuration = try Setup(
                yaml: """
                    identity:
                      jwt: {issuer: "https://issuer.example", audience: weir, jwks_url: "http://127.0.0.1:\(server.port)/keys"}
                    services: [{name: a, routes: [{path: /}], upstreams: ["http://127.0.0.1:\(upstream.port)"]}]
                    """
            ).configuration()
            await gateway.server.use(try gateway.server.prepare(configuration))
            published.hold(false)
            #expect(try client.next()?.status == 200)
        }
    }
}
