import Glibc
import Logging
import Synchronization

/// The bounded queue between the workers and the thread that writes.
final class LogPump: Sendable {
    private struct State {
        /// nil while the thread has it.
        var output: LogOutput?
        var batches: [Batch] = []
        var queuedBytes = 0
        /// Empty buffers that keep their capacity.
        var spares: [[UInt8]] = []
        var mustReopen = false
        var isStopping = false
        /// Posted when the queue has been written.
        var waiters: [Semaphore] = []
    }

    private struct Batch {
        var bytes: [UInt8]
        let lines: Int
    }

    private struct Work {
        var output: LogOutput
        var batches: [Batch]
        var mustReopen: Bool
        var waiters: [Semaphore]
        var isLast: Bool
    }

    private static let maximumSpares = 32

    private let queueBytes: Int
    private let logger: Logger?
    let countDropped: @Sendable (Int) -> Void
    private let state: Mutex<State>
    private let wake = Semaphore()

    init(_ output: LogOutput, queueBytes: Int, logger: Logger?, countDropped: @escaping @Sendable (Int) -> Void) {
        self.queueBytes = queueBytes
        self.logger = logger
        self.countDropped = countDropped
        state = Mutex(State(output: output))
    }

    /// The thread keeps the pump alive until it is stopped.
    func start() throws(TelemetryError) {
        let retained = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<LogPump>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, retained.toOpaque())
        guard failure == 0 else {
            retained.release()
            throw TelemetryError(.noThread, "no thread for the access log: \(String(cString: strerror(failure)))")
        }
        pthread_detach(thread)
    }

    /// Takes the lines out of `buffer` and leaves it empty; false where there is no room: nothing has changed.
    func take(_ buffer: inout [UInt8], lines: Int) -> Bool {
        enum Outcome { case taken(mustWake: Bool), full, stopped }
        let outcome: Outcome = state.withLock { state in
            if state.isStopping { return .stopped }
            guard state.queuedBytes + buffer.count <= queueBytes || state.queuedBytes == 0 else { return .full }
            let mustWake = state.batches.isEmpty
            var next = state.spares.popLast() ?? []
            swap(&next, &buffer)
            state.queuedBytes += next.count
            state.batches.append(Batch(bytes: next, lines: lines))
            return .taken(mustWake: mustWake)
        }
        switch outcome {
        case .taken(let mustWake):
            if mustWake { wake.post() }
            return true
        case .full: return false
        case .stopped:
            buffer.removeAll(keepingCapacity: true)
            countDropped(lines)
            return true
        }
    }

    func reopen() {
        state.withLock { $0.mustReopen = true }
        wake.post()
    }

    func flush(within limit: Duration) -> Bool {
        let written = Semaphore()
        let isStopping = state.withLock { state in
            if !state.isStopping { state.waiters.append(written) }
            return state.isStopping
        }
        if isStopping { return true }
        wake.post()
        return written.wait(within: limit)
    }

    func stop() {
        state.withLock { $0.isStopping = true }
        wake.post()
    }

    // MARK: The thread

    private func run() {
        // A reader that went away is an error of the write, not the end of the process.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)

        var isFailing = false
        while true {
            wake.wait()
            var work = takeWork()
            if work.mustReopen { reopen(&work.output) }
            for batch in work.batches {
                let failure = work.output.write(batch.bytes)
                if let failure {
                    countDropped(failure.lostLines)
                    if !isFailing { logger?.error("the access log cannot be written: \(failure.reason)") }
                } else if isFailing {
                    logger?.notice("the access log is written again")
                }
                isFailing = failure != nil
            }
            let (waiters, isLast) = (work.waiters, work.isLast)
            if isLast { work.output.close() } else { finish(work) }
            for waiter in waiters { waiter.post() }
            if isLast { return }
        }
    }

    private func reopen(_ output: inout LogOutput) {
        do {
            try output.reopen()
        } catch {
            logger?.error("\(error.message); the old file stays in use")
        }
    }

    private func takeWork() -> Work {
        state.withLock { state in
            let work = Work(
                output: state.output!, batches: state.batches, mustReopen: state.mustReopen, waiters: state.waiters,
                isLast: state.isStopping)
            state.output = nil
            state.batches = []
            state.mustReopen = false
            state.waiters = []
            return work
        }
    }

    /// Gives room for what was written, and its buffers to the next lines.
    private func finish(_ work: consuming Work) {
        var batches = work.batches
        let output = work.output
        work.batches = []
        let writtenBytes = batches.reduce(0) { $0 + $1.bytes.count }
        for index in batches.indices { batches[index].bytes.removeAll(keepingCapacity: true) }
        state.withLock { state in
            state.output = output
            state.queuedBytes -= writtenBytes
            let room = Self.maximumSpares - state.spares.count
            for batch in batches.prefix(max(0, room)) { state.spares.append(batch.bytes) }
        }
    }
}
