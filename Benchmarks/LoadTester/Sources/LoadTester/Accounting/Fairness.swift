/// How evenly something was shared out.
package struct Fairness: Codable, Hashable, Sendable {
    /// Jain's index (Jain, Chiu, Hawe 1984): 1 where all got the same, 1/n where one got all.
    package let jain: Double
    package let least: Double
    package let most: Double
    /// Between how many.
    package let count: Int

    /// nil where there are not two to compare.
    package init?(_ shares: [Double]) {
        guard shares.count >= 2, let least = shares.min(), let most = shares.max() else { return nil }
        let sum = shares.reduce(0, +)
        let squares = shares.reduce(0) { $0 + $1 * $1 }
        jain = squares == 0 ? 1 : sum * sum / (Double(shares.count) * squares)
        self.least = least
        self.most = most
        count = shares.count
    }
}
