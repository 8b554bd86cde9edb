import Hummingbird
import HummingbirdTesting
import LimiterCore
import Testing

@testable import ControlAPI

extension TestClientProtocol {
    func put(_ limit: String, of tenant: String = "acme", _ body: String) async throws -> Answer {
        try await ask(.put, "/v1/tenants/\(tenant)/overrides/\(limit)", body)
    }
}

extension Answer {
    fileprivate func list(_ name: String) -> [JSON] { if case .array(let list)? = json[name] { list } else { [] } }
}

@Suite struct OverrideTests {
    @Test func anOverrideChangesChecksBudgetsAndFieldsOfItsTenantAtOnce() async throws {
        try await ControlFixture().run { client in
            for _ in 0..<3 { _ = try await client.check(#"{"tenant":"acme","service":"payment"}"#) }
            let answer = try await client.put("global", #"{"rate":"4/minute","reason":"they pay late"}"#)
            #expect(answer.status == 200)
            #expect(
                answer.text.hasPrefix(
                    #"{"tenant":"acme","kept_in":"memory","override":{"limit":"global","service":null,"rate":"4/minute","burst":null,"expires_at":null,"set_at":"2023-11-14T22:14:00Z","reason":"they pay late","client":null},"replaces":null}"#
                ), "\(answer.text)")
            let fourth = try await client.check(#"{"tenant":"acme","service":"payment"}"#)
            #expect(fourth.status == 200 && fourth.row("global")?["limit"] == 4, "the count stays")
            let fifth = try await client.check(#"{"tenant":"acme","service":"payment"}"#)
            #expect(fifth.status == 429 && fifth["violated"] == ["global"])
            #expect(fifth.headers[.init("RateLimit-Policy")!]?.contains("\"global\";q=4;w=60") == true)
            #expect(try await client.check(#"{"tenant":"globex","service":"payment"}"#).row("global")?["limit"] == 100)
            let budget = try await client.budget("acme")
            #expect(budget.row("global")?["limit"] == 4 && budget.row("global")?["remaining"] == 0)
            #expect(budget.row("global", service: "product")?["limit"] == 4, "wherever a limit of that name applies")

            let removed = try await client.ask(.delete, "/v1/tenants/acme/overrides/global?reason=paid")
            #expect(removed.status == 200 && removed["removed"]?["rate"] == "4/minute")
            #expect(try await client.check(#"{"tenant":"acme","service":"payment"}"#).row("global")?["limit"] == 100)
        }
    }

    private struct FailingStore: OverrideStore {
        let error: OverrideError
        var isShared: Bool { true }

        func set(_ override: LimitOverride) async throws(OverrideError) -> LimitOverride? { throw error }

        func remove(
            _ subject: LimitOverride.Subject, by author: LimitOverride.Author
        ) async throws(OverrideError) -> LimitOverride? { throw error }

        func records(of tenant: String?, most: Int) async throws(OverrideError) -> [OverrideRecord] { throw error }
    }

    @Test func whatRedisSaysAgainstItIsRepeated() async throws {
        let refused = FailingStore(error: OverrideError(.refused, "OOM command not allowed"))
        try await ControlFixture(overrideStore: refused).run { client in
            let answer = try await client.put("global", #"{"rate":"4/minute"}"#)
            #expect(answer.status == 503)
            #expect(answer.detail.contains("refused: OOM command not allowed; nothing was changed"))
        }
        let silent = FailingStore(error: OverrideError(.unavailable, "timeout: no answer"))
        try await ControlFixture(overrideStore: silent).run { client in
            let answer = try await client.ask(.delete, "/v1/tenants/acme/overrides/global")
            #expect(answer.status == 503 && answer.detail.hasPrefix("Redis does not answer just now"))
        }
    }

    @Test func aServiceMayBeNamed() async throws {
        try await ControlFixture().run { client in
            #expect(try await client.put("global", #"{"rate":"7/minute","service":"product"}"#).status == 200)
            #expect(try await client.put("global", #"{"rate":"8/minute","service":"catalog"}"#).status == 200)
            let budget = try await client.budget("acme")
            #expect(budget.row("global")?["limit"] == 100)
            #expect(budget.row("global", service: "product")?["limit"] == 7)
            #expect(budget.row("global", service: "catalog")?["limit"] == 8, "its counter is the one of all services")
            let list = try await client.ask(.get, "/v1/tenants/acme/overrides").list("overrides")
            #expect(list.map { $0["service"] } == ["catalog", "product"])
            let wide = try await client.ask(.delete, "/v1/tenants/acme/overrides/global")
            #expect(wide.status == 404 && wide.detail.contains("but one for the service `catalog`; name that"))
            #expect(try await client.ask(.delete, "/v1/tenants/acme/overrides/global?service=catalog").status == 200)
            let again = try await client.ask(.delete, "/v1/tenants/acme/overrides/global?service=catalog")
            #expect(again.status == 404 && again.detail.contains("but one for the service `product`; name that"))
        }
    }

    @Test(arguments: ["\"2023-11-14T22:14:30Z\"", "\"2023-11-15T00:14:30+02:00\"", "1700000070", "\"1700000070\""])
    func anOverrideEndsWhenItSays(moment: String) async throws {
        let fixture = try ControlFixture()
        try await fixture.run { client in
            let answer = try await client.put("payment", #"{"rate":"1/minute","burst":2,"expires_at":\#(moment)}"#)
            #expect(answer["override"]?["expires_at"] == "2023-11-14T22:14:30Z", "\(answer.text)")
            fixture.clock.advance(bySeconds: 29)
            fixture.overrides.tick()
            #expect(try await client.budget("acme").row("payment", service: "payment")?["limit"] == 2)
            fixture.clock.advance(bySeconds: 1)
            fixture.overrides.tick()
            #expect(try await client.budget("acme").row("payment", service: "payment")?["limit"] == 10)
            #expect(try await client.ask(.get, "/v1/tenants/acme/overrides").list("overrides").isEmpty)
            let record = try #require(try await client.ask(.get, "/v1/audit").list("records").first)
            #expect(record["action"] == "expired" && record["before"]?["burst"] == 2 && record["after"] == .null)
        }
    }

    @Test func theAuditSaysWhoChangedWhat() async throws {
        try await ControlFixture().run { client in
            _ = try await client.put("global", #"{"rate":"4/minute","reason":"first"}"#)
            _ = try await client.put("global", #"{"rate":"5/minute"}"#)
            _ = try await client.put("global", of: "globex", #"{"rate":"6/minute"}"#)
            _ = try await client.ask(.delete, "/v1/tenants/acme/overrides/global?reason=last")
            let all = try await client.ask(.get, "/v1/audit")
            #expect(all["kept_in"] == "memory")
            #expect(all.list("records").map { $0["action"] } == ["removed", "set", "set", "set"])
            let own = try await client.ask(.get, "/v1/audit?tenant=acme&most=2").text
            #expect(
                own
                    == #"{"kept_in":"memory","records":[{"at":"2023-11-14T22:14:00Z","action":"removed","tenant":"acme","limit":"global","service":null,"before":{"rate":"5/minute","burst":null,"expires_at":null},"after":null,"reason":"last","client":null},"#
                    + #"{"at":"2023-11-14T22:14:00Z","action":"set","tenant":"acme","limit":"global","service":null,"before":{"rate":"4/minute","burst":null,"expires_at":null},"after":{"rate":"5/minute","burst":null,"expires_at":null},"reason":null,"client":null}]}"#
                    + "\n")
        }
    }

    @Test(arguments: [
        (404, "nope", #"{"rate":"1/s"}"#, "there is no limit `nope`; those that are per tenant are global, payment"),
        (404, "global", #"{"rate":"1/s","service":"shop"}"#, "there is no service `shop`; the services are product"),
        (404, "payment", #"{"rate":"1/s","service":"product"}"#, "those that do are global"),
        (422, "everyone", #"{"rate":"1/s"}"#, "`everyone` is not kept per tenant, so it has one value for all"),
        (422, "flood", #"{"rate":"1/s"}"#, "`flood` is decided before anybody knows whose a request is"),
        (422, "global", #"{"rate":"1/hour","service":"catalog"}"#, "is counted over all services"),
        (400, "global", #"{}"#, "`rate` is missing"),
        (400, "global", #"{"rate":"fast"}"#, "`fast` is not a rate"),
        (400, "global", #"{"rate":"0/s"}"#, "a rate's count must be at least 1"),
        (400, "global", #"{"rate":5}"#, "`rate` must be a string, not a number"),
        (400, "global", #"{"rate":"9000000000000/53weeks"}"#, "cannot be counted exactly"),
        (400, "global", #"{"rate":"1/s","burst":3}"#, "the limit `global` is a sliding window"),
        (400, "payment", #"{"rate":"1/s","burst":0}"#, "`burst` must be a whole number from 1"),
        (400, "payment", #"{"rate":"1/s","algorithm":"sliding_window"}"#, "an override cannot change `algorithm`"),
        (400, "payment", #"{"rate":"1/s","route":"refunds"}"#, "not for a route; leave `route` out"),
        (400, "payment", #"{"rate":"1/s","brst":1}"#, "`brst` is not known here; known are rate, burst, service"),
        (400, "payment", #"{"rate":"1/s","expires_at":"2023-11-14T22:14:00Z"}"#, "must lie in the future"),
        (400, "payment", #"{"rate":"1/s","expires_at":"tomorrow"}"#, "must be a time like"),
        (400, "payment", #"{"rate":"1/s","expires_at":true}"#, "not a boolean"),
        (400, "payment", #"[1]"#, "must be a JSON object"),
        (400, "payment", "rate=1", "the body is not JSON"),
    ])
    func whatCannotBeIsRefusedAndChangesNothing(status: Int, limit: String, body: String, says: String) async throws {
        let fixture = try ControlFixture()
        try await fixture.run { client in
            let answer = try await client.put(limit, body)
            #expect(answer.status == status && answer.headers[.contentType] == "application/problem+json")
            #expect(answer.detail.contains(says), "\(answer.detail)")
            #expect(try await client.ask(.get, "/v1/audit").list("records").isEmpty)
            #expect(fixture.board.overrides.isEmpty)
        }
    }

    @Test func anOverrideThatAnotherOneRestsOnIsNotChangedUnderIt() async throws {
        try await ControlFixture().run { client in
            #expect(try await client.put("global", #"{"rate":"9/minute","service":"catalog"}"#).status == 200)
            let answer = try await client.put("global", #"{"rate":"9/hour"}"#)
            #expect(answer.status == 422)
            #expect(
                answer.detail.contains("the override of `global` for `catalog` could not stay beside it"),
                "\(answer.detail)")
        }
    }

    @Test func aRouteThatTakesOtherMethodsSaysWhich() async throws {
        try await ControlFixture().run { client in
            let answer = try await client.ask(.post, "/v1/tenants/acme/overrides/global", "{}")
            #expect(answer.status == 405 && answer.headers[.allow] == "PUT, DELETE")
            #expect(try await client.ask(.get, "/v1/audit?who=me").status == 400)
            #expect(try await client.ask(.get, "/v1/audit?most=0").status == 400)
        }
    }
}

@Suite struct LimitReportTests {
    @Test func saysWhichValueIsInForceAndWhatItComesBefore() async throws {
        try await ControlFixture().run { client in
            _ = try await client.put("payment", of: "initech", #"{"rate":"99/minute","expires_at":1800000000}"#)
            let answer = try await client.ask(.get, "/v1/tenants/initech/limits?service=payment&route=refunds")
            #expect(answer["tenant"] == "initech" && answer["plan"] == "pro")
            #expect(answer.rowNames == ["flood", "global", "everyone", "payment", "refunds"])
            #expect(
                answer.text.contains(
                    #"{"name":"payment","service":"payment","route":"refunds","per":["tenant"],"algorithm":"token_bucket","mode":"automatic","cost":1,"rate":"99/minute","burst":99,"source":"override","expires_at":"2027-01-15T08:00:00Z","replaces":[{"rate":"10/minute","burst":30,"source":"plan","plan":"pro"},{"rate":"10/minute","burst":10,"source":"service"}]}"#
                ))
            #expect(answer.row("global", service: "payment")?["source"] == "plan")
            #expect(
                answer.row("global", service: "payment")?["replaces"]?.text.contains("100/minute") == true)
            #expect(answer.row("everyone", service: "payment")?["per"] == "everyone")
            #expect(answer.row("flood")?["guard"] == true && answer.row("flood")?["mode"] == "local")
        }
    }

    @Test func withoutAPlaceItListsEveryRoute() async throws {
        try await ControlFixture().run { client in
            let answer = try await client.ask(.get, "/v1/tenants/acme/limits")
            #expect(answer["plan"] == .null)
            #expect(answer.rowNames.count { $0 == "global" } == 2, "payment has two routes; the others have none")
        }
    }

    @Test(arguments: [
        ("?service=shop", "there is no service `shop`; the services are product, payment, catalog"),
        ("?service=payment&route=pay", "there is no route `pay` here; the routes are /payment, refunds"),
    ])
    func aPlaceThatIsNotThereIsRefused(query: String, says: String) async throws {
        try await ControlFixture().run { client in
            let answer = try await client.ask(.get, "/v1/tenants/acme/limits\(query)")
            #expect(answer.status == 404 && answer.detail == says)
        }
    }

    /// Stored overrides outlive configurations.
    @Test func anOverrideThatIsNotPossibleAnyMoreSaysSo() async throws {
        let fixture = try ControlFixture()
        let subject = LimitOverride.Subject(tenant: "acme", limit: "gone", service: nil)
        _ = try await fixture.overrides.set(LimitOverride(subject, rate: try Rate(parsing: "1/s")))
        try await fixture.run { client in
            let answer = try await client.ask(.get, "/v1/tenants/acme/overrides")
            #expect(answer.text.contains("there is no limit `gone`"))
            #expect(try await client.check(#"{"tenant":"acme","service":"payment"}"#).status == 200)
            #expect(try await client.ask(.delete, "/v1/tenants/acme/overrides/gone").status == 200)
        }
    }
}
