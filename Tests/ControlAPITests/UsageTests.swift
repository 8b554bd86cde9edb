import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import LimiterCore
import Testing

@testable import ControlAPI

@Suite struct UsageTests {
    /// The fixture's clock stands in November 2023.
    private static func fixture() throws -> ControlFixture {
        var monthly = ControlFixture.limit("monthly", per: [.tenant], "1000/month")
        monthly.algorithm = .calendar
        monthly.timeZone = TimeZoneOffsets(name: "Europe/Berlin", first: 3600, changes: [])
        var daily = ControlFixture.limit("daily", per: [.tenant], "50/day")
        daily.algorithm = .calendar
        var global = LimitScope()
        try global.declare(monthly)
        try global.declare(ControlFixture.limit("global", per: [.tenant], "100/minute"))
        var api = global.service("api")
        try api.declare(daily)
        return try ControlFixture(
            limits: LimitTable(global: global, services: [.init(name: "api", scope: api, routes: [])]))
    }

    private static func use(_ cost: Int, _ client: any TestClientProtocol) async throws {
        let answer = try await client.check(#"{"tenant":"acme","service":"api","cost":\#(cost)}"#)
        #expect(answer.status == 200)
    }

    @Test func listsEachCalendarQuotaPeriodByPeriod() async throws {
        let fixture = try Self.fixture()
        try await fixture.run { client in
            try await Self.use(30, client)
            _ = try await client.ask(.get, "/v1/tenants/acme/usage")
            fixture.clock.advance(bySeconds: 31 * 86_400)
            try await Self.use(7, client)
            let answer = try await client.ask(.get, "/v1/tenants/acme/usage?limit=monthly")
            #expect(answer.status == 200 && answer["tenant"] == "acme" && answer["degraded"] == false)
            #expect(
                answer.text.contains(
                    #"{"name":"monthly","service":null,"limit":1000,"per":"month","time_zone":"Europe/Berlin","periods":[{"period":"2023-12","from":"2023-12-01T00:00:00+01:00","to":"2024-01-01T00:00:00+01:00","used":7,"current":true},{"period":"2023-11","from":"2023-11-01T00:00:00+01:00","to":"2023-12-01T00:00:00+01:00","used":30,"current":false}]}"#
                ))
            let all = try await client.ask(.get, "/v1/tenants/acme/usage")
            #expect(all.text.contains(#""name":"daily","service":"api","limit":50"#) && !all.text.contains("global"))
        }
    }

    @Test func asCSVForSpreadsheets() async throws {
        let fixture = try Self.fixture()
        try await fixture.run { client in
            _ = try await client.check(#"{"tenant":"=a,\"b\"","service":"api","cost":3}"#)
            let answer = try await client.ask(.get, "/v1/tenants/%3Da%2C%22b%22/usage?format=csv&limit=monthly")
            #expect(answer.headers[.contentType]?.hasPrefix("text/csv") == true)
            let lines = answer.text.components(separatedBy: "\r\n")
            #expect(lines.count == 3 && lines[2].isEmpty)
            #expect(lines[0] == "tenant,limit,service,route,period,from,to,used,of,current")
            #expect(
                lines[1]
                    == #""'=a,""b""",monthly,,,2023-11,2023-11-01T00:00:00+01:00,2023-12-01T00:00:00+01:00,3,1000,true"#
            )
        }
    }

    @Test func aTenantThatUsedNothingHasZeroInThisPeriod() async throws {
        try await Self.fixture().run { client in
            let answer = try await client.ask(.get, "/v1/tenants/nobody/usage?limit=daily")
            #expect(
                answer.text.contains(#""period":"2023-11-14""#) && answer.text.contains(#""used":0,"current":true"#))
        }
    }

    @Test(arguments: [
        ("?format=xml", 400, "json or csv"), ("?limit=global", 404, "a tenant's are monthly, daily"),
        ("?colour=red", 400, "known are format, limit, client_ip, method, header:<name> and claim:<name>"),
    ])
    func aWrongQueryIsToldWhatWouldDo(query: String, status: Int, fragment: String) async throws {
        try await Self.fixture().run { client in
            let answer = try await client.ask(.get, "/v1/tenants/acme/usage" + query)
            #expect(answer.status == status && answer.detail.contains(fragment), "\(answer.detail)")
        }
    }

    @Test func aBudgetSaysThePeriodWhereItHasNoOneLength() async throws {
        try await Self.fixture().run { client in
            let row = try #require(try await client.budget("acme").row("monthly"))
            #expect(row["algorithm"] == "calendar" && row["window_seconds"] == .null)
            #expect(row["period"] == "month" && row["time_zone"] == "Europe/Berlin")
        }
    }
}
