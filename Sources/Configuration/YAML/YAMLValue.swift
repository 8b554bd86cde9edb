/// A place in a file, from 1.
struct Position: Hashable, Sendable {
    var line: Int
    /// In characters.
    var column: Int

    static let start = Position(line: 1, column: 1)
}

/// A YAML value with its place.
struct YAMLValue {
    enum Content {
        /// Nothing, `~` or `null`.
        case nothing
        /// `isPlain`: without quotes, so that it may be meant as a number or a truth value.
        case scalar(String, isPlain: Bool)
        case list([YAMLValue])
        case mapping([(key: YAMLValue, value: YAMLValue)])
    }

    var content: Content
    var position: Position

    /// What it is, for people.
    var kind: String {
        switch content {
        case .nothing: "nothing"
        case .scalar(let text, _): text.utf8.count <= 60 ? "`\(text)`" : "a long text"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }
}
