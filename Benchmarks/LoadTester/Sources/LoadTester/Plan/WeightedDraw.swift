/// Draws an index with given weights in constant time (alias method, Vose 1991).
package struct WeightedDraw: Sendable {
    private var threshold: [Double]
    private var alias: [Int32]
    /// All weights are equal.
    private let isUniform: Bool
    package let count: Int

    /// Weights are at least 0 and not all 0.
    package init(weights: [Double]) {
        count = weights.count
        isUniform = Set(weights).count <= 1
        threshold = []
        alias = []
        guard !isUniform else { return }
        let mean = weights.reduce(0, +) / Double(count)
        threshold = weights.map { $0 / mean }
        alias = (0..<Int32(count)).map { $0 }
        var small: [Int] = []
        var large: [Int] = []
        for (index, weight) in threshold.enumerated() {
            if weight < 1 { small.append(index) } else { large.append(index) }
        }
        while let less = small.popLast(), let more = large.last {
            alias[less] = Int32(more)
            threshold[more] -= 1 - threshold[less]
            if threshold[more] < 1 { small.append(large.removeLast()) }
        }
        // What rounding has left over.
        for index in large { threshold[index] = 1 }
    }

    package func next(_ random: inout SeededRandom) -> Int {
        guard count > 1 else { return 0 }
        let index = random.below(count)
        if isUniform || random.fraction() < threshold[index] { return index }
        return Int(alias[index])
    }
}
