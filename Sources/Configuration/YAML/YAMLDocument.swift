import Yams

/// The one place that knows the YAML parser: text to values with places, bounded.
enum YAMLDocument {
    /// Values that a document may have once its aliases are followed.
    static let maximumValues = 500_000
    /// Keys given twice that are told apart; beyond that, the rest of the file is not looked at.
    private static let maximumDuplicates = 16
    /// What the parser calls a key that is a list or a mapping.
    private static let nameOfNoWord = "<uncovertable>"

    /// nil: nothing can be read; the faults say why.
    static func parse(_ yaml: String, _ faults: Faults) -> YAMLValue? {
        var source = RenamedKeys(yaml)
        while true {
            do {
                guard let node = try Parser(yaml: source.text).singleRoot() else {
                    faults.add("the file is empty; start from the sample weir.yaml", .start)
                    return nil
                }
                var budget = maximumValues
                guard let root = value(node, &budget, source) else {
                    faults.add("the file has more than \(maximumValues) values; aliases multiply them", .start)
                    return nil
                }
                if case .nothing = root.content {
                    faults.add("the file is empty; start from the sample weir.yaml", .start)
                    return nil
                }
                reportDuplicates(in: root, source, faults)
                return root
            } catch let error as YamlError {
                if case .duplicatedKeysInMapping(_, let context) = error,
                    source.renamed.count < maximumDuplicates,
                    source.rename(at: Position(line: context.mark.line, column: context.mark.column))
                {
                    continue
                }
                report(error, source, faults)
                return nil
            } catch {
                faults.add("this is not YAML: \(error)", .start)
                return nil
            }
        }
    }

    private static func value(_ node: Node, _ budget: inout Int, _ source: RenamedKeys) -> YAMLValue? {
        budget -= 1
        guard budget >= 0 else { return nil }
        let position = node.mark.map { Position(line: $0.line, column: $0.column) } ?? .start
        switch node {
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain || scalar.style == .any
            let isNothing = isPlain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
            return YAMLValue(
                content: isNothing ? .nothing : .scalar(scalar.string, isPlain: isPlain), position: position)
        case .sequence(let sequence):
            var list: [YAMLValue] = []
            for element in sequence {
                guard let element = value(element, &budget, source) else { return nil }
                list.append(element)
            }
            return YAMLValue(content: .list(list), position: position)
        case .mapping(let mapping):
            var pairs: [(key: YAMLValue, value: YAMLValue)] = []
            for (keyNode, valueNode) in mapping {
                guard let key = value(keyNode, &budget, source), let element = value(valueNode, &budget, source) else {
                    return nil
                }
                pairs.append((key, element))
            }
            return YAMLValue(content: .mapping(pairs), position: position)
        case .alias:
            // The parser follows aliases itself.
            return YAMLValue(content: .nothing, position: position)
        }
    }

    /// Each key that had to be renamed is given again in its mapping: that place is named too.
    private static func reportDuplicates(in root: YAMLValue, _ source: RenamedKeys, _ faults: Faults) {
        guard !source.renamed.isEmpty else { return }
        var reported: Set<Position> = []
        func visit(_ value: YAMLValue) {
            switch value.content {
            case .nothing, .scalar: return
            case .list(let list): list.forEach(visit)
            case .mapping(let pairs):
                for (key, element) in pairs {
                    if let name = source.renamed[key.position], reported.insert(key.position).inserted {
                        let other = pairs.last { pair in
                            if case .scalar(name, _) = pair.key.content { true } else { false }
                        }
                        let line = other.map { " (again on line \($0.key.position.line))" } ?? ""
                        faults.add("the key `\(name)` is given twice\(line); keep one of them", key.position)
                    }
                    visit(element)
                }
            }
        }
        visit(root)
    }

    private static func report(_ error: YamlError, _ source: RenamedKeys, _ faults: Faults) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            let position = Position(line: mark.line, column: mark.column)
            if source.isIndentedByTab(line: position.line) {
                faults.add("a tab stands where the line is indented; use spaces", position)
            } else {
                let place = context.map { " \($0.text) that began on line \($0.mark.line)" } ?? ""
                faults.add(
                    "this is not YAML: \(problem)\(place); check the indentation, quotes and colons here", position)
            }
        case .composer(_, let problem, let mark, _):
            faults.add(
                "this is not YAML that can be used: \(problem); one document whose aliases are defined would do",
                Position(line: mark.line, column: mark.column))
        case .duplicatedKeysInMapping(let keys, let context):
            let names = keys.filter { !RenamedKeys.isMark($0) }.map { "`\($0)`" }.joined(separator: ", ")
            // Keys that are no words have no order, and which of them comes first is by chance.
            let areWords = !keys.contains(Self.nameOfNoWord)
            faults.add(
                areWords
                    ? "keys are given twice in one mapping: \(names); keep one of each"
                    : "keys that are no words are given twice in one mapping; write each key as a word, and once",
                Position(line: context.mark.line, column: context.mark.column))
        case .reader(_, let offset, _, let yaml):
            let line = offset.map { yaml.prefix($0).count { $0.isNewline } + 1 }
            faults.add(
                "a control character stands here, which YAML does not allow; remove it",
                Position(line: line ?? 1, column: 1))
        default: faults.add("this is not YAML: \(error)", .start)
        }
    }
}
