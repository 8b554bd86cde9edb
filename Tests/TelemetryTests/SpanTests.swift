import Foundation
import Synchronization
import Testing

@testable import Telemetry

@Suite struct SpanTests {
    private let context = TraceContext(trace: TraceID(high: 1, low: 0xabc), span: 0xdef, flags: 1)

    private func write(_ writer: SpanWriter, parent: UInt64 = 0x123, isError: Bool = false, nasty: [UInt8] = []) {
        writer.begin(
            context, parent: parent, .server,
            SpanWriter.Times(start: 1_700_000_000_000_000_001, end: 1_700_000_000_000_000_099))
        writer.name("GET", "/a\"b")
        writer.attribute("http.response.status_code", 503)
        nasty.withUnsafeBytes { writer.attribute("url.path", $0) }
        writer.attribute("weir.degraded", false)
        writer.attribute("weir.limited_by") { add in
            add("one")
            add("two")
        }
        writer.end(isError: isError)
    }

    private func body(_ queue: SpanQueue, _ attributes: [(name: String, value: String)] = []) throws -> String {
        let document = SpanDocument(version: "9", attributes: attributes)
        return String(decoding: document.body(try #require(queue.next())), as: UTF8.self)
    }

    @Test func aSpanIsOTLPsJSON() throws {
        let queue = SpanQueue(capacity: 10, most: 10, metrics: SpanMetrics())
        let writer = queue.makeWriter()
        write(writer, isError: true, nasty: Array("/x".utf8))
        writer.handOver()
        #expect(
            try body(queue, [("service.name", "weir")])
                == #"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"weir"}}]},"scopeSpans":[{"scope":{"name":"weir","version":"9"},"spans":[{"traceId":"00000000000000010000000000000abc","spanId":"0000000000000def","parentSpanId":"0000000000000123","flags":1,"kind":2,"startTimeUnixNano":"1700000000000000001","endTimeUnixNano":"1700000000000000099","name":"GET /a\"b","attributes":[{"key":"http.response.status_code","value":{"intValue":"503"}},{"key":"url.path","value":{"stringValue":"/x"}},{"key":"weir.degraded","value":{"boolValue":false}},{"key":"weir.limited_by","value":{"stringValue":"one,two"}}],"status":{"code":2}}]}]}]}"#
        )
    }

    @Test func whateverBytesThereAreTheDocumentIsJSON() throws {
        let queue = SpanQueue(capacity: 10, most: 10, metrics: SpanMetrics())
        let writer = queue.makeWriter()
        write(writer, nasty: Array(0...255))
        write(writer, parent: 0, nasty: [0xFF, 0x22, 0x5C])
        writer.handOver()
        let object =
            try JSONSerialization.jsonObject(with: Data(try body(queue, [("a\"b", "c\\d\n")]).utf8)) as? [String: Any]
        let resource = try #require((object?["resourceSpans"] as? [[String: Any]])?.first)
        let spans = try #require(((resource["scopeSpans"] as? [[String: Any]])?.first)?["spans"] as? [[String: Any]])
        #expect(spans.count == 2)
        #expect(spans[0]["name"] as? String == "GET /a\"b")
        #expect(spans[1]["parentSpanId"] == nil && spans[1]["status"] == nil)
    }

    @Test func batchesHoldNoMoreThanTheyMay() throws {
        let queue = SpanQueue(capacity: 1000, most: 100, metrics: SpanMetrics())
        let writer = queue.makeWriter()
        for _ in 0..<250 { write(writer) }
        writer.handOver()
        #expect(queue.waiting == 250)
        var sizes: [Int] = []
        while let batch = queue.next() {
            sizes.append(batch.spans)
            let spans = try JSONSerialization.jsonObject(with: Data("[".utf8 + batch.bytes + "]".utf8)) as? [Any]
            #expect(spans?.count == batch.spans)
        }
        #expect(sizes.allSatisfy { $0 <= 100 } && sizes.reduce(0, +) == 250)
        #expect(queue.waiting == 0)
    }

    @Test func whatDoesNotFitIsDroppedAndCounted() {
        let metrics = SpanMetrics()
        let queue = SpanQueue(capacity: 10, most: 4, metrics: metrics)
        let writer = queue.makeWriter()
        for _ in 0..<20 { write(writer) }
        writer.handOver()
        #expect(queue.waiting + metrics.dropped == 20)
        #expect(queue.waiting <= 10 && queue.waiting > 0)
        let waiting = queue.waiting
        queue.close()
        #expect(metrics.dropped == 20 && waiting > 0)
        write(writer)
        writer.handOver()
        #expect(metrics.dropped == 21 && queue.next() == nil)
    }

    @Test func whoSendsIsWokenOnceABatchIsFull() {
        let woken = Mutex(0)
        let queue = SpanQueue(capacity: 100, most: 3, metrics: SpanMetrics()) { woken.withLock { $0 += 1 } }
        let writer = queue.makeWriter()
        write(writer)
        write(writer)
        writer.handOver()
        #expect(woken.withLock { $0 } == 0)
        for _ in 0..<6 { write(writer) }
        #expect(woken.withLock { $0 } == 1)
        while queue.next() != nil {}
        for _ in 0..<3 { write(writer) }
        #expect(woken.withLock { $0 } == 2)
    }

    @Test func spansOfManyWorkersAreAllThere() async {
        let metrics = SpanMetrics()
        let queue = SpanQueue(capacity: 500, most: 50, metrics: metrics)
        let (workers, rounds) = (4, 2000)
        let taken = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<workers {
                group.addTask {
                    let writer = queue.makeWriter()
                    for _ in 0..<rounds { write(writer) }
                    writer.handOver()
                    return 0
                }
            }
            group.addTask {
                var taken = 0
                while taken + metrics.dropped < workers * rounds {
                    if let batch = queue.next() { taken += batch.spans } else { await Task.yield() }
                }
                return taken
            }
            return await group.reduce(0, +)
        }
        #expect(taken + metrics.dropped == workers * rounds)
    }
}
