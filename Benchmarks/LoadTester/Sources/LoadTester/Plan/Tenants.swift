/// Whose requests they are, and how often whose.
package struct Tenants: Sendable {
    package let names: [String]
    package let weights: [Double]
    /// As it was asked for: `zipf:1000:1.1`.
    package let description: String

    /// One that has no name: no tenant field is sent.
    package static let anonymous = Tenants(names: [""], weights: [1], description: "none")

    package var isAnonymous: Bool { names == [""] }

    package static let mostTenants = 1_000_000

    init(names: [String], weights: [Double], description: String) {
        self.names = names
        self.weights = weights
        self.description = description
    }

    /// Reads `acme`, `acme,globex`, `uniform:100`, `zipf:1000`, `zipf:1000:1.2` or `file:tenants.txt` (a name a line, and a
    /// weight after a blank or a comma if any).
    ///
    /// `pattern` names the tenants of a count: `{n}` is 1, 2, … and `{run}` something that no other run has.
    package init(
        parsing text: String, pattern: String, run: String, read: (String) throws -> String
    ) throws(LoadError) {
        description = text
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        func name(_ number: Int) -> String {
            pattern.replacing("{n}", with: String(number)).replacing("{run}", with: run)
        }
        func count(_ text: Substring) throws(LoadError) -> Int {
            guard let count = Int(text), (1...Self.mostTenants).contains(count) else {
                throw .usage("--tenants: `\(text)` must be a count between 1 and \(Self.mostTenants)")
            }
            guard count == 1 || pattern.contains("{n}") else {
                throw .usage("--tenant-name: `\(pattern)` has no {n}, so all tenants would have one name")
            }
            return count
        }
        switch (parts[0], parts.count) {
        case ("uniform", 2):
            let number = try count(parts[1])
            names = (1...number).map(name)
            weights = Array(repeating: 1, count: number)
        case ("zipf", 2):
            let words = parts[1].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let number = try count(words[0])
            guard let exponent = words.count == 2 ? Double(words[1]) : 1, exponent >= 0, exponent <= 10 else {
                throw .usage("--tenants: `\(words[1])` must be an exponent between 0 and 10, like zipf:1000:1.1")
            }
            names = (1...number).map(name)
            weights = (1...number).map { 1 / Self.power(Double($0), exponent) }
        case ("file", 2):
            (names, weights) = try Self.readFile(String(parts[1]), read)
        default:
            names = text.split(separator: ",").map { String($0).replacing("{run}", with: run) }
            weights = Array(repeating: 1, count: names.count)
        }
        guard !names.isEmpty else { throw .usage("--tenants: `\(text)` names nobody") }
        for name in names where name.isEmpty || !name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) {
            throw .usage("--tenants: `\(name)` cannot be sent as the value of a field")
        }
        guard Set(names).count == names.count else { throw .usage("--tenants: a name is there twice") }
    }

    private static func readFile(
        _ path: String, _ read: (String) throws -> String
    ) throws(LoadError) -> ([String], [Double]) {
        let text: String
        do { text = try read(path) } catch { throw .usage("--tenants: \(path) cannot be read: \(error)") }
        var names: [String] = []
        var weights: [Double] = []
        for (index, line) in text.split(whereSeparator: \.isNewline).enumerated() {
            let words = line.split { $0 == "," || $0 == " " || $0 == "\t" }
            guard let name = words.first, !name.hasPrefix("#") else { continue }
            guard words.count <= 2, let weight = words.count == 2 ? Double(words[1]) : 1, weight > 0, weight.isFinite
            else {
                throw .usage("--tenants: \(path), entry \(index + 1): write a name, and a weight over 0 if any")
            }
            names.append(String(name))
            weights.append(weight)
            guard names.count <= mostTenants else { throw .usage("--tenants: \(path) names more than \(mostTenants)") }
        }
        return (names, weights)
    }

    private static func power(_ base: Double, _ exponent: Double) -> Double {
        exponent == 1 ? base : MathFunctions.power(base, exponent)
    }
}
