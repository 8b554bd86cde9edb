import HTTPTypes
import Logging
import Telemetry
import Testing

@testable import ControlAPI

@Suite struct LogLevelTests {
    @Test func theLevelIsAskedAndChanged() async throws {
        let fixture = try ControlFixture()
        try await fixture.run { client in
            #expect(try await client.ask(.get, "/v1/log-level")["level"] == "info")
            let answer = try await client.ask(.put, "/v1/log-level", #"{"level":"debug"}"#)
            #expect(answer.status == 200 && answer["level"] == "debug")
            #expect(fixture.logLevel.level == .debug)
            #expect(try await client.ask(.get, "/v1/log-level")["level"] == "debug")
        }
    }

    @Test(arguments: [
        (#"{}"#, "`level` is missing"), (#"{"level":"loud"}"#, "must be one of trace, debug"),
        (#"{"level":7}"#, "must be a string"), (#"{"level":"info","for":"1h"}"#, "`for` is not known"),
        ("info", "not JSON"),
    ])
    func whatIsNoLevelChangesNothing(body: String, fragment: String) async throws {
        let fixture = try ControlFixture()
        try await fixture.run { client in
            let answer = try await client.ask(.put, "/v1/log-level", body)
            #expect(answer.status == 400 && answer.detail.contains(fragment), "\(answer.text)")
            #expect(fixture.logLevel.level == .info)
        }
    }

    @Test func theTokenIsAskedFor() async throws {
        let fixture = try ControlFixture(token: "secret")
        try await fixture.run { client in
            let answer = try await client.ask(.put, "/v1/log-level", #"{"level":"debug"}"#)
            #expect(answer.status == 401)
            #expect(fixture.logLevel.level == .info)
        }
    }
}
