import Foundation
import NIOHTTP1
import TestSupport
import Testing

/// What a running Weir says of itself, and how much.
@Suite(.serialized) struct LogLevelTests {
    @Test func theLevelChangesWhileItRunsAndLinesAreJSON() async throws {
        let upstream = try ServerProcess.freePort()
        let weir = try await WeirProcess.serve(
            """
            logging: {level: error, format: json}
            services:
              - {name: api, routes: [{path: /a}], upstreams: ["http://127.0.0.1:\(upstream)"]}
            """)
        defer { weir.stop() }
        #expect(try await HTTP.get(weir.gateway, "/a").status == 502)
        #expect(!weir.log.contains("no good answer"))
        let answer = try await HTTP.send(.PUT, weir.control, "/v1/log-level", body: #"{"level":"info"}"#)
        #expect(answer.status == 200)
        try await eventually { weir.log.contains("the log level was changed") }
        // The first of its kind came before the change; after five seconds the next is told.
        try await eventually(within: .seconds(20)) {
            _ = try await HTTP.get(weir.gateway, "/a")
            return weir.log.contains("no good answer")
        }
        for line in weir.log.split(separator: "\n") where line.hasPrefix("{") {
            #expect(try JSONSerialization.jsonObject(with: Data(line.utf8)) is [String: String], "\(line)")
        }
        let line = try #require(weir.log.split(separator: "\n").first { $0.contains("no good answer") })
        #expect(line.contains("\"cause\":\"connect_refused\"") && line.contains("\"level\":\"warning\""))
    }
}
