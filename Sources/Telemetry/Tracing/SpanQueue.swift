import Synchronization

/// The bounded queue of finished spans between the workers and whoever sends them. Workers never wait here: what does not fit is
/// dropped and counted.
package final class SpanQueue: Sendable {
    /// Spans as JSON objects with commas between them.
    package struct Batch: Sendable {
        package fileprivate(set) var bytes: [UInt8] = []
        package fileprivate(set) var spans = 0
    }

    private struct State {
        var batches: [Batch] = []
        var first = 0
        var spans = 0
        var spares: [[UInt8]] = []
        var isClosed = false
    }

    private static let mostSpares = 32

    private let state = Mutex(State())
    private let capacity: Int
    /// What is sent at once.
    private let most: Int
    private let metrics: SpanMetrics
    private let onFull: @Sendable () -> Void

    /// `onFull` is called on any thread when so many wait that a whole batch can be sent.
    package init(
        capacity: Int, most: Int, metrics: SpanMetrics, onFull: @escaping @Sendable () -> Void = {}
    ) {
        self.capacity = capacity
        self.most = most
        self.metrics = metrics
        self.onFull = onFull
    }

    /// Spans that a worker gathers before it hands them over by itself; a batch is made of whole gatherings.
    var mostGathered: Int { min(most, 64) }

    package func makeWriter() -> SpanWriter { SpanWriter(queue: self) }

    /// Takes the spans out of `bytes`, and leaves it empty in any case.
    func take(_ bytes: inout [UInt8], spans: Int) {
        let (isTaken, isFull) = state.withLock { state in
            guard !state.isClosed, state.spans + spans <= capacity else { return (false, false) }
            var next = state.spares.popLast() ?? []
            swap(&next, &bytes)
            state.batches.append(Batch(bytes: next, spans: spans))
            let before = state.spans
            state.spans += spans
            return (true, before < most && state.spans >= most)
        }
        if !isTaken {
            bytes.removeAll(keepingCapacity: true)
            metrics.countDropped(spans)
        }
        if isFull { onFull() }
    }

    /// What is sent next; nil where nothing waits.
    package func next() -> Batch? {
        state.withLock { state in
            guard state.first < state.batches.count else { return nil }
            var batch = Batch()
            while state.first < state.batches.count, batch.spans + state.batches[state.first].spans <= most {
                var taken = Batch()
                swap(&taken, &state.batches[state.first])
                state.first += 1
                if batch.spans > 0 { batch.bytes.append(UInt8(ascii: ",")) }
                batch.bytes += taken.bytes
                batch.spans += taken.spans
                taken.bytes.removeAll(keepingCapacity: true)
                if state.spares.count < Self.mostSpares { state.spares.append(taken.bytes) }
            }
            state.spans -= batch.spans
            if state.first == state.batches.count {
                state.batches.removeAll(keepingCapacity: true)
                state.first = 0
            } else if state.first >= 64 {
                state.batches.removeFirst(state.first)
                state.first = 0
            }
            return batch
        }
    }

    /// From now on spans are dropped and counted, and so are those that wait.
    package func close() {
        let left = state.withLock { state in
            state.isClosed = true
            defer { state.spans = 0 }
            state.batches = []
            state.first = 0
            return state.spans
        }
        if left > 0 { metrics.countDropped(left) }
    }

    package var waiting: Int { state.withLock { $0.spans } }
}
