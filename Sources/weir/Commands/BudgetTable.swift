/// The answer of `GET /v1/tenants/{tenant}/budget`.
struct Budget: Decodable, Sendable {
    struct Row: Decodable, Sendable {
        let name: String
        let service: String?
        let route: String?
        let algorithm: String
        let limit: Int64
        let window_seconds: Int64?
        let period: String?
        let used: Int64?
        let remaining: Int64?
        let reset_after_seconds: Double?
    }

    let tenant: String
    let degraded: Bool
    let limits: [Row]
}

/// A budget in aligned columns.
struct BudgetTable {
    let text: String

    init(_ budget: Budget) {
        var table = AlignedTable(
            "LIMIT", "WHERE", "ALGORITHM", "USED", "OF", "LEFT", "WINDOW", "FULL AGAIN", numeric: [3, 4, 5, 6])
        for row in budget.limits {
            let place = [row.service ?? "all", row.route].compactMap(\.self).joined(separator: " ")
            table.add(
                row.name, place, row.algorithm, row.used.map(String.init) ?? "-", String(row.limit),
                row.remaining.map(String.init) ?? "-", row.window_seconds.map { "\($0) s" } ?? row.period ?? "-",
                row.reset_after_seconds.map { $0 == 0 ? "now" : "in \(Self.seconds($0)) s" } ?? "-")
        }
        var text = "tenant \(budget.tenant)\n\(table.text)"
        if budget.degraded { text += "\ndegraded: Redis did not decide; these are this replica's own numbers" }
        self.text = text
    }

    private static func seconds(_ value: Double) -> String { Int64(exactly: value).map(String.init) ?? "\(value)" }
}
