package import Logging
import Synchronization

/// JSON lines about requests, written by a thread of its own, so that a slow disk or reader never holds up an event loop:
/// what does not fit into the bounded queue is dropped and counted.
package final class AccessLog: Sendable {
    package enum Destination: Hashable, Sendable {
        case standardOutput
        /// Appended to, and created if need be.
        case file(String)
    }

    private let pump: LogPump

    /// Opens the destination and starts the thread.
    ///
    /// `queueBytes` bounds what waits to be written. `countDropped` is told how many lines were lost, on any thread; `logger` when
    /// writing begins to fail and when it works again.
    package init(
        _ destination: Destination, queueBytes: Int = 4 << 20, logger: Logger? = nil,
        countDropped: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws(TelemetryError) {
        let output: LogOutput
        switch destination {
        case .standardOutput: output = LogOutput.standardOutput
        case .file(let path): output = try LogOutput(appendingTo: path)
        }
        pump = LogPump(output, queueBytes: queueBytes, logger: logger, countDropped: countDropped)
        try pump.start()
    }

    deinit { pump.stop() }

    /// The end of the log that one worker writes to. `batchBytes` is what it gathers before it hands over by itself.
    package func makeWriter(batchBytes: Int = 32 * 1024) -> AccessLogWriter {
        AccessLogWriter(pump: pump, batchBytes: batchBytes)
    }

    /// Opens the file again by its path before the next write, as after a rotation. If that fails, the old file stays in use.
    package func reopen() { pump.reopen() }

    /// Waits until all that was handed over has been written, at most so long; false: it has not.
    package func flush(within limit: Duration = .seconds(2)) -> Bool { pump.flush(within: limit) }

    /// `flush`, then ends the thread. Lines that are handed over later are dropped and counted.
    package func close(within limit: Duration = .seconds(2)) {
        _ = pump.flush(within: limit)
        pump.stop()
    }
}
