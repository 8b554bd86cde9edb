import Foundation
import Telemetry
import Testing

/// An access log of a test's own, that is gone afterwards.
final class LogFile {
    private let path = NSTemporaryDirectory() + "weir-access-\(UUID().uuidString).log"
    let log: AccessLog

    init() throws { log = try AccessLog(.file(path)) }

    deinit {
        log.close()
        try? FileManager.default.removeItem(atPath: path)
    }

    /// What has been handed over by now.
    func lines() throws -> [String] {
        #expect(log.flush(within: .seconds(20)))
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    func objects() throws -> [[String: Any]] {
        try lines().map { try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]) }
    }
}

/// A span as it was written.
struct WrittenSpan {
    let name: String
    let trace: String
    let id: String
    let parent: String?
    let kind: Int
    let isError: Bool
    let start: Int64
    let end: Int64
    /// Every value as text.
    let attributes: [String: String]
    let state: String?

    static func all(in queue: SpanQueue) throws -> [WrittenSpan] {
        var spans: [WrittenSpan] = []
        while let batch = queue.next() {
            let text = Data(SpanDocument(version: "", attributes: []).body(batch))
            let object = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
            let resource = try #require((object["resourceSpans"] as? [[String: Any]])?.first)
            let scope = try #require((resource["scopeSpans"] as? [[String: Any]])?.first)
            spans += try #require(scope["spans"] as? [[String: Any]]).map { try WrittenSpan($0) }
        }
        return spans
    }

    private init(_ object: [String: Any]) throws {
        name = try #require(object["name"] as? String)
        trace = try #require(object["traceId"] as? String)
        id = try #require(object["spanId"] as? String)
        parent = object["parentSpanId"] as? String
        kind = try #require(object["kind"] as? Int)
        isError = (object["status"] as? [String: Int])?["code"] == 2
        start = try #require((object["startTimeUnixNano"] as? String).flatMap { Int64($0) })
        end = try #require((object["endTimeUnixNano"] as? String).flatMap { Int64($0) })
        state = object["traceState"] as? String
        var attributes: [String: String] = [:]
        for attribute in object["attributes"] as? [[String: Any]] ?? [] {
            let value = try #require((attribute["value"] as? [String: Any])?.first?.value)
            let key = try #require(attribute["key"] as? String)
            #expect(attributes.updateValue("\(value)", forKey: key) == nil, "an attribute twice")
        }
        self.attributes = attributes
    }
}
