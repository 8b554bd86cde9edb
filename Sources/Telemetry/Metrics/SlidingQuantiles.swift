/// Durations of the last minute in fine buckets, from which quantiles are read.
///
/// Four buckets to each doubling from 16 µs to 34 s, so a quantile is wrong by an eighth of itself at most. The minute slides in
/// steps of ten seconds: seven parts take turns, each with the number of the step that it counts, and a part is emptied when its
/// turn comes again. Only one thread writes; any may read, and may miss what is being written.
enum SlidingQuantiles {
    private static let stepNanoseconds: Int64 = 10_000_000_000
    private static let parts: Int64 = 7
    private static let firstDoubling = 14
    private static let doublings = 21
    /// One for what is shorter, one for what is longer.
    static let buckets = doublings * 4 + 2
    private static let partCells = buckets + 1
    /// Of one series.
    static let cells = Int(parts) * partCells

    /// `first` is the first cell of the series.
    static func record(_ nanoseconds: Int64, at now: Int64, in cells: borrowing Cells, from first: Int) {
        let step = now / stepNanoseconds
        let start = first + Int(step % parts) * partCells
        // The number is one more, so that cells that are 0 count no step.
        if cells.value(at: start) != Int(step) + 1 {
            for index in 1..<partCells { cells.set(0, at: start + index) }
            cells.set(Int(step) + 1, at: start)
        }
        cells.increase(at: start + 1 + bucket(of: nanoseconds))
    }

    static func bucket(of nanoseconds: Int64) -> Int {
        guard nanoseconds >= 1 << firstDoubling else { return 0 }
        let doubling = 63 - nanoseconds.leadingZeroBitCount
        guard doubling < firstDoubling + doublings else { return buckets - 1 }
        return 1 + (doubling - firstDoubling) * 4 + Int(nanoseconds >> Int64(doubling - 2) & 3)
    }

    /// Nanoseconds from which a bucket on counts.
    static func lowerBound(of bucket: Int) -> Int64 {
        guard bucket > 0 else { return 0 }
        let (doubling, quarter) = (bucket - 1).quotientAndRemainder(dividingBy: 4)
        return (4 + Int64(quarter)) << Int64(firstDoubling + doubling - 2)
    }

    /// Adds what the last minute had to `counts`, which has one element a bucket.
    static func add(to counts: inout [Int], from cells: borrowing Cells, first: Int, at now: Int64) {
        let step = now / stepNanoseconds
        for part in 0..<Int(parts) {
            let start = first + part * partCells
            let counted = Int64(cells.value(at: start)) - 1
            guard counted >= 0, counted <= step, counted > step - parts else { continue }
            for bucket in 0..<buckets { counts[bucket] += cells.value(at: start + 1 + bucket) }
        }
    }

    /// In nanoseconds, by the nearest rank, taken to lie evenly within its bucket; nil where nothing was counted.
    static func quantile(_ quantile: Double, of counts: [Int]) -> Double? {
        let total = counts.reduce(0, +)
        guard total > 0 else { return nil }
        let rank = max(1, Int((quantile * Double(total)).rounded(.up)))
        var before = 0
        for (bucket, count) in counts.enumerated() where count > 0 {
            if before + count >= rank {
                let lower = Double(lowerBound(of: bucket))
                // What is longer than all bounds is told by the last of them.
                let upper = bucket + 1 < buckets ? Double(lowerBound(of: bucket + 1)) : lower
                return lower + (upper - lower) * (Double(rank - before) - 0.5) / Double(count)
            }
            before += count
        }
        return nil
    }
}
