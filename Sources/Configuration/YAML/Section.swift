/// A mapping with known keys. It hands out their values, and every value that is not what its key wants is a fault.
struct Section {
    /// As its keys are called in faults; empty: the whole file.
    let name: String
    let position: Position
    let faults: Faults
    private var entries: [String: (key: Position, value: YAMLValue)] = [:]

    /// nil, and a fault, where `value` is not a mapping. Keys that are neither in `keys` nor in `notBuilt` are faults; those in
    /// `notBuilt` too, with the sentence that says what would do instead, and those that `refused` has a sentence for.
    init?(
        _ value: YAMLValue, _ name: String, keys: [String], notBuilt: [String: String] = [:],
        refused: (String) -> String? = { _ in nil }, at place: Position? = nil, _ faults: Faults
    ) {
        self.name = name
        self.faults = faults
        position = place ?? value.position
        guard case .mapping(let pairs) = value.content else {
            let owner = name.isEmpty ? "the file" : "`\(name)`"
            faults.add(
                "\(owner) should be a mapping with keys like `\(keys.prefix(3).joined(separator: "`, `"))`, but is \(value.kind)",
                position)
            return nil
        }
        for (key, value) in pairs {
            guard case .scalar(let text, _) = key.content else {
                faults.add(
                    "a key\(name.isEmpty ? "" : " of `\(name)`") should be a word, but is \(key.kind)", key.position)
                continue
            }
            if keys.contains(text) {
                entries[text] = (key.position, value)
            } else if let hint = notBuilt[text] {
                faults.add("`\(text)` is not built yet; \(hint)", key.position)
            } else if let sentence = refused(text) {
                faults.add(sentence, key.position)
            } else if !RenamedKeys.isMark(text) {
                faults.add(Self.unknown(text, name, keys), key.position)
            }
        }
    }

    private static func unknown(_ key: String, _ section: String, _ keys: [String]) -> String {
        if key == "<<" { return "merge keys (`<<`) are not read; write the keys out" }
        let owner = section.isEmpty ? "the configuration" : "`\(section)`"
        if let near = Spelling.nearest(key, in: keys) {
            return "`\(key)` is not a key of \(owner); did you mean `\(near)`?"
        }
        return "`\(key)` is not a key of \(owner); there are \(keys.joined(separator: ", "))"
    }

    func has(_ key: String) -> Bool { entries[key] != nil }

    /// Whether the mapping under `section` has a key.
    func has(_ key: String, in section: String) -> Bool {
        guard case .mapping(let pairs)? = entries[section]?.value.content else { return false }
        return pairs.contains { if case .scalar(key, _) = $0.key.content { true } else { false } }
    }

    /// Where a key of the mapping under `section` stands; nil: it does not.
    func place(of key: String, in section: String) -> Position? {
        guard case .mapping(let pairs)? = entries[section]?.value.content else { return nil }
        return pairs.first { if case .scalar(key, _) = $0.key.content { true } else { false } }?.key.position
    }

    /// Where a key stands; nil: it does not.
    func place(of key: String) -> Position? { entries[key]?.key }

    /// A key's value as it stands; nil where the key is missing.
    func peek(_ key: String) -> YAMLValue? { entries[key]?.value }

    /// The name of a key with its section's.
    func title(_ key: String) -> String { name.isEmpty ? key : "\(name).\(key)" }

    /// A key's value; nil where the key is missing, and a fault where it has no value.
    func value(_ key: String) -> YAMLValue? {
        guard let (place, value) = entries[key] else { return nil }
        if case .nothing = value.content {
            faults.add("`\(title(key))` has no value; give it one, or remove the key", place)
            return nil
        }
        return value
    }

    func section(_ key: String, keys: [String], notBuilt: [String: String] = [:]) -> Section? {
        guard let (place, _) = entries[key], let value = value(key) else { return nil }
        return Section(value, title(key), keys: keys, notBuilt: notBuilt, at: place, faults)
    }

