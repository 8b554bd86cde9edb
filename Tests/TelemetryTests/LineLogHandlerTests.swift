import Foundation
import Logging
import Synchronization
import Testing

@testable import Telemetry

@Suite struct LineLogHandlerTests {
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])

        func logger(_ format: LineLogHandler.Format, _ level: SharedLogLevel) -> Logger {
            Logger(label: "test") { label in
                LineLogHandler(label: label, format, level: level) { line in
                    self.all.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
                }
            }
        }
    }

    @Test func aChangedLevelIsThatOfAllLoggersAtOnce() {
        let lines = Lines()
        let level = SharedLogLevel(.info)
        let (one, other) = (lines.logger(.text, level), lines.logger(.text, level))
        one.debug("unseen")
        level.level = .debug
        one.debug("one")
        other.debug("other")
        level.level = .error
        one.warning("unseen")
        let seen = lines.all.withLock { $0 }
        #expect(seen.count == 2)
        #expect(seen[0].hasSuffix(" debug test: one\n") && seen[1].hasSuffix(" debug test: other\n"))
    }

    @Test func aLoggersOwnLevelHoldsBesideTheProcesss() {
        let lines = Lines()
        let level = SharedLogLevel(.debug)
        var quiet = lines.logger(.text, level)
        quiet.logLevel = .warning
        quiet.info("unseen")
        quiet.warning("seen")
        level.level = .error
        quiet.warning("unseen")
        #expect(lines.all.withLock { $0.count } == 1)
    }

    @Test func nothingThatIsLoggedEndsALine() throws {
        let lines = Lines()
        let nasty = "a\nb\u{1b}[31m\"\\"
        for format in [LineLogHandler.Format.text, .json] {
            lines.logger(format, SharedLogLevel(.info)).info("\(nasty)", metadata: ["cause": "\(nasty)", "level": "x"])
        }
        let seen = lines.all.withLock { $0 }
        #expect(seen.allSatisfy { $0.filter { $0 == "\n" }.count == 1 && !$0.contains("\u{1b}") })
        let object = try #require(try JSONSerialization.jsonObject(with: Data(seen[1].utf8)) as? [String: String])
        #expect(object["message"] == nasty && object["cause"] == nasty)
        #expect(object["level"] == "info" && object["level_"] == "x" && object["logger"] == "test")
    }
}
