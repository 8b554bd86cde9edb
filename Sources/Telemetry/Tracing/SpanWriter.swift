/// Writes finished spans as OTLP's JSON (the protobuf mapping, with ids in hexadecimal). Not thread-safe: one event loop owns it.
/// Nothing here waits or, once warm, allocates.
///
/// Spans gather until `handOver()`, which the owner calls every 100 ms or so and before it ends.
package final class SpanWriter {
    /// `SpanKind` of opentelemetry/proto/trace/v1/trace.proto.
    package enum Kind: Int64, Sendable {
        case server = 2
        case client = 3
    }

    package struct Times: Sendable {
        /// Nanoseconds since 1970.
        package var start: Int64
        package var end: Int64

        package init(start: Int64, end: Int64) {
            self.start = start
            self.end = end
        }
    }

    private let queue: SpanQueue
    private var buffer: [UInt8] = []
    private var spans = 0
    private var attributes = 0
    /// Where a caller puts a value together that it then gives as an attribute.
    package var scratch: [UInt8] = []

    init(queue: SpanQueue) {
        self.queue = queue
        buffer.reserveCapacity(32 * 1024)
    }

    deinit { handOver() }

    /// Begins a span of this context's; `parent` 0: it has none. Its name's parts and attributes follow, then `end`.
    package func begin(_ context: TraceContext, parent: UInt64, _ kind: Kind, _ times: Times) {
        if spans > 0 { buffer.append(UInt8(ascii: ",")) }
        append("{\"traceId\":\"")
        context.trace.append(to: &buffer)
        append("\",\"spanId\":\"")
        Hexadecimal.append(context.span, to: &buffer)
        if parent != 0 {
            append("\",\"parentSpanId\":\"")
            Hexadecimal.append(parent, to: &buffer)
        }
        append("\",\"flags\":")
        buffer.appendDecimal(Int64(context.flags))
        append(",\"kind\":")
        buffer.appendDecimal(kind.rawValue)
        append(",\"startTimeUnixNano\":\"")
        buffer.appendDecimal(times.start)
        append("\",\"endTimeUnixNano\":\"")
        buffer.appendDecimal(max(times.start, times.end))
        append("\"")
        attributes = 0
    }

    package func state(_ bytes: UnsafeRawBufferPointer) {
        append(",\"traceState\":")
        JSONText.append(bytes, to: &buffer)
    }

    /// The method, and a route where there is one.
    package func name(_ method: StaticString, _ route: String?) {
        append(",\"name\":\"")
        append(method)
        if var route {
            append(" ")
            route.withUTF8 { JSONText.appendContent(UnsafeRawBufferPointer($0), to: &buffer) }
        }
        append("\"")
    }

    package func attribute(_ key: StaticString, _ bytes: UnsafeRawBufferPointer) {
        beginAttribute(key)
        append("stringValue\":")
        JSONText.append(bytes, to: &buffer)
        append("}}")
    }

    package func attribute(_ key: StaticString, _ text: String) {
        var text = text
        text.withUTF8 { attribute(key, UnsafeRawBufferPointer($0)) }
    }

    package func attribute(_ key: StaticString, _ text: StaticString) {
        text.withUTF8Buffer { attribute(key, UnsafeRawBufferPointer($0)) }
    }

    package func attribute(_ key: StaticString, _ value: Int64) {
        beginAttribute(key)
        append("intValue\":\"")
        buffer.appendDecimal(value)
        append("\"}}")
    }

    package func attribute(_ key: StaticString, _ value: Bool) {
        beginAttribute(key)
        append(value ? "boolValue\":true}}" : "boolValue\":false}}")
    }

    /// The texts that `body` gives, with commas between them; they must need no escaping.
    package func attribute(_ key: StaticString, listing body: ((String) -> Void) -> Void) {
        beginAttribute(key)
        append("stringValue\":\"")
        var isFirst = true
        body { text in
            if !isFirst { append(",") }
            isFirst = false
            buffer.append(contentsOf: text.utf8)
        }
        append("\"}}")
    }

    private func beginAttribute(_ key: StaticString) {
        append(attributes == 0 ? ",\"attributes\":[{\"key\":\"" : ",{\"key\":\"")
        attributes += 1
        append(key)
        append("\",\"value\":{\"")
    }

    /// Ends the span. Where the queue is full, it and those gathered with it are dropped and counted.
    package func end(isError: Bool) {
        if attributes > 0 { append("]") }
        append(isError ? ",\"status\":{\"code\":2}}" : "}")
        spans += 1
        if spans >= queue.mostGathered { handOver() }
    }

    package func handOver() {
        guard spans > 0 else { return }
        queue.take(&buffer, spans: spans)
        spans = 0
    }

    private func append(_ text: StaticString) { text.withUTF8Buffer { buffer.append(contentsOf: $0) } }
}
