import LimiterCore
import Telemetry

/// Microseconds since 1970 that never go back: the clock at the start, and what has passed since.
struct MonotonicEpoch: TimeSource {
    private let offsetMicroseconds = SystemTime.epochMicroseconds - SystemTime.monotonicNanoseconds / 1000

    var nowMicroseconds: Int64 { SystemTime.monotonicNanoseconds / 1000 + offsetMicroseconds }
}
