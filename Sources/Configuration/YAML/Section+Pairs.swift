extension Section {
    /// A mapping whose keys are names of the configuration's choosing; nil where the key is missing or has no mapping.
    func pairs(_ key: String, of what: String) -> [(name: String, place: Position, value: YAMLValue)]? {
        guard let place = place(of: key), let value = value(key) else { return nil }
        guard case .mapping(let pairs) = value.content else {
            faults.add("`\(title(key))` should be a mapping of \(what), but is \(value.kind)", place)
            return nil
        }
        var list: [(name: String, place: Position, value: YAMLValue)] = []
        for (key, value) in pairs {
            guard case .scalar(let name, _) = key.content else {
                faults.add("a name should be a word, but is \(key.kind)", key.position)
                continue
            }
            if !RenamedKeys.isMark(name) { list.append((name, key.position, value)) }
        }
        return list
    }

    /// A list of scalars; what is none is a fault.
    func words(_ key: String, of what: String) -> [(text: String, position: Position)]? {
        guard let list = list(key, of: what) else { return nil }
        return list.compactMap { element in
            if case .scalar(let text, _) = element.content { return (text, element.position) }
            faults.add("`\(title(key))` should be a list of \(what), but has \(element.kind)", element.position)
            return nil
        }
    }
}
