import Foundation
import NIOHTTP1
import TestSupport
import Testing

/// The README's configurations do what the sections say in which they stand, as they are written there.
@Suite(.serialized) struct ReadmeTests {
    @Test func everyBlockIsPartOfAValidConfiguration() throws {
        let blocks = try Readme.blocks()
        #expect(Set(blocks.map(\.heading)).count == blocks.count, "two blocks stand under one heading")
        for block in blocks {
            let (configuration, files) = try Readme.completed(block.heading)
            let run = try validating(configuration, files: files)
            #expect(run.status == 0, "\(block.heading): \(run.errors)")
        }
    }

    @Test func everyResponsibilityHasARowThatLeadsToAConfiguration() throws {
        let headings = Set(
            try Readme.blocks().map { $0.heading.lowercased().replacing(" ", with: "-") })
        let rows = try WrittenConfiguration.text("README.md").split(separator: "\n").drop {
            $0 != "| | | configuration |"
        }
        .dropFirst(2).prefix { $0.hasPrefix("|") }
        let names = rows.map { $0.split(separator: "|")[0].trimmingCharacters(in: .whitespaces) }
        #expect(
            names == [
                "Authentication", "Authorisation", "Rate limiting", "Routing", "Transformation", "Circuit breaking",
                "Migration", "Observability", "Reload",
            ])
        for row in rows {
            let links = row.matches(of: #/\]\(#([a-z-]+)\)/#).map { String($0.output.1) }
            #expect(!links.isEmpty && headings.isSuperset(of: links), "\(row)")
        }
    }

