import LimiterCore

/// Reads what a request costs: a number, a table of methods, or a request header.
struct CostReader {
    let faults: Faults

    private static let range: ClosedRange<Int64> = 0...Cost.maximum
    private static let example = "write a number, {GET: 1, POST: 5, other: 1} or {header: X-Cost, otherwise: 1}"

    /// nil: the limit says nothing about it, or a fault was found.
    func read(_ limit: Section) -> Cost? {
        guard let place = limit.place(of: "cost"), let value = limit.value("cost") else { return nil }
        switch value.content {
        case .scalar:
            return Section.integer(value, "`\(limit.title("cost"))`", in: Self.range, at: value.position, faults)
                .map(Cost.fixed)
        case .mapping(let pairs):
            let names = pairs.compactMap { pair in
                if case .scalar(let name, _) = pair.key.content { name } else { nil }
            }
            if names.contains(where: { $0.hasPrefix("response") }) {
                faults.add("a cost from the response is not built yet; \(Self.example)", place)
                return nil
            }
            return names.contains("header") || names.contains("otherwise")
                ? readHeader(value, limit, place) : readMethods(pairs, place)
        case .nothing, .list:
            faults.add("`\(limit.title("cost"))` should not be \(value.kind); \(Self.example)", place)
            return nil
        }
    }

    private func readHeader(_ value: YAMLValue, _ limit: Section, _ place: Position) -> Cost? {
        guard
            let section = Section(value, limit.title("cost"), keys: ["header", "otherwise"], at: place, faults)
        else { return nil }
        guard section.has("header") else {
            faults.add("`otherwise` belongs to a cost from a header; \(Self.example)", place)
            return nil
        }
        let otherwise = section.integer("otherwise", in: Self.range) as Int64?
        let name = section.read("header", "a header's name") { text throws(ConfigurationError) in
            guard HeaderName.isValid(text) else {
                throw ConfigurationError("`\(text)` cannot be a header's name; use letters, digits and hyphens")
            }
            return text.lowercased()
        }
        return name.map { .header($0, otherwise: otherwise ?? 1) }
    }

    private func readMethods(_ pairs: [(key: YAMLValue, value: YAMLValue)], _ place: Position) -> Cost? {
        var table: [String: Int64] = [:]
        var other: Int64 = 1
        for (key, value) in pairs {
            guard case .scalar(let method, _) = key.content else {
                faults.add("a method should be a word, but is \(key.kind); \(Self.example)", key.position)
                continue
            }
            if RenamedKeys.isMark(method) { continue }
            guard method == "other" || HeaderName.isValid(method) && method == method.uppercased() else {
                faults.add(
                    "`\(method)` is not a method in capitals, nor `other`; \(Self.example)", key.position)
                continue
            }
            guard
                let units = Section.integer(
                    value, "the cost of `\(method)`", in: Self.range, at: value.position, faults)
            else { continue }
            if method == "other" { other = units } else { table[method] = units }
        }
        guard !table.isEmpty else {
            if pairs.allSatisfy({ if case .scalar("other", _) = $0.key.content { true } else { false } }) {
                faults.add("the table of costs names no method; \(Self.example)", place)
            }
            return nil
        }
        return .byMethod(table, other: other)
    }
}
