import Foundation
import Testing

@testable import Telemetry

@Suite struct CombinedLineTests {
    private func line(_ write: (AccessLogWriter) -> Void) throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("weir-\(UUID().uuidString).log").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let log = try AccessLog(.file(path))
        let writer = log.makeWriter()
        writer.begin()
        write(writer)
        writer.end()
        writer.handOver()
        #expect(log.flush(within: .seconds(20)))
        log.close()
        return try String(contentsOfFile: path, encoding: .utf8)
    }

    @Test func timesAreThoseOfApache() throws {
        let text = try line { writer in
            writer.append(commonTimeOf: 1_772_366_400_042_000)
            writer.append(commonTimeOf: 1_772_366_401_000_000)
        }
        #expect(text == "[01/Mar/2026:12:00:00 +0000][01/Mar/2026:12:00:01 +0000]\n")
    }

    @Test func noByteEndsALineOrAPartOfOne() throws {
        let text = try line { writer in [UInt8](0...255).withUnsafeBytes { writer.append(escaping: $0) } }
        #expect(text.utf8.filter { $0 == 0x0A }.count == 1)
        let body = text.dropLast()
        #expect(body.utf8.allSatisfy { (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\"") })
        #expect(body.hasPrefix("\\x00\\x01") && body.contains("!\\x22#") && body.contains("[\\x5C]"))
        #expect(body.hasSuffix("\\xFE\\xFF") && body.contains(" !"))
    }

    @Test func aWordHasNoBlanksAndALongValueIsCut() throws {
        #expect(
            try line { writer in Array("a b".utf8).withUnsafeBytes { writer.append(escaping: $0, isWord: true) } }
                == "a\\x20b\n")
        let long = [UInt8](repeating: UInt8(ascii: "x"), count: 5000)
        #expect(try line { writer in long.withUnsafeBytes { writer.append(escaping: $0) } }.count == 1024 + 3 + 1)
    }
}
