/// Durations sorted into fixed buckets from 50 µs to 10 s, summed over workers.
struct Histogram {
    /// Upper bounds in nanoseconds, inclusive.
    static let bounds: [Int64] = [
        50_000, 100_000, 250_000, 500_000,
        1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000, 500_000_000,
        1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
    ]

    /// One a bound, one for what is longer, and the sum.
    static let cells = bounds.count + 2

    /// Not cumulative; one more than there are bounds.
    private(set) var counts = [Int](repeating: 0, count: bounds.count + 1)
    private(set) var sumNanoseconds = 0

    /// Negative durations count as 0.
    static func record(_ nanoseconds: Int64, in cells: borrowing Cells) {
        let duration = max(0, nanoseconds)
        var bucket = 0
        while bucket < bounds.count, duration > bounds[bucket] { bucket += 1 }
        cells.add(at: bucket)
        cells.add(Int(duration), at: bounds.count + 1)
    }

    mutating func add(_ cells: borrowing Cells) {
        for bucket in counts.indices { counts[bucket] += cells.value(at: bucket) }
        sumNanoseconds &+= cells.value(at: Self.bounds.count + 1)
    }
}
