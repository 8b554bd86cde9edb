/// Durations sorted into fixed buckets from 50 µs to 10 s, summed over workers.
struct Histogram {
    /// Upper bounds in nanoseconds, inclusive: six to each power of ten. None is over 1.67 times the one before, so what is read
    /// between two of them is wrong by less than that.
    static let bounds: [Int64] = [
        50_000, 75_000,
        100_000, 150_000, 250_000, 350_000, 500_000, 750_000,
        1_000_000, 1_500_000, 2_500_000, 3_500_000, 5_000_000, 7_500_000,
        10_000_000, 15_000_000, 25_000_000, 35_000_000, 50_000_000, 75_000_000,
        100_000_000, 150_000_000, 250_000_000, 350_000_000, 500_000_000, 750_000_000,
        1_000_000_000, 1_500_000_000, 2_500_000_000, 3_500_000_000, 5_000_000_000, 7_500_000_000,
        10_000_000_000,
    ]

    /// One a bound, one for what is longer, and the sum.
    static let cells = bounds.count + 2

    /// Not cumulative; one more than there are bounds.
    private(set) var counts = [Int](repeating: 0, count: bounds.count + 1)
    private(set) var sumNanoseconds = 0

    init() {}

    /// Of what cells had, from the first of the histogram's on.
    init(_ values: ArraySlice<Int>) {
        counts = Array(values.prefix(Self.bounds.count + 1))
        sumNanoseconds = values[values.startIndex + Self.bounds.count + 1]
    }

    var total: Int { counts.reduce(0, +) }

    /// Negative durations count as 0.
    static func record(_ nanoseconds: Int64, in cells: borrowing Cells) {
        let duration = max(0, nanoseconds)
        cells.add(at: bucket(of: duration))
        cells.add(Int(duration), at: bounds.count + 1)
    }

    /// The same where no other thread writes, in the cells from `first` on.
    static func recordAlone(_ nanoseconds: Int64, in cells: borrowing Cells, from first: Int) {
        let duration = max(0, nanoseconds)
        cells.increase(at: first + bucket(of: duration))
        cells.increase(by: Int(duration), at: first + bounds.count + 1)
    }

    private static func bucket(of duration: Int64) -> Int {
        bounds.withUnsafeBufferPointer { bounds in
            var (low, high) = (0, bounds.count)
            while low < high {
                let middle = (low + high) / 2
                if duration > bounds[middle] { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    mutating func add(_ cells: borrowing Cells, from first: Int = 0) {
        for bucket in counts.indices { counts[bucket] += cells.value(at: first + bucket) }
        sumNanoseconds &+= cells.value(at: first + Self.bounds.count + 1)
    }
}
