import Hummingbird
import HummingbirdTesting
import LimiterCore
import Synchronization
import Testing

@testable import ControlAPI

@Suite struct ResetTests {
    private static let spend = #"{"tenant":"acme","service":"payment","route":"refunds"}"#

    @Test func givesBackTheTenantsOwnCountersAndLeavesTheSharedOnes() async throws {
        try await ControlFixture().run { client in
            _ = try await client.check(Self.spend)
            _ = try await client.check(#"{"tenant":"globex","service":"payment"}"#)
            let answer = try await client.ask(.post, "/v1/tenants/acme/reset")
            #expect(answer.status == 200 && answer["tenant"] == "acme")
            #expect(answer.rowNames == ["global", "global", "payment", "refunds"])
            #expect(answer.row("payment", service: "payment")?["remaining"] == 10)
            let budget = try await client.budget("acme")
            #expect(budget.row("payment", service: "payment")?["used"] == 0)
            #expect(budget.row("refunds", service: "payment")?["used"] == 0)
            #expect(budget.row("everyone")?["used"] == 2)
            #expect(try await client.budget("globex").row("payment", service: "payment")?["used"] == 1)
        }
    }

    @Test func oneLimitAlone() async throws {
        try await ControlFixture().run { client in
            _ = try await client.check(Self.spend)
            _ = try await client.check(#"{"tenant":"acme","service":"product"}"#)
            let answer = try await client.ask(.post, "/v1/tenants/acme/reset", #"{"limit":"payment"}"#)
            #expect(answer.rowNames == ["payment"])
            var budget = try await client.budget("acme")
            #expect(budget.row("payment", service: "payment")?["used"] == 0)
            #expect(budget.row("global")?["used"] == 1)
            _ = try await client.ask(.post, "/v1/tenants/acme/reset", #"{"limit":"global","service":"product"}"#)
            budget = try await client.budget("acme")
            #expect(budget.row("global")?["used"] == 1)
            #expect(budget.row("global", service: "product")?["used"] == 0)
        }
    }

    @Test func aCounterThatDependsOnTheRequestNeedsTheQuery() async throws {
        try await ControlFixture().run { client in
            let body = #"{"tenant":"acme","service":"catalog","client_ip":"10.0.0.1","headers":{"x-team":"red"}}"#
            _ = try await client.check(body)
            let without = try await client.ask(.post, "/v1/tenants/acme/reset", #"{"limit":"watched"}"#)
            #expect(without.status == 422 && without.detail.contains("header:x-team"))
            let uri = "/v1/tenants/acme/reset?header:x-team=red"
            #expect(try await client.ask(.post, uri, #"{"limit":"watched"}"#).rowNames == ["watched"])
            let budget = try await client.budget("acme", "?header:x-team=red")
            #expect(budget.row("watched", service: "catalog")?["used"] == 0)
        }
    }

    @Test(arguments: [
        (
            404, #"{"limit":"nope"}"#,
            "there is no limit `nope`; a tenant's limits are global, payment, refunds, watched"
        ),
        (404, #"{"limit":"payment","service":"product"}"#, "limit of the service `product`"),
        (422, #"{"limit":"everyone"}"#, "not kept per tenant"),
        (400, #"{"limits":["payment"]}"#, "`limits` is not known here; known are limit, service"),
        (400, #"{"limit":1}"#, "must be a string"),
    ])
    func wrongInputIsRefused(status: Int, body: String, says: String) async throws {
        try await ControlFixture().run { client in
            let answer = try await client.ask(.post, "/v1/tenants/acme/reset", body)
            #expect(answer.status == status)
            #expect(answer.detail.contains(says), "\(answer.detail)")
        }
    }

    @Test func isRefusedWhileDegraded() async throws {
        let fixture = try ControlFixture()
        try await fixture.run { client in
            _ = try await client.check(Self.spend)
            for mode in [ControlFixture.Switch.Mode.degraded, .unavailable] {
                fixture.store.mode.withLock { $0 = mode }
                let answer = try await client.ask(.post, "/v1/tenants/acme/reset")
                #expect(answer.status == 503 && answer["code"] == "unavailable")
            }
        }
        fixture.store.mode.withLock { $0 = .local }
        fixture.status.value.withLock { $0.phase = .fallback }
        try await fixture.run { client in
            _ = try await client.check(Self.spend)
            #expect(try await client.ask(.post, "/v1/tenants/acme/reset").status == 503)
            #expect(try await client.budget("acme").row("refunds", service: "payment")?["used"] == 1)
        }
    }
}