    @Test func authentication() async throws {
        let issuer = Readme.issuer
        let (keys, service) = (
            try await ScriptedUpstream.start(issuer.signer.set()), try await ScriptedUpstream.start("catalog")
        )
        let weir = try await Readme.serve(
            "Authentication",
            ["https://issuer.example/jwks.json": "http://\(keys.address)/jwks.json", "127.0.0.1:9003": service.address])
        let claims = #""tenant":"globex","sub":"u1""#
        func status(_ fields: HTTPHeaders) async throws -> Int {
            try await HTTP.ask(weir.gateway, "/catalog", .GET, fields).status
        }
        #expect(try await status(issuer.bearer(claims)) == 200)
        let request = try #require(service.requests.last)
        #expect(request.fields.first(name: "X-User-Id") == "u1")
        #expect(request.fields.first(name: "X-Weir-Tenant") == "globex")
        #expect(try await status(["X-API-Key": "demo-acme", "X-User-Id": "forged"]) == 200)
        let other = try #require(service.requests.last)
        #expect(other.fields.first(name: "X-Weir-Tenant") == "acme")
        #expect(!other.fields.contains(name: "X-User-Id") && !other.fields.contains(name: "X-API-Key"))

        let forger = Issuer(name: issuer.name, audience: issuer.audience)
        #expect(try await status(forger.bearer(claims)) == 401)
        #expect(
            try await status(Issuer(signer: issuer.signer, name: "another", audience: "weir").bearer(claims)) == 401)
        #expect(try await status(["X-API-Key": "demo-acme2"]) == 401)
        #expect(try await status([:]) == 401)
        #expect(service.requests.count == 2)
        weir.stop()
        for server in [keys, service] { try await server.stop() }
    }

    @Test func authorisation() async throws {
        let service = try await ScriptedUpstream.start("orders")
        let weir = try await Readme.serve("Authorisation", ["127.0.0.1:9001": service.address])
        func status(
            _ path: String, _ method: HTTPMethod, _ claims: String, from client: String = "10.1.2.3"
        ) async throws -> Int {
            var fields = try Readme.issuer.bearer(#""tenant":"acme","sub":"u1",\#(claims)"#)
            fields.add(name: "X-Forwarded-For", value: client)
            return try await HTTP.ask(weir.gateway, path, method, fields).status
        }
        let writer = #""scope":"orders:write","role":"ops""#
        #expect(try await status("/orders/1", .GET, #""scope":"orders:read other""#) == 200)
        #expect(try await status("/orders/1", .GET, #""scope":"other""#) == 403)
        #expect(try await status("/orders/refunds", .POST, writer) == 200)
        #expect(try await status("/orders/refunds", .GET, writer) == 403)
        #expect(try await status("/orders/refunds", .POST, writer, from: "192.0.2.1") == 403)
        #expect(try await status("/orders/refunds", .POST, #""scope":"orders:write","role":"guest""#) == 403)
        #expect(try await status("/orders/refunds", .POST, #""scope":"orders:read","role":"ops""#) == 403)
        #expect(try await HTTP.ask(weir.gateway, "/orders/1").status == 401)
        #expect(try await HTTP.ask(weir.gateway, "/orders/health").status == 200)
        #expect(service.requests.count == 3)
        weir.stop()
        try await service.stop()
    }

    @Test func rateLimiting() async throws {
        let service = try await ScriptedUpstream.start("payment")
        let weir = try await Readme.serve("Rate limiting", ["127.0.0.1:9002": service.address])
        func ask(_ method: HTTPMethod = .GET, key: String = "demo-acme") async throws -> HTTP.Response {
            try await HTTP.ask(weir.gateway, "/payment", method, ["X-API-Key": key])
        }
        let costly = try await ask(.POST)
        #expect(costly.status == 200)
        let limits = try #require(costly.fields.first(name: "RateLimit"))
        #expect(limits.contains(#""payment";r=5;"#) && limits.contains(#""global";r=99;"#))
        var passed = 0
        var last = try await ask()
        while last.status == 200, passed < 50 {
            passed += 1
            last = try await ask()
        }
        #expect(last.status == 429 && passed >= 5 && service.requests.count == passed + 1)
        #expect((1...6).contains(try #require(last.fields.first(name: "Retry-After").flatMap { Int($0) })))

        // Who guesses keys is stopped before any is looked at.
        var guesses = 0
        while try await ask(key: "guess-\(guesses)").status == 401, guesses < 50 { guesses += 1 }
        #expect((10...20).contains(guesses))
        #expect(try await ask(key: "another guess").status == 429)
        weir.stop()
        try await service.stop()
    }

    @Test func plansAndOverrides() async throws {
        let service = try await ScriptedUpstream.start("payment")
        let weir = try await Readme.serve("Plans and overrides", ["127.0.0.1:9002": service.address])
        func policy() async throws -> String {
            let answer = try await HTTP.ask(weir.gateway, "/payment", .GET, ["X-API-Key": "demo-acme"])
            return try #require(answer.fields.first(name: "RateLimit-Policy"))
        }
        let ofPlan = try await policy()
        #expect(ofPlan.contains(#""global";q=500;w=60"#) && ofPlan.contains(#""payment";q=30;"#), "\(ofPlan)")
        let tomorrow = Date(timeIntervalSinceNow: 86_400).formatted(.iso8601)
        let run = try CommandRun(
            "override", "acme", "payment", "--rate", "5/minute", "--burst", "2", "--expires-at", tomorrow, "--reason",
            "card testing", "--config", weir.configurationFile.path)
        #expect(run.output.hasPrefix("payment of acme: 5/minute, burst 2, until \(tomorrow)\n"), "\(run.errors)")
        try await eventually("the override is in force") { try await policy().contains(#""payment";q=2;"#) }
        weir.stop()
        try await service.stop()
    }

    @Test func reload() async throws {
        let service = try await ScriptedUpstream.start("catalog")
        let (text, _) = try Readme.completed("Reload")
        let configuration = try text.substituting(["127.0.0.1:9003": service.address])
        let weir = try await WeirProcess.serve(asWritten: configuration)
        func policy() async throws -> String? {
            try await HTTP.ask(weir.gateway, "/catalog").fields.first(name: "RateLimit-Policy")
        }
        #expect(try await policy() == #""global";q=100;w=60"#)
        try weir.reconfigure(try configuration.substituting(["rate: 100/minute": "rate: 50/minute"]))
        try await eventually("the file is read") { try await policy() == #""global";q=50;w=60"# }
        try await eventually("the log says so") {
            weir.log.contains("limit global 100/minute is now 50/minute")
        }
        weir.stop()
        try await service.stop()
    }
}
