import Foundation
import NIOHTTP1
import TestSupport
import Testing

/// The sample for a small team, as a team would use it.
@Suite(.serialized) struct ThreeServicesTests {
    /// The services behind the gateway, and the gateway.
    private struct Team {
        let catalog: [ScriptedUpstream]
        let orders: ScriptedUpstream
        let reports: ScriptedUpstream
        let weir: WeirProcess
        let configuration: String

        func ask(
            _ path: String, _ method: HTTPMethod = .GET, _ fields: HTTPHeaders? = nil, body: String? = nil
        ) async throws -> HTTP.Response {
            try await HTTP.ask(weir.gateway, path, method, try fields ?? ThreeServicesTests.developer(), body: body)
        }

        /// Asks until it is refused, and returns how many passed before that.
        func untilRefused(
            _ path: String, _ method: HTTPMethod = .GET, _ fields: HTTPHeaders? = nil, passing status: Int = 200
        ) async throws -> (passed: Int, refusal: HTTP.Response) {
            for passed in 0..<200 {
                let answer = try await ask(path, method, fields)
                if answer.status != status { return (passed, answer) }
            }
            throw NeverHappened(description: "\(path) is refused to nobody")
        }
    }

    private static let login = Issuer(name: "https://login.example.com", audience: "shop")
    /// SHA-256 of `demo-acme` and of `demo-globex`.
    private static let keys = [
        "partner": "0ee3d7e3ae154954f584999ee8a2898c17694d98ad7cf282281363b71fcec8ae",
        "shop": "32ea828153d52fb0c4ab4e40da54f12be7ac880148da8ed08de2cb7d936c63a5",
    ]
    private static let partner: HTTPHeaders = ["X-API-Key": "demo-acme"]

    private static func developer(_ team: String = "payments") throws -> HTTPHeaders {
        try login.bearer(#""team":"\#(team)","sub":"dana""#)
    }

    private static func keyFile(_ tenants: [String]) -> String {
        tenants.map { "- {tenant: \($0), name: nightly export, sha256: \"\(keys[$0] ?? "")\"}\n" }.joined()
    }

    private func run(_ body: (Team) async throws -> Void) async throws {
        let catalog = [try await ScriptedUpstream.start("catalog"), try await ScriptedUpstream.start("catalog")]
        let (orders, reports) = (
            try await ScriptedUpstream.start("orders"), try await ScriptedUpstream.start("reports")
        )
        let configuration = try WrittenConfiguration.sample("three-services.yaml").substituting([
            "10.0.0.11:8000": catalog[0].address, "10.0.0.12:8000": catalog[1].address,
            "10.0.0.21:8000": orders.address, "10.0.0.31:8000": reports.address,
        ])
        let files = ["keys.yaml": Self.keyFile(["partner"]), "login.jwks.json": Self.login.signer.set()]
        let weir = try await WeirProcess.serve(asWritten: configuration, files: files)
        defer { weir.stop() }
        try await body(
            Team(catalog: catalog, orders: orders, reports: reports, weir: weir, configuration: configuration))
        weir.stop()
        for server in catalog + [orders, reports] { try await server.stop() }
    }

    @Test func theSampleIsValidAsItStands() throws {
        let run = try validating(
            WrittenConfiguration.sample("three-services.yaml"),
            files: ["keys.yaml": Self.keyFile(["partner"]), "login.jwks.json": Self.login.signer.set()])
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("valid: 3 services, 5 routes, 6 limits"))
    }

