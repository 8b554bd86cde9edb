import Foundation
import NIOHTTP1
import TestSupport
import Testing

/// The sample for an API that is sold, with two replicas over one Redis.
@Suite(.serialized) struct ManyTenantsTests {
    private struct Fleet {
        let documents: ScriptedUpstream
        let search: ScriptedUpstream
        let administration: ScriptedUpstream
        let collector: Collector
        let redis: RedisServer
        let replicas: [WeirProcess]
        let configuration: String

        func ask(
            _ path: String, _ method: HTTPMethod = .GET, of tenant: String = "acme",
            claims: String = #""scope":"documents:read search""#, with more: HTTPHeaders = [:], at replica: Int = 0
        ) async throws -> HTTP.Response {
            var fields = try ManyTenantsTests.login.bearer(#""org":"\#(tenant)","sub":"ada",\#(claims)"#)
            fields.add(contentsOf: more)
            return try await HTTP.ask(replicas[replica].gateway, path, method, fields)
        }

        func policy(of tenant: String, at replica: Int = 0, _ path: String = "/documents/1") async throws -> String {
            let answer = try await ask(path, of: tenant, at: replica)
            return answer.fields.first(name: "RateLimit-Policy") ?? ""
        }

        func control(
            _ path: String, _ method: HTTPMethod = .GET, body: String? = nil, at replica: Int = 0
        ) async throws -> HTTP.Response {
            try await HTTP.send(
                method, replicas[replica].control, path, token: ManyTenantsTests.secret, body: body)
        }
    }

    private static let login = Issuer(name: "https://login.example.com", audience: "api")
    private static let secret = "a-token-of-the-control-api"

    private func run(_ body: (Fleet) async throws -> Void) async throws {
        let redis = try await RedisServer.start()
        defer { redis.stop() }
        let (keys, collector) = (
            try await ScriptedUpstream.start(Self.login.signer.set()), try await Collector.start()
        )
        let services = [
            try await ScriptedUpstream.start("documents"), try await ScriptedUpstream.start("search"),
            try await ScriptedUpstream.start("administration"),
        ]
        let configuration = try WrittenConfiguration.sample("many-tenants.yaml").substituting([
            "10.0.0.11:8000": services[0].address, "10.0.0.21:8000": services[1].address,
            "10.0.0.31:8000": services[2].address, "https://login.example.com/keys": "http://\(keys.address)/keys",
            "127.0.0.1:4318": "127.0.0.1:\(collector.port)", "127.0.0.1:6379": "127.0.0.1:\(redis.port)",
            // A busy machine is no fault.
            "deadline: 20ms": "deadline: 500ms",
        ])
        var replicas: [WeirProcess] = []
        defer { for replica in replicas { replica.stop() } }
        for _ in 0..<2 {
            replicas.append(
                try await WeirProcess.serve(asWritten: configuration, files: ["control.token": Self.secret]))
        }
        let fleet = Fleet(
            documents: services[0], search: services[1], administration: services[2], collector: collector,
            redis: redis, replicas: replicas, configuration: configuration)
        for replica in replicas.indices {
            try await eventually(within: .seconds(20), "Redis decides") {
                try await fleet.control("/metrics", at: replica).body.contains("weir_store_degraded 0")
            }
        }
        try await body(fleet)
        for replica in replicas { replica.stop() }
        for server in services + [keys] { try await server.stop() }
        try await collector.stop()
    }

    @Test func theSampleIsValidAsItStands() throws {
        let run = try validating(
            WrittenConfiguration.sample("many-tenants.yaml"), files: ["control.token": Self.secret])
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("valid: 3 services, 5 routes, 6 limits, 3 plans, counters in redis://"))
    }

