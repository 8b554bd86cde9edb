/// Prometheus' text format read back, strictly: what a scraper would refuse is an error here.
struct ParsedExposition {
    struct Sample {
        var name: String
        var labels: [String: String]
        var value: Double
    }

    struct Malformed: Error {
        var line: String
        var reason: String
    }

    private(set) var types: [String: String] = [:]
    private(set) var samples: [Sample] = []

    init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw Malformed(line: text, reason: "the last line does not end") }
        var family = ""
        var seen: Set<String> = []
        for line in text.split(separator: "\n") {
            if line.hasPrefix("# HELP ") { continue }
            if line.hasPrefix("# TYPE ") {
                let parts = line.split(separator: " ")
                family = String(parts[2])
                guard parts.count == 4, types.updateValue(String(parts[3]), forKey: family) == nil else {
                    throw Malformed(line: String(line), reason: "a family's type is given once")
                }
                continue
            }
            let sample = try Self.sample(line)
            let suffixes = types[family] == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
            guard suffixes.contains(where: { sample.name == family + $0 }) else {
                throw Malformed(line: String(line), reason: "a sample outside of its family")
            }
            let key = sample.name + sample.labels.sorted { $0.key < $1.key }.description
            guard seen.insert(key).inserted else { throw Malformed(line: String(line), reason: "a series twice") }
            samples.append(sample)
        }
    }

    subscript(name: String, labels: [String: String]) -> Double? {
        samples.first { $0.name == name && $0.labels == labels }?.value
    }

    func samples(of name: String) -> [Sample] { samples.filter { $0.name == name } }

    private static func sample(_ line: Substring) throws -> Sample {
        let malformed = Malformed(line: String(line), reason: "not a sample")
        let name = line.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") }
        var rest = line.dropFirst(name.count)
        var labels: [String: String] = [:]
        if rest.first == "{" {
            rest = rest.dropFirst()
            while rest.first != "}" {
                let label = rest.prefix { $0 != "=" }
                rest = rest.dropFirst(label.count)
                guard rest.hasPrefix("=\"") else { throw malformed }
                rest = rest.dropFirst(2)
                var value = ""
                while let character = rest.popFirst(), character != "\"" {
                    guard character == "\\" else {
                        value.append(character)
                        continue
                    }
                    switch rest.popFirst() {
                    case "\\": value.append("\\")
                    case "\"": value.append("\"")
                    case "n": value.append("\n")
                    default: throw malformed
                    }
                }
                guard labels.updateValue(value, forKey: String(label)) == nil else { throw malformed }
                if rest.first == "," { rest = rest.dropFirst() } else if rest.first != "}" { throw malformed }
            }
            rest = rest.dropFirst()
        }
        let number = rest.dropFirst()
        let value = number == "+Inf" ? .infinity : number == "NaN" ? .nan : Double(number)
        guard rest.first == " ", !name.isEmpty, let value else { throw malformed }
        return Sample(name: String(name), labels: labels, value: value)
    }
}
