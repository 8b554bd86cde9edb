/// Latencies of a short stretch of time, to within 6 %, in little memory.
struct CoarseHistogram: Sendable {
    /// Sixteen buckets for each doubling from 1 µs on; what is above 2^32 µs is in the last.
    private var counts: [UInt32] = []
    private(set) var total = 0

    private static let steps = 16
    private static let size = 33 * steps

    private static func index(_ microseconds: Int64) -> Int {
        guard microseconds >= 1 else { return 0 }
        let octave = 63 - microseconds.leadingZeroBitCount
        let within = octave >= 4 ? Int(microseconds >> (octave - 4)) & 15 : Int(microseconds << (4 - octave)) & 15
        return min(size - 1, octave * steps + within)
    }

    /// The middle of a bucket, in nanoseconds.
    private static func value(_ index: Int) -> Double {
        let (octave, within) = index.quotientAndRemainder(dividingBy: steps)
        return (Double(steps) + Double(within) + 0.5) / Double(steps) * Double(1 << octave) * 1000
    }

    mutating func record(_ nanoseconds: Int64) {
        if counts.isEmpty { counts = Array(repeating: 0, count: Self.size) }
        counts[Self.index(nanoseconds / 1000)] += 1
        total += 1
    }

    mutating func add(_ other: CoarseHistogram) {
        guard other.total > 0 else { return }
        guard total > 0 else {
            self = other
            return
        }
        for index in counts.indices { counts[index] += other.counts[index] }
        total += other.total
    }

    /// Nanoseconds; nil where nothing was recorded.
    func percentile(_ percent: Double) -> Double? {
        guard total > 0 else { return nil }
        let wanted = max(1, Int((Double(total) * percent / 100).rounded(.up)))
        var seen = 0
        for (index, count) in counts.enumerated() {
            seen += Int(count)
            if seen >= wanted { return Self.value(index) }
        }
        return nil
    }
}
