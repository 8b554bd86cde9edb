import NIOCore

/// The run's time: nanoseconds of a monotonic clock from its start.
struct RunClock: Sendable {
    private let origin: Int64
    /// Nanoseconds from 1970 to the start, by this machine's clock.
    let epoch: Int64

    init() {
        origin = Self.monotonic()
        epoch = Usage.wallNanoseconds()
    }

    var now: Int64 { Self.monotonic() - origin }

    func deadline(_ time: Int64) -> NIODeadline { .uptimeNanoseconds(UInt64(max(0, time + origin))) }

    private static func monotonic() -> Int64 { Int64(NIODeadline.now().uptimeNanoseconds) }
}
