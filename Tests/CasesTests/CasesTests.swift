import Cases
import Testing

/// That each case does what its name says, so that what is counted is what is meant.
@Suite struct CasesTests {
    private func outcome(_ name: String, calls: Int = 3) throws -> String {
        let item = try #require(Case.all.first { $0.name == name })
        let exercise = try item.begin()
        exercise.run(calls: calls)
        return exercise.outcome
    }

    @Test func everyCaseHasANameOfItsOwnAndIsTested() {
        let names = Case.all.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(Set(names) == Set(Self.outcomes.map(\.name)))
        #expect(names.allSatisfy { name in name.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" } })
    }

    private static let outcomes: [(name: String, outcome: String)] = [
        ("decision-1-limit", "allowed by 1; 1003 answers; 1000 counters"),
        ("decision-5-of-10-limits", "allowed by 5; 1003 answers; 5000 counters"),
        ("decision-5-of-10000-limits", "allowed by 5; 1003 answers; 5000 counters"),
        ("decision-tenant-and-everyone", "allowed by 2; 1003 answers; 1001 counters"),
        ("decision-refused", "denied by 1; 1003 answers; 1000 counters"),
        ("decision-leased", "allowed by 1; 1003 answers; 1000 leases"),
        ("decision-local", "allowed by 1; 1003 answers; 0 leases"),
        ("request-parse", "GET of 509 bytes, 10 fields"),
        ("response-parse", "200, 8 fields, 100 bytes of body"),
        (
            "request-write",
            """
            GET /api/v1/orders/81734?expand=items,customer&page=2 HTTP/1.1\r
            Host: api.example.com\r
            User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r
            Accept: application/json\r
            Accept-Encoding: gzip, deflate, br, zstd\r
            Accept-Language: en-GB,en;q=0.7,de;q=0.3\r
            Cache-Control: no-cache\r
            Cookie: session=5f2c1b9e7d3a4c68b0e1f2a3d4c5b6a7; theme=dark\r
            X-API-Key: 7b1f0c9a2d4e4b6f8a3c5d7e9f1b2c3d\r
            traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r
            \r

            """
        ),
        (
            "response-write",
            """
            HTTP/1.1 200 OK\r
            Server: nginx/1.28.0\r
            Date: Thu, 01 Jan 2026 00:02:03 GMT\r
            Content-Type: application/json; charset=utf-8\r
            Content-Length: 100\r
            Cache-Control: private, max-age=0\r
            ETag: W/"64-jH3rN8fPq0V5m2yZ"\r
            Vary: Accept-Encoding\r
            \r

            """
        ),
        (
            "limit-fields-write",
            """
            RateLimit-Policy: "limit-0";q=100;w=60, "limit-1";q=100;w=60\r
            RateLimit: "limit-0";r=99;t=117, "limit-1";r=99;t=1\r

            """
        ),
        ("route-of-10", "service 5, route 0"),
        ("route-of-10000", "service 5000, route 0"),
        ("route-pattern-of-10", "service 5, route 0"),
        ("route-pattern-of-10000", "service 5000, route 0"),
        ("token-cached", "acme"),
        ("token-verify-es256", "acme, 2 scopes"),
        ("token-verify-rs256", "acme, 2 scopes"),
        (
            "script-encode-1-limit",
            "EVALSHA \(String(repeating: "a", count: 40)) 1 weir:{acme}:limit-0@service-0::w60"
        ),
        (
            "script-encode-5-limits",
            "EVALSHA \(String(repeating: "a", count: 40)) 5 weir:{acme}:limit-0@service-0::w60 weir:{acme}:limit-1@service-0::b weir:{acme}:limit-2@service-0::w60 weir:{acme}:limit-3@service-0::b weir:{acme}:limit-4@service-0::w60"
        ),
        ("reply-decode-1-limit", "passes, available [1000000000]"),
        (
            "reply-decode-5-limits",
            "passes, available [1000000000, 1000000000, 1000000000, 1000000000, 1000000000]"
        ),
    ]

    @Test(arguments: outcomes)
    func aCaseDoesWhatItsNameSays(name: String, expected: String) throws {
        #expect(try outcome(name) == expected)
    }
}
