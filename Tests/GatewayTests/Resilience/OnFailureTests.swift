import Foundation
import Gateway
import Telemetry
import Testing

/// What clients get instead of a failure.
struct OnFailureTests {
    private static let good =
        "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nAge: 3\r\nCache-Control: max-age=10\r\nContent-Length: 5\r\n\r\nhello"

    @Test func theLastGoodAnswerIsGivenAndSaysSo() async throws {
        let service = Failing.Switch(isDown: false)
        let upstream = service.upstream(Self.good)
        defer { upstream.stop() }
        let setup = Failing.setup([upstream.port], "on_failure: stale\nbreaker: {consecutive_failures: 2, open: 60s}")
        try await withGateway(setup) { gateway async throws in
            #expect(try gateway.get("/x?y=1")["Cache-Status"] == nil)
            service.isDown = true
            let failed = try gateway.get("/x?y=1")
            #expect(failed.status == 200 && failed.text == "hello")
            #expect(failed["ETag"] == "\"1\"")
            #expect(failed.all("Age").count == 1)
            #expect(Int(failed["Age"] ?? "").map { $0 >= 3 } == true)
            let status = try #require(failed["Cache-Status"])
            #expect(status.hasPrefix("weir; fwd=stale; fwd-status=503; ttl="))
            #expect(status.hasSuffix("; detail=status"))
            #expect(failed.all("Content-Length") == ["5"])
            #expect(failed.all("X-Request-Id").count == 1)
            // What was never asked for is not there.
            #expect(try gateway.get("/x?y=2").text == "down")
            // Now the breaker is open.
            let open = try gateway.get("/x?y=1")
            #expect(open.text == "hello")
            #expect(open["Cache-Status"]?.hasPrefix("weir; hit; ttl=") == true)
            let head = try gateway.ask("HEAD /x?y=1 HTTP/1.1\r\nHost: weir.test\r\n\r\n", withoutBody: true)
            #expect(head.status == 200 && head["Content-Length"] == "5" && head["Age"] != nil)
            let old = try gateway.ask("GET /x?y=1 HTTP/1.0\r\nHost: weir.test\r\n\r\n")
            #expect(old.text == "hello" && old["Connection"] == "close")
            try expectProblem(gateway.ask("POST /x?y=1 HTTP/1.1\r\nHost: weir.test\r\nContent-Length: 0\r\n\r\n"), 503)
        }
        #expect(upstream.requests.count == 3)
        #expect(setup.metrics?.value("weir_stale_total") == 4)
    }

