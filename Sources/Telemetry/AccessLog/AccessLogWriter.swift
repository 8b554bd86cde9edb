/// Gathers access log lines as bytes; JSONLine and CombinedLine say how they look. Not thread-safe: one event loop owns it. Nothing here waits or, once warm, allocates.
///
/// Lines gather until `handOver()`, which the owner calls every 100 ms or so and before it ends.
package final class AccessLogWriter {
    private let pump: LogPump
    private let batchBytes: Int
    var buffer: [UInt8] = []
    private var lines = 0
    private var lineStart = 0
    var timestamp = CachedTimestamp()
    var commonTime = CachedCommonTime()
    /// Whether the object that is being written has a member already.
    var hasMembers = false
    /// Where a caller puts a value together that it then writes.
    package var scratch: [UInt8] = []

    init(pump: LogPump, batchBytes: Int) {
        self.pump = pump
        self.batchBytes = batchBytes
        buffer.reserveCapacity(batchBytes + 4096)
    }

    deinit { handOver() }

    /// Starts a line.
    package func begin() { lineStart = buffer.count }

    /// Ends the line. Where the log's queue is full and this batch too, the line is dropped and counted.
    package func end() {
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
}
