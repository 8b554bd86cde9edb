/// A replica's part of an amount that the fleet must not exceed together: equal parts, the remainder by rank.
package struct FleetShare: Hashable, Sendable {
    /// How many replicas share, at least 1.
    package var shares: Int
    /// This replica's place among them, from 0; nil: unknown, and then it takes none of the remainder.
    package var rank: Int?

    package init(shares: Int, rank: Int?) {
        self.shares = max(1, shares)
        self.rank = rank
    }

    /// Rounded down, one more for the first replicas while the remainder lasts; 0 for what is not positive.
    package func of(_ amount: Int64) -> Int64 {
        guard amount > 0 else { return 0 }
        let (whole, remainder) = amount.quotientAndRemainder(dividingBy: Int64(shares))
        if shares == 1 { return amount }
        guard let rank, Int64(rank) < remainder else { return whole }
        return whole + 1
    }
}
