import Foundation
import NIOHTTP1
import TestSupport
import Testing

/// Traces as a collector gets them of a running Weir.
@Suite(.serialized) struct TracingTests {
    private func serve(
        _ collector: Int, _ upstream: Upstream, _ tracing: String = "sample: 100%", batch: String = "every: 50ms"
    ) async throws -> WeirProcess {
        try await WeirProcess.serve(
            """
            tracing:
              otlp: http://127.0.0.1:\(collector)/v1/traces
              headers: {Authorization: "Bearer a-secret"}
              attributes: {deployment.environment: "te\\"st"}
              batch: {\(batch)}
              \(tracing)
            services:
              - {name: api, routes: [{path: /}], upstreams: ["http://127.0.0.1:\(upstream.port)"]}
            """)
    }

    private func run(
        _ answers: [Collector.Answer] = [], _ tracing: String = "sample: 100%", batch: String = "every: 50ms",
        _ body: (Collector, WeirProcess) async throws -> Void
    ) async throws {
        let upstream = try await Upstream.start()
        let collector = try await Collector.start(answers: answers)
        let weir = try await serve(collector.port, upstream, tracing, batch: batch)
        defer { weir.stop() }
        try await body(collector, weir)
        weir.stop()
        try await collector.stop()
        try await upstream.stop()
    }

