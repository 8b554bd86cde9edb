/// How long a request's body may still keep the gateway waiting.
///
/// Waiting takes from it and every byte gives back its share of the least rate, up to the timeout that it began with: a body that
/// trickles more slowly than the least rate ends, however evenly it trickles. Time in which nobody reads the body does not count.
struct BodyPatience {
    /// Both in nanoseconds.
    private let timeout: Int64
    private let perByte: Int64
    private var left: Int64
    private var paidBytes: Int64 = 0
    private var waitsSince: Int64?

    /// `leastRate` in bytes a second; 0: a byte gives everything back.
    init(timeout: Int64, leastRate: Int64) {
        self.timeout = timeout
        perByte = leastRate > 0 ? 1_000_000_000 / leastRate : timeout
        left = timeout
    }

    /// For the next request.
    mutating func reset() {
        left = timeout
        paidBytes = 0
        waitsSince = nil
    }

    /// More of the body is needed, of which `bytes` have been read so far. Returns until when to wait for it.
    mutating func wait(at now: Int64, after bytes: Int64) -> Int64 {
        stopWaiting(at: now)
        // No more bytes than those that give everything back, so that nothing overflows.
        let fresh = min(bytes - paidBytes, perByte > 0 ? timeout / perByte + 1 : 0)
        left = min(timeout, max(0, left) + fresh * perByte)
        paidBytes = bytes
        waitsSince = now
        return now + left
    }

    /// Something has come, or the body is not waited for any more.
    mutating func stopWaiting(at now: Int64) {
        guard let since = waitsSince else { return }
        left -= now - since
        waitsSince = nil
    }
}
