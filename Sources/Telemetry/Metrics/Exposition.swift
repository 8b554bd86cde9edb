/// Writes Prometheus' text format 0.0.4.
struct Exposition {
    enum Kind: String {
        case counter, gauge, histogram
    }

    private(set) var text = ""

    /// Begins a family; its samples must follow. `help` nil: none is written.
    mutating func family(_ name: String, _ kind: Kind, _ help: String?) {
        if let help {
            text += "# HELP \(name) "
            for character in help.unicodeScalars {
                switch character {
                case "\\": text += "\\\\"
                case "\n": text += "\\n"
                default: text.unicodeScalars.append(character)
                }
            }
            text += "\n"
        }
        text += "# TYPE \(name) \(kind.rawValue)\n"
    }

    mutating func sample(_ name: String, _ value: Int, _ labels: [(name: String, value: String)] = []) {
        series(name, labels)
        text += "\(value)\n"
    }

    mutating func sample(_ name: String, _ value: Double, _ labels: [(name: String, value: String)] = []) {
        series(name, labels)
        text += Self.number(value)
        text += "\n"
    }

    /// A family with a single sample.
    mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Int) {
        family(name, kind, help)
        sample(name, value)
    }

    mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        family(name, kind, help)
        sample(name, value)
    }

    mutating func histogram(_ name: String, _ help: String, _ histogram: Histogram) {
        family(name, .histogram, help)
        samples(of: name, histogram)
    }

    /// One series of a family of histograms.
    mutating func samples(of name: String, _ histogram: Histogram, _ labels: [(name: String, value: String)] = []) {
        var count = 0
        for (bucket, bound) in Histogram.bounds.enumerated() {
            count += histogram.counts[bucket]
            sample("\(name)_bucket", count, labels + [("le", Self.number(Double(bound) / 1e9))])
        }
        count += histogram.counts[Histogram.bounds.count]
        sample("\(name)_bucket", count, labels + [("le", "+Inf")])
        sample("\(name)_sum", Double(histogram.sumNanoseconds) / 1e9, labels)
        sample("\(name)_count", count, labels)
    }

    private mutating func series(_ name: String, _ labels: [(name: String, value: String)]) {
        text += name
        for (index, label) in labels.enumerated() {
            text += index == 0 ? "{" : ","
            text += label.name
            text += "=\""
            for character in label.value.unicodeScalars {
                switch character {
                case "\\": text += "\\\\"
                case "\"": text += "\\\""
                case "\n": text += "\\n"
                default: text.unicodeScalars.append(character)
                }
            }
            text += "\""
        }
        text += labels.isEmpty ? " " : "} "
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int(exactly: value) { return "\(whole)" }
        return "\(value)"
    }
}