    @Test func tenantsGetWhatTheirPlansSayAndTheirUsersWhatTheirTokensSay() async throws {
        try await run { fleet in
            for (tenant, rate, month) in [("acme", 600, 1_000_000), ("globex", 6000, 50_000_000), ("new", 60, 10_000)] {
                let policy = try await fleet.policy(of: tenant)
                #expect(policy.contains("\"requests\";q=\(rate);w=60") && policy.contains("\"monthly\";q=\(month)"))
                #expect(policy.contains(#""users";q=300;w=60"#))
            }
            #expect(fleet.documents.requests.last?.fields.first(name: "X-User-Id") == "ada")
            #expect(try await fleet.ask("/documents/1", .PUT).status == 403)
            #expect(try await fleet.ask("/documents/1", .PUT, claims: #""scope":"documents:write""#).status == 200)
            #expect(try await fleet.ask("/search", claims: #""scope":"documents:read""#).status == 403)
            #expect(try await fleet.ask("/search").body == "search")
            #expect(try await fleet.ask("/admin").status == 403)
            #expect(try await fleet.ask("/admin", claims: #""role":"owner""#).body == "administration")
            #expect(try await fleet.ask("/invoices").status == 404)
            #expect(try await fleet.ask("/documents/1", .PATCH).status == 405)
            #expect(try await HTTP.ask(fleet.replicas[0].gateway, "/documents/1").status == 401)
            let forger = Issuer(name: Self.login.name, audience: Self.login.audience)
            let forged = try forger.bearer(#""org":"acme","sub":"ada","role":"owner""#)
            #expect(try await HTTP.ask(fleet.replicas[0].gateway, "/admin", .GET, forged).status == 401)
            #expect(fleet.administration.requests.count == 1)
        }
    }

    @Test func replicasRefuseTogetherWhatAPlanDoesNotHold() async throws {
        try await run { fleet in
            #expect(try await fleet.ask("/documents/exports", of: "new", at: 0).status == 200)
            #expect(try await fleet.ask("/documents/exports", of: "new", at: 1).status == 200)
            for replica in 0...1 {
                let refusal = try await fleet.ask("/documents/exports", of: "new", at: replica)
                #expect(refusal.status == 429 && refusal.body.contains("exports"))
                #expect(
                    (1...7200).contains(try #require(refusal.fields.first(name: "Retry-After").flatMap { Int($0) })))
            }
            #expect(try await fleet.ask("/documents/exports", of: "acme").status == 200)
            #expect(fleet.documents.requests.count == 3)
        }
    }

    @Test func supportGivesATenantMoreAndThatIsOnRecord() async throws {
        try await run { fleet in
            #expect(try await fleet.policy(of: "acme", at: 1).contains(#""requests";q=600;"#))
            let path = "/v1/tenants/acme/overrides/requests"
            let order = #"{"rate":"1200/minute","reason":"launch"}"#
            #expect(try await HTTP.send(.PUT, fleet.replicas[0].control, path, body: order).status == 401)
            #expect(try await fleet.control(path, .PUT, body: order).status == 200)
            for replica in 0...1 {
                try await eventually("it holds everywhere") {
                    try await fleet.policy(of: "acme", at: replica).contains(#""requests";q=1200;"#)
                }
            }
            let explained = try CommandRun(
                "explain", "--config", fleet.replicas[1].configurationFile.path, "--tenant", "acme", "--path",
                "/documents/1")
            #expect(explained.output.contains("tenant acme, plan pro") && explained.output.contains("1200/minute"))

            #expect(try await fleet.control("\(path)?reason=over", .DELETE, at: 1).status == 200)
            try await eventually("it has ended") {
                try await fleet.policy(of: "acme").contains(#""requests";q=600;"#)
            }
            let audit = try await fleet.control("/v1/audit?tenant=acme", at: 1).body
            #expect(audit.contains(#""kept_in":"redis""#) && audit.contains(#""reason":"launch""#))
            #expect(audit.contains(#""reason":"over""#) && audit.contains("127.0.0.1"))
        }
    }

    @Test func theMonthIsCountedOverReplicasAndKeptWhereRedisForgets() async throws {
        try await run { fleet in
            for number in 0..<6 { #expect(try await fleet.ask("/documents/1", at: number % 2).status == 200) }
            func month(at replica: Int) async throws -> String {
                let csv = try await fleet.control("/v1/tenants/acme/usage?format=csv", at: replica).body
                return csv.split(whereSeparator: \.isNewline).last.map { String($0) } ?? ""
            }
            let before = try await month(at: 1)
            #expect(before.hasPrefix("acme,monthly,,,") && before.hasSuffix(",6,1000000,true"), "\(before)")
            try fleet.redis.cli(["FLUSHALL"])
            try await eventually(within: .seconds(30), "replicas tell Redis what they know") {
                try await month(at: 0) == before
            }
            for replica in fleet.replicas { #expect(replica.terminate() == 0) }
            #expect(fleet.replicas[0].file("usage.log").contains("monthly"))
        }
    }

    @Test func troubleBehindTheGatewayIsNotEveryonesTrouble() async throws {
        try await run { fleet in
            // The same answer is for the same token alone.
            let token = try Self.login.bearer(#""org":"acme","sub":"ada","scope":"documents:read""#)
            func read() async throws -> HTTP.Response {
                try await HTTP.ask(fleet.replicas[0].gateway, "/documents/1", .GET, token)
            }
            #expect(try await read().body == "documents")
            fleet.documents.answer(.internalServerError, "no")
            let stale = try await read()
            #expect(stale.status == 200 && stale.body == "documents" && stale.fields.contains(name: "Age"))
            #expect(try await fleet.ask("/documents/1", of: "globex").status == 500)
            #expect(try await fleet.ask("/search").status == 200)

            // Without Redis everything goes on, with this replica's share.
            fleet.redis.kill()
            for _ in 0..<10 { #expect(try await fleet.ask("/search").status == 200) }
            let budget = try await fleet.control("/v1/tenants/acme/budget").body
            #expect(budget.contains(#""degraded":true"#))
            #expect(
                try await fleet.control("/v1/tenants/acme/overrides/requests", .PUT, body: #"{"rate":"1/s"}"#).status
                    == 503)
        }
    }

    @Test func anotherPlanTakesALineAndNoRestart() async throws {
        try await run { fleet in
            #expect(try await fleet.policy(of: "initech").contains(#""requests";q=60;"#))
            let line = "  - {name: globex, plan: enterprise}\n"
            let configuration = try fleet.configuration.substituting([
                line: line + "  - {name: initech, plan: pro}\n"
            ])
            for replica in fleet.replicas { try replica.reconfigure(configuration) }
            for replica in 0...1 {
                try await eventually(within: .seconds(20), "the plan holds") {
                    try await fleet.policy(of: "initech", at: replica).contains(#""requests";q=600;"#)
                }
            }
        }
    }

    @Test func requestsAreLoggedWithoutSecretsAndTraced() async throws {
        try await run { fleet in
            let trace = "0af7651916cd43dd8448eb211c80319c"
            let parent: HTTPHeaders = ["traceparent": "00-\(trace)-b7ad6b7169203331-01"]
            #expect(try await fleet.ask("/search?q=salaries", with: parent).status == 200)
            try await eventually("the request is logged") { fleet.replicas[0].file("access.log").contains(trace) }
            let log = fleet.replicas[0].file("access.log")
            let line = try #require(log.split(separator: "\n").first { $0.contains(trace) })
            #expect(line.contains(#""tenant":"acme""#) && line.contains("127.0.0.0") && !line.contains("salaries"))
            try await eventually(within: .seconds(20), "the spans arrive") {
                try fleet.collector.spans().count { $0["traceId"] as? String == trace } == 2
            }
        }
    }
}
