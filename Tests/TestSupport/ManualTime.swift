import LimiterCore
import Synchronization

/// A clock that only tests move.
package final class ManualTime: TimeSource {
    private let microseconds: Atomic<Int64>

    /// Starts at 2026-01-01T00:00:00Z unless told otherwise.
    package init(_ start: Int64 = 1_767_225_600_000_000) { microseconds = Atomic(start) }

    package var nowMicroseconds: Int64 { microseconds.load(ordering: .sequentiallyConsistent) }

    package func advance(by duration: Duration) {
        let (seconds, attoseconds) = duration.components
        microseconds.wrappingAdd(
            seconds * 1_000_000 + attoseconds / 1_000_000_000_000, ordering: .sequentiallyConsistent)
    }

    package func set(to now: Int64) { microseconds.store(now, ordering: .sequentiallyConsistent) }
}
