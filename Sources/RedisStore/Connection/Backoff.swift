import NIOCore

/// How long to wait before the next attempt to connect: 50 ms, doubling to 2 s, each ± 50 %.
struct Backoff {
    private static let shortest = TimeAmount.milliseconds(50)
    private static let longest = TimeAmount.seconds(2)
    /// Where people must act first: a wrong password, a server that is too old.
    static let slow = TimeAmount.seconds(5)

    private var failures = 0

    /// The server does what it is asked: the next failure is the first one again.
    mutating func succeeded() { failures = 0 }

    /// `random` is uniform in 0..<1.
    mutating func next(isTransient: Bool, random: Double) -> TimeAmount {
        var base = Self.slow
        if isTransient {
            base = min(Self.longest, .nanoseconds(Self.shortest.nanoseconds << Int64(min(failures, 16))))
            failures += 1
        }
        return .nanoseconds(Int64(Double(base.nanoseconds) * (0.5 + random)))
    }
}