    @Test func developersAndPartnersReachTheServicesAndNobodyElseDoes() async throws {
        try await run { team in
            #expect(try await team.ask("/catalog/7").body == "catalog")
            #expect(try await team.ask("/reports").body == "reports")
            #expect(try await team.ask("/orders", .POST, Self.partner, body: "{}").body == "orders")
            let order = try #require(team.orders.requests.last)
            #expect(order.method == .POST && order.body == "{}" && !order.fields.contains(name: "X-API-Key"))
            #expect(order.fields.first(name: "X-Weir-Tenant") == "partner")
            #expect(team.reports.requests.last?.fields.first(name: "X-User-Id") == "dana")
            #expect(try await team.ask("/catalog/health", .GET, [:]).status == 200)

            let forger = Issuer(name: Self.login.name, audience: Self.login.audience)
            for fields in [[:], ["X-API-Key": "demo-acmf"], try forger.bearer(#""team":"payments","sub":"dana""#)] {
                #expect(try await team.ask("/orders", .GET, fields).status == 401)
            }
            #expect(try await team.ask("/invoices").status == 404)
            let deletion = try await team.ask("/catalog/7", .DELETE)
            #expect(deletion.status == 405 && deletion.fields.first(name: "Allow") == "GET, HEAD")
            let large = String(repeating: "a", count: 1 << 20) + "a"
            #expect(try await team.ask("/orders", .POST, body: large).status == 413)
            #expect(team.orders.requests.count == 1)

            try await eventually("the order is logged") {
                team.weir.log.split(separator: "\n").contains { line in
                    let line = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                    return line?["tenant"] as? String == "partner" && line?["service"] as? String == "orders"
                        && line?["route"] as? String == "place-order" && line?["status"] as? Int == 200
                }
            }
        }
    }

    @Test func whoAsksTooOftenIsToldWhenToComeBack() async throws {
        try await run { team in
            let (placed, refusal) = try await team.untilRefused("/orders", .POST)
            #expect(refusal.status == 429 && placed >= 5 && team.orders.requests.count == placed)
            let seconds = try #require(refusal.fields.first(name: "Retry-After").flatMap { Int($0) })
            #expect(seconds == 1)
            // Reading goes on, and so do others.
            #expect(try await team.ask("/orders").status == 200)
            #expect(try await team.ask("/orders", .POST, Self.developer("search")).status == 200)
            // Who waits as long as that passes.
            try await Task.sleep(for: .seconds(seconds))
            #expect(try await team.ask("/orders", .POST).status == 200)

            let (reports, noReport) = try await team.untilRefused("/reports")
            #expect(noReport.status == 429 && reports == 20)
            #expect(noReport.body.contains("reports"))
            let (probes, noProbe) = try await team.untilRefused("/catalog/health", .GET, [:])
            #expect(noProbe.status == 429 && probes >= 60)
            let (guesses, noGuess) = try await team.untilRefused(
                "/orders", .GET, ["X-API-Key": "a guess"], passing: 401)
            #expect(noGuess.status == 429 && guesses >= 10 && noGuess.fields.contains(name: "Retry-After"))
        }
    }

    @Test func aServiceInTroubleIsAskedElsewhereOrLeftInPeace() async throws {
        try await run { team in
            team.catalog[0].answer(.serviceUnavailable)
            for _ in 0..<4 { #expect(try await team.ask("/catalog/7").body == "catalog") }
            team.orders.answer(.serviceUnavailable)
            #expect(try await team.ask("/orders", .POST, body: "{}").status == 503)
            #expect(team.orders.requests.count == 1)

            team.reports.answer { _ in .init(isNever: true) }
            for _ in 0..<5 { #expect(try await team.ask("/reports").status == 504) }
            let open = try await team.ask("/reports")
            #expect(open.status == 503 && open.fields.contains(name: "Retry-After"))
            #expect(team.reports.requests.count == 5)
            try await eventually("the log says why") {
                team.weir.log.contains(#""cause":"timeout""#) && team.weir.log.contains(#""cause":"circuit_open""#)
            }
            team.reports.answer(.ok, "well again")
            var teams = 0
            try await eventually(within: .seconds(30), "the breaker closes") {
                teams += 1
                // Each has twenty reports an hour.
                return try await team.ask("/reports", .GET, Self.developer("team-\(teams)")).body == "well again"
            }
        }
    }

    @Test func whatIsChangedInTheFilesHolds() async throws {
        try await run { team in
            func policy() async throws -> String? {
                try await team.ask("/catalog/7").fields.first(name: "RateLimit-Policy")
            }
            #expect(try await policy() == #""tenant";q=600;w=60"#)
            try team.weir.reconfigure(try team.configuration.substituting(["rate: 600/minute": "rate: 300/minute"]))
            try await eventually(within: .seconds(20), "the new rate holds") {
                try await policy() == #""tenant";q=300;w=60"#
            }
            // A typing error changes nothing.
            try team.weir.reconfigure(try team.configuration.substituting(["rate: 600/minute": "rate: 600/minite"]))
            try await eventually(within: .seconds(20), "it is refused") { team.weir.log.contains("minite") }
            #expect(try await policy() == #""tenant";q=300;w=60"#)
            try team.weir.reconfigure(team.configuration)
            try await eventually(within: .seconds(20), "it is mended") { try await policy() == #""tenant";q=600;w=60"# }

            #expect(try await team.ask("/orders", .GET, ["X-API-Key": "demo-globex"]).status == 401)
            try team.weir.write(Self.keyFile(["partner", "shop"]), to: "keys.yaml")
            try await eventually(within: .seconds(20), "the keys are read") {
                team.weir.log.contains("changes=identity")
            }
            #expect(try await team.ask("/orders", .GET, ["X-API-Key": "demo-globex"]).status == 200)
        }
    }
}
