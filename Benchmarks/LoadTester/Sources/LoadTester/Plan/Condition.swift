/// A figure compared with a number: `p99<5ms`.
package struct Condition: Hashable, Sendable, CustomStringConvertible {
    package enum Comparison: String, CaseIterable, Sendable {
        case atMost = "<="
        case atLeast = ">="
        case equal = "=="
        case different = "!="
        case below = "<"
        case above = ">"

        func holds(_ a: Double, _ b: Double) -> Bool {
            switch self {
            case .atMost: a <= b
            case .atLeast: a >= b
            case .equal: a == b
            case .different: a != b
            case .below: a < b
            case .above: a > b
            }
        }
    }

    package let figure: String
    package let comparison: Comparison
    /// In the figure's own unit.
    package let bound: Double
    /// As it was written.
    package let description: String

    package func holds(_ value: Double) -> Bool { comparison.holds(value, bound) }

    /// Reads a list like `p99<5ms,over_admission==0`. Every figure must be one of `known`.
    package static func parse(
        _ text: String, _ option: String, known: [Figure]
    ) throws(LoadError) -> [Condition] {
        var conditions: [Condition] = []
        for entry in text.split(separator: ",", omittingEmptySubsequences: false) {
            conditions.append(try Condition(parsing: entry.trimmed, option, known: known))
        }
        return conditions
    }

    private init(parsing text: String, _ option: String, known: [Figure]) throws(LoadError) {
        description = text
        let name = String(text.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ".") })
        let rest = text.dropFirst(name.count).trimmed
        guard let comparison = Comparison.allCases.first(where: { rest.hasPrefix($0.rawValue) }), !name.isEmpty else {
            throw .usage(
                "\(option): `\(text)` is not a comparison; write it like p99<5ms or over_admission==0, with <, <=, ==, !=, >= or >"
            )
        }
        guard let figure = known.first(where: { $0.name == name || $0.aliases.contains(name) }) else {
            let near = Spelling.nearest(name, in: known.map(\.name)).map { "; did you mean `\($0)`?" } ?? ""
            throw .usage(
                "\(option): there is no figure `\(name)`\(near)\nThe figures are:\n\(Figure.list(known))")
        }
        self.figure = figure.name
        self.comparison = comparison
        let value = rest.dropFirst(comparison.rawValue.count).trimmed
        if figure.unit == .time {
            guard value != "0" else {
                bound = 0
                return
            }
            bound = Double(try TimeText.parse(value, "\(option) \(name)"))
            return
        }
        var digits = value[...]
        if figure.unit == .percent, digits.hasSuffix("%") { digits = digits.dropLast() }
        guard let number = Double(digits.trimmed.replacing("_", with: "")) else {
            throw .usage("\(option): `\(value)` is not a number that \(name) can be compared with")
        }
        bound = number
    }
}

/// A number of the report that conditions may name.
package struct Figure: Hashable, Sendable {
    package enum Unit: Hashable, Sendable {
        case count, time, percent, perSecond, ratio
    }

    package let name: String
    package let aliases: [String]
    package let unit: Unit
    package let meaning: String

    init(_ name: String, _ unit: Unit, _ meaning: String, aliases: [String] = []) {
        self.name = name
        self.unit = unit
        self.meaning = meaning
        self.aliases = aliases
    }

    /// One a line, with what they mean.
    package static func list(_ figures: [Figure]) -> String {
        let width = figures.map(\.name.count).max() ?? 0
        return figures.map { figure in
            "  \(figure.name)\(String(repeating: " ", count: width - figure.name.count))  \(figure.meaning)"
        }.joined(separator: "\n")
    }
}

/// Which name was meant.
enum Spelling {
    /// The name at the least edit distance; nil where even that is more than a third of the text.
    static func nearest(_ text: String, in names: [String]) -> String? {
        let distances = names.map { ($0, distance(Array(text.utf8), Array($0.utf8))) }
        guard let best = distances.min(by: { $0.1 < $1.1 }), best.1 <= max(1, text.utf8.count / 3) else { return nil }
        return best.0
    }

    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let cost = min(row[j] + 1, row[j + 1] + 1, diagonal + (x == y ? 0 : 1))
                diagonal = row[j + 1]
                row[j + 1] = cost
            }
        }
        return row[b.count]
    }
}
