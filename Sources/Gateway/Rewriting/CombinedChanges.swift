import WeirConfiguration

/// The changes of a service and then those of its route, as what they come to for a message as it came.
struct CombinedChanges {
    /// Of these there are none left under their own name.
    private(set) var gone: [String] = []
    private(set) var renamed: [Rename] = []
    private(set) var written: [NamedTemplate] = []
    private let key: (String) -> String

    /// Names are equal whose keys are.
    init(_ levels: [NamedChanges], key: @escaping (String) -> String) {
        self.key = key
        for level in levels {
            level.remove.forEach { remove($0) }
            rename(level.rename)
            for item in level.set {
                remove(item.name)
                written.append(item)
            }
            written += level.add
        }
    }

    var isEmpty: Bool { gone.isEmpty && written.isEmpty }

    private mutating func remove(_ name: String) {
        renamed.removeAll { key($0.to) == key(name) }
        written.removeAll { key($0.name) == key(name) }
        addGone(name)
    }

    private mutating func addGone(_ name: String) {
        if !gone.contains(where: { key($0) == key(name) }) { gone.append(name) }
    }

    private mutating func rename(_ pairs: [Rename]) {
        func newName(of name: String) -> String? { pairs.first { key($0.from) == key(name) }?.to }
        for index in renamed.indices { renamed[index].to = newName(of: renamed[index].to) ?? renamed[index].to }
        for index in written.indices { written[index].name = newName(of: written[index].name) ?? written[index].name }
        let there = pairs.filter { pair in !gone.contains { key($0) == key(pair.from) } }
        renamed += there
        there.forEach { addGone($0.from) }
    }
}