    func list(_ key: String, of what: String) -> [YAMLValue]? {
        guard let (place, _) = entries[key], let value = value(key) else { return nil }
        guard case .list(let list) = value.content else {
            faults.add("`\(title(key))` should be a list of \(what), but is \(value.kind)", place)
            return nil
        }
        return list
    }

    /// Any scalar, as it is written.
    func text(_ key: String, _ example: String) -> (text: String, position: Position)? {
        guard let (place, _) = entries[key], let value = value(key) else { return nil }
        guard case .scalar(let text, _) = value.content else {
            faults.add("`\(title(key))` should be \(example), but is \(value.kind)", place)
            return nil
        }
        return (text, value.position)
    }

    /// A scalar that `read` makes a value of.
    func read<Value>(
        _ key: String, _ example: String, _ read: (String) throws(ConfigurationError) -> Value
    ) -> Value? {
        guard let (text, position) = text(key, example) else { return nil }
        return faults.at(position) { () throws(ConfigurationError) in try read(text) }
    }

    func bool(_ key: String) -> Bool? {
        guard let (place, _) = entries[key], let value = value(key) else { return nil }
        switch value.content {
        case .scalar("true", isPlain: true): return true
        case .scalar("false", isPlain: true): return false
        default:
            faults.add("`\(title(key))` should be true or false, but is \(value.kind)", place)
            return nil
        }
    }

    func integer(_ key: String, in range: ClosedRange<Int64>) -> Int64? {
        guard let (place, _) = entries[key], let value = value(key) else { return nil }
        return Self.integer(value, "`\(title(key))`", in: range, at: place, faults)
    }

    func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
        integer(key, in: Int64(range.lowerBound)...Int64(range.upperBound)).map(Int.init)
    }

    static func integer(
        _ value: YAMLValue, _ title: String, in range: ClosedRange<Int64>, at place: Position, _ faults: Faults
    ) -> Int64? {
        guard case .scalar(let text, isPlain: true) = value.content, let number = Int64(text) else {
            faults.add("\(title) should be a whole number, but is \(value.kind)", place)
            return nil
        }
        guard range.contains(number) else {
            faults.add(
                "\(title) is \(number); it must be between \(range.lowerBound) and \(range.upperBound)", place)
            return nil
        }
        return number
    }

    func duration(_ key: String, in range: ClosedRange<Duration>) -> Duration? {
        read(key, "a duration like 20ms, 10s or 1m") { text throws(ConfigurationError) in
            let duration = try DurationText.parse(text)
            guard range.contains(duration) else {
                throw ConfigurationError(
                    "`\(title(key))` is \(text); it must be between \(DurationText.describe(range.lowerBound)) and \(DurationText.describe(range.upperBound))"
                )
            }
            return duration
        }
    }

    func bytes(_ key: String, in range: ClosedRange<Int64>) -> Int64? {
        read(key, "a number of bytes like 65536 or 10MiB") { text throws(ConfigurationError) in
            let bytes = try ByteSize.parse(text)
            guard range.contains(bytes) else {
                throw ConfigurationError(
                    "`\(title(key))` is \(text); it must be between \(range.lowerBound) and \(range.upperBound) bytes")
            }
            return bytes
        }
    }

    /// One of the words that `choices` gives a value; `notBuilt` has those that are known and not built.
    func choice<Value>(
        _ key: String, _ choices: [(String, Value)], notBuilt: [String: String] = [:]
    ) -> Value? {
        let words = choices.map(\.0)
        return read(key, "one of \(words.joined(separator: ", "))") { text throws(ConfigurationError) in
            if let choice = choices.first(where: { $0.0 == text }) { return choice.1 }
            if let hint = notBuilt[text] { throw ConfigurationError("`\(key): \(text)` is not built yet; \(hint)") }
            if let near = Spelling.nearest(text, in: words) {
                throw ConfigurationError("`\(text)` is no value of `\(title(key))`; did you mean `\(near)`?")
            }
            throw ConfigurationError(
                "`\(text)` is no value of `\(title(key))`; use \(words.joined(separator: ", "))")
        }
    }
}