    private func ask(_ weir: WeirProcess, _ requests: Int) async throws {
        for _ in 0..<requests { #expect(try await HTTP.get(weir.gateway, "/").status == 200) }
    }

    @Test func theCollectorGetsEverySpanOnce() async throws {
        try await run { collector, weir in
            try await ask(weir, 25)
            try await eventually { try collector.spans().count == 50 }
            let spans = try collector.spans()
            #expect(Set(spans.compactMap { $0["spanId"] as? String }).count == 50)
            let servers = spans.filter { $0["kind"] as? Int == 2 }
            for client in spans where client["kind"] as? Int == 3 {
                let parents = servers.filter { $0["spanId"] as? String == client["parentSpanId"] as? String }
                #expect(parents.count == 1 && parents[0]["traceId"] as? String == client["traceId"] as? String)
            }
            let call = try #require(collector.calls.first)
            #expect(call.path == "/v1/traces" && call.fields.first(name: "Authorization") == "Bearer a-secret")
            #expect(call.fields.first(name: "Content-Type") == "application/json")
            // They are counted once the answer is read.
            try await eventually { try await weir.metric("weir_spans_exported_total") == 50 }
            #expect(try await weir.metric("weir_spans_dropped_total") == 0)
            #expect(!weir.log.contains("a-secret"))
        }
    }

    @Test func whatIsRefusedForNowIsSentAgain() async throws {
        let answers = [
            Collector.Answer(status: .serviceUnavailable, fields: ["Retry-After": "1"]),
            Collector.Answer(status: .tooManyRequests),
        ]
        try await run(answers) { collector, weir in
            try await ask(weir, 3)
            try await eventually(within: .seconds(20)) { try await weir.metric("weir_spans_exported_total") == 6 }
            #expect(collector.calls.prefix(3).map(\.status) == [503, 429, 200])
            // The very same spans.
            #expect(Set(collector.calls.prefix(3).map(\.body)).count == 1)
            #expect(weir.log.contains("spans cannot be sent"))
            try await eventually { weir.log.contains("spans are sent again") }
        }
    }

    @Test func whatIsRefusedForGoodIsCounted() async throws {
        let answers = [
            Collector.Answer(body: #"{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too\nlong"}}"#),
            Collector.Answer(status: .badRequest),
        ]
        try await run(answers) { collector, weir in
            try await ask(weir, 1)
            try await eventually { try await weir.metric("weir_spans_dropped_total") == 1 }
            try await ask(weir, 1)
            try await eventually { try await weir.metric("weir_spans_dropped_total") == 3 }
            #expect(try await weir.metric("weir_spans_exported_total") == 1)
            #expect(weir.log.contains("too\\u000along"))
        }
    }

    @Test func aCollectorThatHangsHoldsNobodyUp() async throws {
        let never = Collector.Answer(isNever: true)
        try await run([never, never, never], batch: "every: 10ms, most: 4, queue: 8") { collector, weir in
            try await ask(weir, 2)
            try await eventually { !collector.calls.isEmpty }
            try await ask(weir, 40)
            try await eventually { try await weir.metric("weir_spans_dropped_total") > 0 }
            #expect(try await weir.metric("weir_requests_total") == 42)
            // The end comes within its bound, though the collector does not answer.
            #expect(weir.terminate() == 0)
        }
    }

    @Test func whatWaitsIsSentBeforeTheEnd() async throws {
        try await run(batch: "every: 60s") { collector, weir in
            try await ask(weir, 7)
            #expect(weir.terminate() == 0)
            #expect(try collector.spans().count == 14)
        }
    }

    @Test func aCollectorThatIsNotThereIsWaitedFor() async throws {
        let upstream = try await Upstream.start()
        let port = try ServerProcess.freePort()
        let weir = try await serve(port, upstream)
        defer { weir.stop() }
        try await ask(weir, 2)
        try await eventually { weir.log.contains("spans cannot be sent") }
        let collector = try await Collector.start(port: port)
        try await eventually(within: .seconds(20)) { try collector.spans().count == 4 }
        weir.stop()
        try await collector.stop()
        try await upstream.stop()
    }

    @Test func aShareOfTheTracesThatBeginHereIsSent() async throws {
        try await run(tracing: "sample: 25%") { collector, weir in
            try await ask(weir, 200)
            let exported = { try await weir.metric("weir_spans_exported_total") }
            try await eventually { try await exported() > 0 }
            #expect(weir.terminate() == 0)
            let spans = try collector.spans()
            // Of 200 requests; six standard deviations.
            #expect((13...87).contains(spans.count / 2) && spans.count % 2 == 0, "\(spans.count)")
        }
    }

    private func run(
        tracing: String, _ body: (Collector, WeirProcess) async throws -> Void
    ) async throws { try await run([], tracing, body) }

    /// What is sent, read by the schema itself: names, types and encodings that it does not know are errors.
    @Test(.enabled(if: SchemaCheck.isInstalled, "opentelemetry-proto is not installed; scripts/test does that"))
    func whatIsSentIsAnExportTraceServiceRequest() async throws {
        try await run { collector, weir in
            for path in ["/", "/%C3%A9?q=%22", "/a\"b"] {
                _ = try await HTTP.get(weir.gateway, path.replacing("\"", with: "%22"))
            }
            try await eventually { try collector.spans().count == 6 }
            for call in collector.calls { #expect(try SchemaCheck.fault(of: call.body) == nil) }
        }
        // The check itself finds what is wrong.
        #expect(try SchemaCheck.fault(of: Data(#"{"resourceSpans":[{"nonsense":1}]}"#.utf8)) != nil)
    }
}

/// The schema of OTLP as Python's packages have it.
private enum SchemaCheck {
    private static let packages = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent(".build/python-packages").path

    private static let program = """
        import sys
        from google.protobuf import json_format
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
        import base64, json
        text = sys.stdin.buffer.read()
        if text:
            document = json.loads(text)
            # OTLP writes ids in hexadecimal, where protobuf's own JSON has base64.
            for resource in document["resourceSpans"]:
                for scope in resource.get("scopeSpans", []):
                    for span in scope["spans"]:
                        for key, length in (("traceId", 16), ("spanId", 8), ("parentSpanId", 8)):
                            if key in span:
                                value = bytes.fromhex(span[key])
                                assert len(value) == length, key
                                span[key] = base64.b64encode(value).decode()
            message = json_format.ParseDict(document, ExportTraceServiceRequest())
            for resource in message.resource_spans:
                assert resource.resource.attributes[0].key == "service.name"
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        assert span.trace_id and span.span_id and span.end_time_unix_nano >= span.start_time_unix_nano > 0
        """

    static let isInstalled = (try? fault(of: Data())) == .some(nil)

    /// What Python says of a body; nil: it can be read.
    static func fault(of body: Data) throws -> String? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", program]
        process.environment = ProcessInfo.processInfo.environment.merging(["PYTHONPATH": packages]) { $1 }
        let (input, errors) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: body)
        try input.fileHandleForWriting.close()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return process.terminationStatus == 0 ? nil : text
    }
}
