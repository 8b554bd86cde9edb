/// Numbers in a row: add to the first so many of them, ask for the greatest in a range. Both take O(log n).
struct MaximumTree {
    private let size: Int
    /// Of a node: its greatest number, without what was added to its ancestors.
    private var best: [Double]
    private var bestIndex: [Int32]
    private var added: [Double]

    init(_ values: [Double]) {
        var size = 1
        while size < values.count { size *= 2 }
        self.size = size
        best = Array(repeating: -.infinity, count: 2 * size)
        bestIndex = Array(repeating: 0, count: 2 * size)
        added = Array(repeating: 0, count: 2 * size)
        for (index, value) in values.enumerated() { best[size + index] = value }
        for index in 0..<size { bestIndex[size + index] = Int32(index) }
        for node in stride(from: size - 1, to: 0, by: -1) { pull(node) }
    }

    private mutating func pull(_ node: Int) {
        let child = best[2 * node] >= best[2 * node + 1] ? 2 * node : 2 * node + 1
        best[node] = best[child] + added[node]
        bestIndex[node] = bestIndex[child]
    }

    /// Adds to numbers 0..<end.
    mutating func add(_ amount: Double, before end: Int) {
        guard end > 0 else { return }
        if end >= size {
            best[1] += amount
            added[1] += amount
            return
        }
        // Down to `end`; every left sibling on the way lies before it.
        var node = size + end
        while node > 1 {
            if node & 1 == 1 {
                best[node - 1] += amount
                added[node - 1] += amount
            }
            node /= 2
            pull(node)
        }
    }

    /// The greatest of a range that is not empty, and where it is.
    func maximum(in range: Range<Int>) -> (value: Double, index: Int) {
        var result = (value: -Double.infinity, index: range.lowerBound)
        visit(1, 0, size, range, 0, &result)
        return result
    }

    private func visit(
        _ node: Int, _ low: Int, _ high: Int, _ range: Range<Int>, _ above: Double,
        _ result: inout (value: Double, index: Int)
    ) {
        guard low < range.upperBound, range.lowerBound < high, best[node] + above > result.value else { return }
        if range.lowerBound <= low, high <= range.upperBound {
            result = (best[node] + above, Int(bestIndex[node]))
            return
        }
        let middle = (low + high) / 2
        visit(2 * node, low, middle, range, above + added[node], &result)
        visit(2 * node + 1, middle, high, range, above + added[node], &result)
    }
}
