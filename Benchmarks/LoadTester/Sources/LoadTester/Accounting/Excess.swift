/// Where a limiter let through more than it may, seen from outside and beyond doubt.
package struct Excess: Hashable, Sendable {
    /// Cost units over the bound.
    package let units: Int64
    /// Cost units that were admitted between the two times, for certain.
    package let admitted: Int64
    package let bound: Int64
    /// Nanoseconds from the start of the run.
    package let from: Int64
    package let to: Int64

    /// The greatest certain excess over `bound(x)` in any interval x ≤ `longest`; nil where there is none.
    ///
    /// An admission fell somewhere between sending and receiving. It counts as being in an interval only if both lie in it, so
    /// no delay on the way can make up an excess. O(n log n): as the interval's end moves over the receipts, a tree
    /// keeps for each possible begin (a sending) what has been admitted since, less what the slope allows.
    static func greatest(
        _ admissions: [Observation], burst: Int64, unitsPerNanosecond slope: Double, longest: Int64?,
        bound: (Int64) -> Int64
    ) -> Excess? {
        guard !admissions.isEmpty else { return nil }
        let begins = admissions.map(\.sent).sorted()
        let byReceipt = admissions.sorted { $0.received < $1.received }
        var tree = MaximumTree(begins.map { Double($0) * slope })
        var greatest: Excess?
        var low = 0
        for (position, admission) in byReceipt.enumerated() {
            // It lies in every interval that begins no later than it was sent.
            tree.add(Double(admission.cost), before: upperBound(begins, admission.sent))
            let end = admission.received
            if position + 1 < byReceipt.count, byReceipt[position + 1].received == end { continue }
            if let longest { while low < begins.count, begins[low] < end - longest { low += 1 } }
            let high = upperBound(begins, end)
            guard low < high else { continue }
            let (value, index) = tree.maximum(in: low..<high)
            // Cheap and a little too generous; the integers below decide.
            guard value - Double(end) * slope > Double(burst) - 0.5 else { continue }
            let begin = begins[index]
            let admitted = Int64((value - Double(begin) * slope).rounded())
            let limit = bound(end - begin)
            if admitted - limit > greatest?.units ?? 0 {
                greatest = Excess(
                    units: admitted - limit, admitted: admitted, bound: limit, from: begin, to: end)
            }
        }
        return greatest
    }

    /// How many of the sorted numbers are at most this one.
    static func upperBound(_ sorted: [Int64], _ number: Int64) -> Int {
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] <= number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension Promise {
    /// The greatest certain excess over the promise for intervals.
    func excess(of admissions: [Observation]) -> Excess? {
        Excess.greatest(
            admissions, burst: burst, unitsPerNanosecond: unitsPerNanosecond,
            longest: longestInterval, bound: bound)
    }

    /// The greatest certain excess over L in any interval of W (of a bucket: over r·W), which no limit promises and many callers expect.
    func excessInAnyPeriod(of admissions: [Observation]) -> Excess? {
        let units = unitsPerPeriod
        return Excess.greatest(
            admissions, burst: units, unitsPerNanosecond: 0, longest: periodNanoseconds, bound: { _ in units })
    }
}
