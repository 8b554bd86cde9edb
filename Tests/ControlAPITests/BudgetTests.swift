import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Synchronization
import Testing

@testable import ControlAPI

@Suite struct BudgetTests {
    @Test func listsEveryCounterThatTenantAndConfigurationFix() async throws {
        let fixture = try ControlFixture()
        try await fixture.run { client in
            let answer = try await client.budget("acme")
            #expect(answer.status == 200)
            #expect(answer["tenant"] == "acme" && answer["degraded"] == false)
            #expect(answer.rowNames == ["global", "global", "payment", "refunds", "watched", "everyone", "address"])
            #expect(
                answer.text.contains(
                    #"{"name":"global","service":null,"algorithm":"sliding_window","limit":100,"window_seconds":60,"used":0,"remaining":100,"reset_after_seconds":0}"#
                ))
            let row = try #require(answer.row("payment", service: "payment"))
            #expect(row["algorithm"] == "token_bucket" && row["limit"] == 10 && row["window_seconds"] == 60)
            #expect(row["used"] == 0 && row["remaining"] == 10 && row["reset_after_seconds"] == 0)
            #expect(answer.row("refunds", service: "payment")?["route"] == "refunds")
            #expect(answer.row("watched", service: "catalog")?["shadow"] == true)
        }
    }

    @Test func showsWhatWasUsedAndConsumesNothing() async throws {
        let fixture = try ControlFixture()
        try await fixture.run { client in
            for _ in 0..<3 { _ = try await client.check(#"{"tenant":"acme","service":"payment"}"#) }
            for _ in 0..<5 { _ = try await client.budget("acme") }
            let answer = try await client.budget("acme")
            let payment = try #require(answer.row("payment", service: "payment"))
            #expect(payment["used"] == 3 && payment["remaining"] == 7 && payment["reset_after_seconds"] == 18)
            #expect(answer.row("global")?["used"] == 3)
            #expect(answer.row("global", service: "product")?["used"] == 0)
            #expect(answer.row("everyone")?["used"] == 3)
            #expect(try await client.budget("globex").row("global")?["used"] == 0)
        }
    }

    @Test func secondsAreRoundedUpToTheMillisecond() {
        #expect(JSON.seconds(fromMicroseconds: 1_000_001).text == "1.001")
        #expect(JSON.seconds(fromMicroseconds: 1).text == "0.001")
        #expect(JSON.seconds(fromMicroseconds: 5_000_000).text == "5")
        #expect(JSON.seconds(fromMicroseconds: 32_054_399_999_500).text == "32054400")
    }

    @Test func aLimitWhoseKeyDependsOnTheRequestNeedsTheQuery() async throws {
        let fixture = try ControlFixture()
        try await fixture.run { client in
            _ = try await client.check(
                #"{"tenant":"acme","service":"catalog","client_ip":"10.0.0.1","headers":{"X-Team":"red"}}"#)
            let without = try await client.budget("acme")
            #expect(without.row("watched", service: "catalog")?["used"] == .null)
            #expect(without.row("watched", service: "catalog")?["limit"] == 2)
            #expect(without.row("address", service: "catalog")?["reset_after_seconds"] == .null)
            let with = try await client.budget("acme", "?client_ip=10.0.0.1&header:x-team=red")
            #expect(with.row("watched", service: "catalog")?["used"] == 1)
            #expect(with.row("address", service: "catalog")?["used"] == 1)
            let other = try await client.budget("acme", "?client_ip=10.0.0.2&header%3AX-Team=bl%75e")
            #expect(other.row("watched", service: "catalog")?["used"] == 0)
            #expect(other.row("address", service: "catalog")?["used"] == 0)
        }
    }

    @Test func aTenantInThePathIsPercentDecoded() async throws {
        let fixture = try ControlFixture()
        try await fixture.run { client in
            _ = try await client.check(#"{"tenant":"a/b c%","service":"product"}"#)
            let answer = try await client.budget("a%2Fb%20c%25")
            #expect(answer["tenant"] == "a/b c%")
            #expect(answer.row("global", service: "product")?["used"] == 1)
        }
    }

    @Test(arguments: [
        ("%ff", ""), ("%zz", ""), (String(repeating: "x", count: 257), ""), ("acme", "?client_ip=nowhere"),
        ("acme", "?user=7"), ("acme", "?header:=x"), ("acme", "?client_ip=%ff"),
    ])
    func whatCannotBeReadIsRefused(tenant: String, query: String) async throws {
        try await ControlFixture().run { client in
            let answer = try await client.budget(tenant, query)
            #expect(answer.status == 400)
            #expect(answer.headers[.contentType] == "application/problem+json")
            #expect(answer["code"] == "invalid_request" && !answer.detail.isEmpty)
        }
    }

    @Test func anOutageShowsInTheBudget() async throws {
        let fixture = try ControlFixture()
        fixture.store.mode.withLock { $0 = .degraded }
        try await fixture.run { client in
            let answer = try await client.budget("acme")
            #expect(answer["degraded"] == true && answer.row("global")?["remaining"] == 100)
        }
        fixture.store.mode.withLock { $0 = .unavailable }
        try await fixture.run { client in
            let answer = try await client.budget("acme")
            #expect(answer.status == 200 && answer["degraded"] == true)
            #expect(answer.row("global")?["remaining"] == .null && answer.row("global")?["limit"] == 100)
        }
    }
}
