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
        var lines = [["LIMIT", "WHERE", "ALGORITHM", "USED", "OF", "LEFT", "WINDOW", "FULL AGAIN"]]
        for row in budget.limits {
            let place = [row.service ?? "all", row.route].compactMap(\.self).joined(separator: " ")
            lines.append([
                row.name, place, row.algorithm, row.used.map(String.init) ?? "-", String(row.limit),
                row.remaining.map(String.init) ?? "-", row.window_seconds.map { "\($0) s" } ?? row.period ?? "-",
                row.reset_after_seconds.map { $0 == 0 ? "now" : "in \(Self.seconds($0)) s" } ?? "-",
            ])
        }
        let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        let table = lines.map { line in
            let cells = zip(line, widths).enumerated().map { column, cell in
                let padding = String(repeating: " ", count: cell.1 - cell.0.count)
                return Self.numeric.contains(column) ? padding + cell.0 : cell.0 + padding
            }
            return cells.joined(separator: "  ").trimmedEnd
        }
        var text = "tenant \(budget.tenant)\n" + table.joined(separator: "\n")
        if budget.degraded { text += "\ndegraded: Redis did not decide; these are this replica's own numbers" }
        self.text = text
    }

    private static let numeric: Set<Int> = [3, 4, 5, 6]

    private static func seconds(_ value: Double) -> String { Int64(exactly: value).map(String.init) ?? "\(value)" }
}

extension String {
    fileprivate var trimmedEnd: String { String(self[..<(lastIndex { $0 != " " }.map(index(after:)) ?? startIndex)]) }
}
