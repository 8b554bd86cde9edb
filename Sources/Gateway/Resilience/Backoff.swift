/// How long a retry waits: by chance anything up to a bound, which doubles with each retry ("full jitter"), so that requests
/// which failed together do not come back together.
struct Backoff: Hashable, Sendable {
    let firstNanoseconds: Int64
    let longestNanoseconds: Int64

    /// Before the retry of that number, from 0.
    func bound(ofRetry number: Int) -> Int64 {
        var bound = firstNanoseconds
        for _ in 0..<number where bound < longestNanoseconds { bound *= 2 }
        return min(bound, longestNanoseconds)
    }

    func nanoseconds(
        beforeRetry number: Int, using generator: inout some RandomNumberGenerator
    ) -> Int64 { Int64.random(in: 0...bound(ofRetry: number), using: &generator) }
}
