/// Builds access log lines as bytes. Not thread-safe: one event loop owns it. Nothing here waits or, once warm, allocates.
///
/// Lines gather until `handOver()`, which the owner calls every 100 ms or so and before it ends.
package final class AccessLogWriter {
    private let pump: LogPump
    private let batchBytes: Int
    private var buffer: [UInt8] = []
    private var lines = 0
    private var lineStart = 0
    private var timestamp = CachedTimestamp()

    init(pump: LogPump, batchBytes: Int) {
        self.pump = pump
        self.batchBytes = batchBytes
        buffer.reserveCapacity(batchBytes + 4096)
    }

    deinit { handOver() }

    /// Starts a line with the field `time`.
    package func begin(epochMicroseconds: Int64 = SystemTime.epochMicroseconds) {
        lineStart = buffer.count
        buffer.append(contentsOf: "{\"time\":\"".utf8)
        timestamp.append(epochMicroseconds: epochMicroseconds, to: &buffer)
        buffer.append(UInt8(ascii: "\""))
    }

    /// Names are written as they are: they must be ASCII without quotes, backslashes or control characters.
    package func field(_ name: StaticString, _ bytes: UnsafeRawBufferPointer) {
        appendName(name)
        JSONText.append(bytes, to: &buffer)
    }

    package func field(_ name: StaticString, _ text: String) {
        var text = text
        text.withUTF8 { field(name, UnsafeRawBufferPointer($0)) }
    }

    package func field(_ name: StaticString, _ text: StaticString) {
        appendName(name)
        text.withUTF8Buffer { JSONText.append(UnsafeRawBufferPointer($0), to: &buffer) }
    }

    package func field(_ name: StaticString, _ value: Int64) {
        appendName(name)
        buffer.appendDecimal(value)
    }

    package func field(_ name: StaticString, _ value: Int) { field(name, Int64(value)) }

    package func field(_ name: StaticString, _ value: Bool) {
        appendName(name)
        buffer.append(contentsOf: value ? "true".utf8 : "false".utf8)
    }

    /// Milliseconds with three decimals; negative durations are written as 0.
    package func field(_ name: StaticString, millisecondsOf nanoseconds: Int64) {
        appendName(name)
        let microseconds = max(0, nanoseconds) / 1000
        buffer.appendDecimal(microseconds / 1000)
        buffer.append(UInt8(ascii: "."))
        buffer.appendDecimal(microseconds % 1000, width: 3)
    }

    /// Ends the line. Where the log's queue is full and this batch too, the line is dropped and counted.
    package func end() {
        buffer.append(UInt8(ascii: "}"))
        buffer.append(UInt8(ascii: "\n"))
        lines += 1
        guard buffer.count >= batchBytes else { return }
        handOver()
        // Still here: there was no room. Keep what is complete, and no more than that.
        if !buffer.isEmpty, lines > 1 {
            buffer.removeSubrange(lineStart...)
            lines -= 1
            pump.countDropped(1)
        }
    }

    /// Gives the complete lines to the thread that writes; where its queue is full, they stay and wait here.
    package func handOver() {
        guard lines > 0 else { return }
        if pump.take(&buffer, lines: lines) { lines = 0 }
    }

    private func appendName(_ name: StaticString) {
        buffer.append(contentsOf: ",\"".utf8)
        name.withUTF8Buffer { buffer.append(contentsOf: $0) }
        buffer.append(contentsOf: "\":".utf8)
    }
}
