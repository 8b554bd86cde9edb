/// What the busiest tenants' requests came to, and those of all others together; warm-up excluded.
package struct TenantTable: Codable, Hashable, Sendable {
    package struct Row: Codable, Hashable, Sendable {
        package let tenant: String
        package let counts: Counts
    }

    package struct Counts: Codable, Hashable, Sendable {
        package private(set) var admitted = 0
        package private(set) var refused = 0
        /// Answers of any other status.
        package private(set) var other = 0
        /// Without an answer. What was never sent is nobody's: whose it would have been is drawn when it is sent.
        package private(set) var errors = 0

        mutating func add(_ counts: TenantCounts) {
            admitted += Int(counts.admitted)
            refused += Int(counts.refused)
            other += Int(counts.other)
            errors += Int(counts.failed)
        }
    }

    /// By requests made, most first.
    package let busiest: [Row]
    package let otherTenants: Int
    package let others: Counts

    private static let mostRows = 10

    /// nil where the tenants are anonymous.
    init?(_ counts: [TenantCounts], names: [String]) {
        guard !counts.isEmpty else { return nil }
        // Ties go to who is named first.
        let order = counts.indices.sorted { (counts[$0].total, $1) > (counts[$1].total, $0) }
        busiest = order.prefix(Self.mostRows).map { index in
            var own = Counts()
            own.add(counts[index])
            return Row(tenant: names[index], counts: own)
        }
        var rest = Counts()
        for index in order.dropFirst(Self.mostRows) { rest.add(counts[index]) }
        others = rest
        otherTenants = max(0, counts.count - Self.mostRows)
    }

    static let columns = ["admitted", "refused", "other", "errors", "admitted of all"]

    /// Of all rows, the others' last: whose, and what stands under each of the columns.
    var rows: [(tenant: String, cells: [String])] {
        var rows = busiest.map { ($0.tenant, Self.cells($0.counts)) }
        if otherTenants > 0 { rows.append((NumberText.count(otherTenants, "other"), Self.cells(others))) }
        return rows
    }

    private static func cells(_ counts: Counts) -> [String] {
        let all = counts.admitted + counts.refused + counts.other + counts.errors
        return [counts.admitted, counts.refused, counts.other, counts.errors].map(NumberText.grouped)
            + [all == 0 ? "" : NumberText.percent(100 * Double(counts.admitted) / Double(all))]
    }
}