    @Test func aChunkedAnswerIsKeptWhole() async throws {
        let service = Failing.Switch(isDown: false)
        let upstream = service.upstream(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")
        defer { upstream.stop() }
        try await withGateway(Failing.setup([upstream.port], "on_failure: stale")) { gateway async throws in
            #expect(try gateway.get("/").text == "hello")
            #expect(try gateway.ask("GET /old HTTP/1.0\r\nHost: weir.test\r\n\r\n").text == "hello")
            service.isDown = true
            for path in ["/", "/old"] {
                let answer = try gateway.get(path)
                #expect(answer.text == "hello" && answer["Content-Length"] == "5")
                #expect(answer["Transfer-Encoding"] == nil)
            }
        }
    }

    /// What is kept is what the client may see, and what depends on the request is made anew.
    @Test func aKeptAnswersFieldsAreChangedAsAFreshOnesAre() async throws {
        let service = Failing.Switch(isDown: false)
        let upstream = service.upstream(
            "HTTP/1.1 200 OK\r\nServer: secret\r\nX-Old: 1\r\nX-Old: 2\r\nContent-Length: 2\r\n\r\nok")
        defer { upstream.stop() }
        let changes = "{remove: [Server], rename: {X-Old: X-New}, set: {X-Asked: \"${header:X-Ask}\"}}"
        let keys = "on_failure: stale\nresponse: {headers: \(changes)}"
        try await withGateway(Failing.setup([upstream.port], keys)) { gateway async throws in
            for asked in ["a", "b"] {
                let answer = try gateway.get("/", "X-Ask: \(asked)")
                #expect(answer.text == "ok")
                #expect(answer["Server"] == nil && answer["X-Old"] == nil)
                #expect(answer.all("X-New") == ["1", "2"])
                #expect(answer.all("X-Asked") == [asked])
                #expect((answer["Age"] != nil) == service.isDown)
                service.isDown = true
            }
        }
    }

    private static let keys = """
        identity:
          api_keys:
            header: X-API-Key
            keys:
              - {tenant: acme, sha256: "0ee3d7e3ae154954f584999ee8a2898c17694d98ad7cf282281363b71fcec8ae"}
              - {tenant: globex, sha256: "32ea828153d52fb0c4ab4e40da54f12be7ac880148da8ed08de2cb7d936c63a5"}
        """

    @Test(arguments: [false, true])
    func tenantsDoNotGetOneAnothersAnswers(shared: Bool) async throws {
        let service = Failing.Switch(isDown: false)
        let upstream = TestUpstream.answering { request in
            guard !service.isDown else { return Failing.down }
            let tenant = request["X-Weir-Tenant"] ?? ""
            return "HTTP/1.1 200 OK\r\nContent-Length: \(tenant.count)\r\n\r\n\(tenant)"
        }
        defer { upstream.stop() }
        let keys = "on_failure: stale\nstale: {shared: \(shared)}"
        try await withGateway(Failing.setup([upstream.port], keys, top: Self.keys)) { gateway async throws in
            #expect(try gateway.get("/", "X-API-Key: demo-acme").text == "acme")
            service.isDown = true
            #expect(try gateway.get("/", "X-API-Key: demo-acme").text == "acme")
            #expect(try gateway.get("/", "X-API-Key: demo-globex").text == (shared ? "acme" : "down"))
            #expect(try gateway.get("/", "X-API-Key: unknown").status == 401)
        }
    }

    @Test(arguments: [
        (", header: X-Token", "on_failure: stale"), (", forward: false", "on_failure: stale\nstale: {shared: true}"),
        (", header: X-Token", "on_failure: stale\nstale: {shared: true}"),
    ])
    func usersDoNotGetOneAnothersAnswers(jwt: String, keys: String) async throws {
        let issuer = try TokenIssuer()
        let service = Failing.Switch(isDown: false)
        let upstream = service.upstream()
        defer { upstream.stop() }
        let lines = keys.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
        let start = jwt.contains("X-Token") ? "X-Token: " : "Authorization: Bearer "
        try await withGateway(issuer.setup(upstream, jwt, service: lines)) { gateway async throws in
            #expect(try gateway.get("/", start + issuer.token("acme", #","sub":"one""#)).text == "hello")
            service.isDown = true
            #expect(try gateway.get("/", start + issuer.token("acme", #","sub":"two""#)).text == "down")
        }
    }

    @Test func anotherServiceAnswersInstead() async throws {
        let path = NSTemporaryDirectory() + "weir-attempts-\(UInt64.random(in: 0 ... .max)).log"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let log = try AccessLog(.file(path))
        let upstream = Failing.upstream(.answers503, times: .max)
        let other = TestUpstream.echoing()
        defer {
            upstream.stop()
            other.stop()
        }
        var setup = Failing.setup(
            [upstream.port],
            "on_failure: {fallback: b}\nretries: {attempts: 2, backoff: 1ms}\nbreaker: {consecutive_failures: 3, open: 60s}",
            more: "- {name: b, routes: [{path: /b}], upstreams: [\"http://127.0.0.1:\(other.port)\"]}")
        setup.accessLog = log
        try await withGateway(setup) { gateway async throws in
            let put = "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
            let post = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
            let client = try gateway.connect()
            try client.wire.send(put)
            #expect(try client.next()?.text == "abc")
            // What may have had an effect does not go to another service either …
            try client.wire.send(post)
            #expect(try client.next()?.text == "down")
            #expect(upstream.requests.count == 3)
            // … unless it was not sent at all.
            try client.wire.send(post)
            #expect(try client.next()?.text == "abc")
            #expect(try gateway.get("/b").status == 200)
        }
        #expect(upstream.requests.count == 3)
        #expect(other.requests.map(\.startLine) == ["PUT /x HTTP/1.1", "POST /x HTTP/1.1", "GET /b HTTP/1.1"])
        #expect(setup.metrics?.value("weir_fallback_total") == 2)
        #expect(setup.metrics?.value("weir_requests_total") == 2)
        #expect(log.flush(within: .seconds(20)))
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(lines.map { $0["service"] as? String } == ["a", "a", "a", "b"])
        #expect(lines.map { $0["served"] as? String } == ["fallback", nil, "fallback", nil])
        #expect(lines.map { $0["attempts"] as? Int } == [3, nil, nil, nil])
        #expect(lines.map { $0["breaker"] as? String } == [nil, nil, "open", nil])
    }

    @Test func aFallbackThatFailsIsNotSpokenOfAndItsOwnIsNotAsked() async throws {
        let third = TestUpstream.greeting()
        defer { third.stop() }
        for behaviour in Failing.Behaviour.allCases where behaviour != .drips {
            let upstream = Failing.upstream(.hangs, times: .max)
            let other = Failing.upstream(behaviour, times: .max)
            defer {
                upstream.stop()
                other.stop()
            }
            let setup = Failing.setup(
                [upstream.port], "timeouts: {try: 100ms}\non_failure: {fallback: b}",
                more: """
                    - {name: b, routes: [{path: /b}], upstreams: ["http://127.0.0.1:\(other.port)"], on_failure: {fallback: c}, timeouts: {try: 100ms}}
                    - {name: c, routes: [{path: /c}], upstreams: ["http://127.0.0.1:\(third.port)"]}
                    """)
            try await withGateway(setup) { gateway async throws in try expectProblem(gateway.get("/"), 504) }
            #expect(await eventually { upstream.requests.count == 1 && other.requests.count == 1 })
        }
        #expect(third.requests.isEmpty)
    }

    @Test func theFirstOfSeveralAnswersThatThereIsIsGiven() async throws {
        let service = Failing.Switch(isDown: false)
        let upstream = service.upstream(Self.good)
        let other = TestUpstream.answering { _ in "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother" }
        defer {
            upstream.stop()
            other.stop()
        }
        let setup = Failing.setup(
            [upstream.port], "on_failure: [stale, {fallback: b}]",
            more: "- {name: b, routes: [{path: /b}], upstreams: [\"http://127.0.0.1:\(other.port)\"]}")
        try await withGateway(setup) { gateway async throws in
            #expect(try gateway.get("/seen").text == "hello")
            service.isDown = true
            #expect(try gateway.get("/seen").text == "hello")
            #expect(try gateway.get("/new").text == "other")
            // What the fallback answers is not kept as the service's own.
            #expect(try gateway.get("/new")["Cache-Status"] == nil)
        }
        #expect(other.requests.count == 2)
    }

    /// Pieces of answers, bodies that are too long and answers that change: what is given is always one whole answer.
    @Test func whatIsKeptIsWhole() async throws {
        let service = Failing.Switch(isDown: false)
        let upstream = TestUpstream.answering { request in
            guard !service.isDown else { return Failing.down }
            let size = Int(request.startLine.split(separator: " ")[1].dropFirst()) ?? 0
            let body = String(repeating: "\(size % 10)", count: size)
            return "HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n\(body)"
        }
        defer { upstream.stop() }
        let keys = "on_failure: stale\nstale: {max_bytes: 100KiB, max_body: 60KiB, max_entries: 20}"
        try await withGateway(Failing.setup([upstream.port], keys)) { gateway async throws in
            let sizes = [0, 1, 30_000, 61_439, 61_441, 200_000]
            for size in sizes { #expect(try gateway.get("/\(size)").body.count == size) }
            service.isDown = true
            let kept = try sizes.map { try gateway.get("/\($0)") }
            #expect(kept.map(\.status) == [200, 200, 200, 200, 503, 503])
            for (answer, size) in zip(kept, sizes) where answer.status == 200 {
                #expect(answer.text == String(repeating: "\(size % 10)", count: size))
            }
        }
    }
}
