/// Rows of text in aligned columns.
struct AlignedTable {
    private var lines: [[String]]
    private let numeric: Set<Int>

    /// `numeric`: the columns whose cells stand right.
    init(_ titles: String..., numeric: Set<Int> = []) {
        lines = [titles]
        self.numeric = numeric
    }

    /// One cell a column.
    mutating func add(_ cells: String...) { lines.append(cells) }

    var text: String {
        let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        let rows = lines.map { line in
            let cells = zip(line, widths).enumerated().map { column, cell in
                let padding = String(repeating: " ", count: cell.1 - cell.0.count)
                return numeric.contains(column) ? padding + cell.0 : cell.0 + padding
            }
            return cells.joined(separator: "  ").trimmedEnd
        }
        return rows.joined(separator: "\n")
    }
}

extension String {
    fileprivate var trimmedEnd: String { String(self[..<(lastIndex { $0 != " " }.map(index(after:)) ?? startIndex)]) }
}
