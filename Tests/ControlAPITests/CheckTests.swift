import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Synchronization
import Testing

@testable import ControlAPI

@Suite struct CheckTests {
    @Test func theEleventhOfElevenPaymentsIsRefused() async throws {
        let fixture = try ControlFixture()
        try await fixture.run { client in
            for left in (0..<10).reversed() {
                let answer = try await client.check(#"{"tenant":"acme","service":"payment"}"#)
                #expect(answer.status == 200 && answer["allowed"] == true && answer["violated"] == [])
                #expect(answer["retry_after_seconds"] == .null)
                #expect(answer.row("payment", service: "payment")?["remaining"] == .integer(Int64(left)))
            }
            let refused = try await client.check(#"{"tenant":"acme","service":"payment"}"#)
            #expect(refused.status == 429 && refused["allowed"] == false && refused["degraded"] == false)
            #expect(refused["violated"] == ["payment"] && refused["retry_after_seconds"] == 6)
            #expect(refused.row("payment", service: "payment")?["allowed"] == false)
            #expect(refused.row("global")?["allowed"] == true)
            #expect(refused.headers[.retryAfter] == "6")
            #expect(
                refused.headers[HTTPField.Name("RateLimit-Policy")!]
                    == "\"payment\";q=10;w=60, \"global\";q=100;w=60, \"everyone\";q=1000;w=3600")
            #expect(refused.headers[HTTPField.Name("RateLimit")!]?.hasPrefix("\"payment\";r=0;t=6, ") == true)
            // What is refused consumes nothing, of any limit.
            #expect(try await client.budget("acme").row("global")?["used"] == 10)
            fixture.clock.advance(bySeconds: 6)
            #expect(try await client.check(#"{"tenant":"acme","service":"payment"}"#).status == 200)
            #expect(try await client.check(#"{"tenant":"acme","service":"payment"}"#).status == 429)
        }
    }

    @Test func aFullLimitHasNoTimeInItsField() async throws {
        try await ControlFixture().run { client in
            let answer = try await client.check(#"{"tenant":"acme","service":"payment","cost":0}"#)
            #expect(
                answer.headers[HTTPField.Name("RateLimit")!]
                    == "\"payment\";r=10, \"global\";r=100, \"everyone\";r=1000")
        }
    }

    @Test func aDryRunAnswersAlikeAndConsumesNothing() async throws {
        let fixture = try ControlFixture()
        try await fixture.run { client in
            for _ in 0..<20 {
                let answer = try await client.check(#"{"tenant":"acme","service":"payment","dry_run":true}"#)
                #expect(answer.status == 200)
            }
            _ = try await client.check(#"{"tenant":"acme","service":"payment","cost":10}"#)
            let refused = try await client.check(#"{"tenant":"acme","service":"payment","dry_run":true}"#)
            #expect(refused.status == 429 && refused["violated"] == ["payment"])
            #expect(try await client.check(#"{"tenant":"acme","service":"payment","cost":0}"#).status == 200)
            let metrics = try await client.ask(.get, "/metrics").text
            #expect(
                metrics.contains(
                    #"weir_decisions_total{limit="payment",service="payment",outcome="allowed",degraded="false"} 2"#))
        }
    }

    @Test func aCostOverTheLimitNeverPassesAndSaysNoTime() async throws {
        try await ControlFixture().run { client in
            let answer = try await client.check(#"{"tenant":"acme","service":"payment","cost":11}"#)
            #expect(answer.status == 429 && answer["retry_after_seconds"] == .null)
            #expect(answer["violated"] == ["payment"] && answer.headers[.retryAfter] == nil)
        }
    }

    @Test func aRouteAddsItsOwnLimits() async throws {
        try await ControlFixture().run { client in
            let body = #"{"tenant":"acme","service":"payment","route":"refunds"}"#
            let first = try await client.check(body)
            #expect(first.status == 200 && first.rowNames == ["global", "everyone", "payment", "refunds"])
            #expect(try await client.check(body)["violated"] == ["refunds"])
            #expect(try await client.check(#"{"tenant":"acme","service":"payment","route":"/payment"}"#).status == 200)
        }
    }

    @Test func aShadowLimitRefusesNobody() async throws {
        try await ControlFixture().run { client in
            let body = #"{"tenant":"acme","service":"catalog","client_ip":"2001:db8::1","headers":{"x-team":"red"}}"#
            for _ in 0..<3 { #expect(try await client.check(body).status == 200) }
            let refused = try await client.check(body)
            #expect(refused.status == 429 && refused["violated"] == ["address"])
            #expect(refused.row("watched", service: "catalog")?["allowed"] == false)
            #expect(refused.headers[HTTPField.Name("RateLimit")!]?.contains("watched") == false)
        }
    }

    @Test func anUnavailableStoreIsSaidSo() async throws {
        let fixture = try ControlFixture()
        fixture.store.mode.withLock { $0 = .unavailable }
        try await fixture.run { client in
            let answer = try await client.check(#"{"tenant":"acme","service":"payment"}"#)
            #expect(answer.status == 503 && answer["code"] == "unavailable")
        }
        fixture.store.mode.withLock { $0 = .degraded }
        try await fixture.run { client in
            let answer = try await client.check(#"{"tenant":"acme","service":"payment"}"#)
            #expect(answer.status == 200 && answer["degraded"] == true)
        }
    }

    @Test(arguments: [
        (400, "", "`service` is missing"),
        (400, "[]", "a JSON object, not an array"),
        (400, "{", "not JSON"),
        (400, #"{"tenant":7,"service":"payment"}"#, "`tenant` must be a string, not a number"),
        (400, #"{"tenant":"","service":"payment"}"#, "`tenant` must have 1 to 256 bytes"),
        (400, #"{"service":"payment"}"#, "give `tenant`"),
        (400, #"{"tenant":"a"}"#, "`service` is missing"),
        (400, #"{"tenant":"a","service":"payment","cost":-1}"#, "whole number from 0 to 2147483648, not -1"),
        (400, #"{"tenant":"a","service":"payment","cost":2147483649}"#, "not 2147483649"),
        (400, #"{"tenant":"a","service":"payment","cost":1.5}"#, "`cost` must be a whole number"),
        (400, #"{"tenant":"a","service":"payment","cost":"1"}"#, "not a string"),
        (400, #"{"tenant":"a","service":"payment","dry_run":1}"#, "`dry_run` must be true or false"),
        (400, #"{"tenant":"a","service":"payment","client_ip":"x"}"#, "`client_ip` must be an IPv4 or IPv6 address"),
        (400, #"{"tenant":"a","service":"payment","headers":[1]}"#, "`headers` must be an object"),
        (400, #"{"tenant":"a","service":"payment","headers":{"a":1}}"#, "`a` in `headers` must be a string"),
        (400, #"{"tenant":"a","service":"payment","claims":"x"}"#, "`claims` must be an object of names and values"),
        (400, #"{"tenant":"a","service":"payment","claims":{"a":[1]}}"#, "`a` in `claims` must be a string, a whole"),
        (400, #"{"tenant":"a","service":"payment","tenants":"b"}"#, "`tenants` is not known here; known are tenant"),
        (400, #"{"tenant":"a","service":"catalog"}"#, "give `client_ip`"),
        (404, #"{"tenant":"a","service":"nowhere"}"#, "the services are product, payment, catalog"),
        (404, #"{"tenant":"a","service":"payment","route":"x"}"#, "its routes are /payment, refunds"),
    ])
    func wrongInputIsRefusedInOneSentence(status: Int, body: String, says: String) async throws {
        let fixture = try ControlFixture()
        try await fixture.run { client in
            let answer = try await client.check(body)
            #expect(answer.status == status)
            #expect(answer.headers[.contentType] == "application/problem+json")
            #expect(answer.detail.contains(says), "\(answer.detail)")
            #expect(try await client.budget("a").row("everyone")?["used"] == 0)
        }
    }

    @Test func aBodyOver64KiBIsRefused() async throws {
        try await ControlFixture().run { client in
            let answer = try await client.check(#"{"tenant":"\#(String(repeating: "x", count: 70_000))"}"#)
            #expect(answer.status == 413 && answer["code"] == "too_large")
        }
    }
}
