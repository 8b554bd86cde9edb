/// How long a connection waits before it is made again: not at all once it has worked, else ever longer, up to a second.
struct Reconnection {
    private var delay: Int64 = 0

    private static let first: Int64 = 10_000_000
    private static let longest: Int64 = 1_000_000_000

    /// Nanoseconds.
    mutating func next(afterFailure: Bool) -> Int64 {
        guard afterFailure else {
            delay = 0
            return 0
        }
        delay = delay == 0 ? Self.first : min(Self.longest, delay * 2)
        return delay
    }
}
