/// A text with variables of the request: `Bearer ${tenant}`. `$$` is a dollar.
package struct Template: Hashable, Sendable {
    package enum Variable: Hashable, Sendable {
        case tenant, requestID, clientIP, method
        /// Of the request, lowercase, without port.
        case host
        /// The canonical one.
        case path
        /// What of the path follows the route's prefix: empty, or it starts with `/`. `orRoot`: `/` instead of nothing.
        case pathBelow(orRoot: Bool)
        /// Without its question mark.
        case query
        case service, route
        /// By its index in the route's pattern, as it stands in the path.
        case parameter(Int)
        /// The value of the request's first field of that lowercase name.
        case header(String)
        /// What the caller's token claims under this name, where that is one text, whole number or truth value.
        case claim(String)
    }

    package enum Piece: Hashable, Sendable {
        case text(String)
        case variable(Variable)
    }

    package static let maximumBytes = 4096
    package static let maximumVariables = 16

    package var pieces: [Piece]

    package init(_ pieces: [Piece]) { self.pieces = pieces }

    /// `parameters`: the names in the route's pattern; nil: where it stands, there is none.
    package init(parsing text: String, parameters: [String]?) throws(ConfigurationError) {
        guard text.utf8.count <= Self.maximumBytes else {
            throw ConfigurationError("the text is longer than \(Self.maximumBytes) bytes")
        }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            throw ConfigurationError("the text has a control character, like a line break; write it on one line")
        }
        pieces = []
        var literal = ""
        var rest = text[...]
        while let character = rest.popFirst() {
            guard character == "$" else {
                literal.append(character)
                continue
            }
            switch rest.popFirst() {
            case "$": literal.append("$")
            case "{":
                guard let end = rest.firstIndex(of: "}") else {
                    throw ConfigurationError("`${\(rest)` has no `}`")
                }
                if !literal.isEmpty { pieces.append(.text(literal)) }
                literal = ""
                pieces.append(.variable(try Self.variable(String(rest[..<end]), parameters)))
                rest = rest[rest.index(after: end)...]
            default:
                throw ConfigurationError(
                    "a `$` in `\(text)` begins no variable like ${tenant}; write `$$` for a dollar")
            }
        }
        if !literal.isEmpty { pieces.append(.text(literal)) }
        guard variables.count <= Self.maximumVariables else {
            throw ConfigurationError("the text has more than \(Self.maximumVariables) variables")
        }
    }

    package var variables: [Variable] {
        pieces.compactMap { if case .variable(let variable) = $0 { variable } else { nil } }
    }

    private static let words: [(name: String, variable: Variable)] = [
        ("tenant", .tenant), ("request_id", .requestID), ("client_ip", .clientIP), ("method", .method),
        ("host", .host), ("path", .path), ("query", .query), ("service", .service), ("route", .route),
    ]

    private static func variable(_ name: String, _ parameters: [String]?) throws(ConfigurationError) -> Variable {
        if let known = words.first(where: { $0.name == name }) { return known.variable }
        let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        switch (parts[0], parts.count) {
        case ("param", 2): return .parameter(try parameter(parts[1], parameters))
        case ("header", 2):
            guard HeaderName.isValid(parts[1]) else {
                throw ConfigurationError("`\(parts[1])` in `${\(name)}` cannot be a header's name")
            }
            return .header(parts[1].lowercased())
        case ("claim", 2):
            guard (1...128).contains(parts[1].utf8.count) else {
                throw ConfigurationError("`${\(name)}` names no claim; write it like ${claim:department}")
            }
            return .claim(parts[1])
        default:
            let known = words.map(\.name) + ["param:", "header:", "claim:"]
            if let near = Spelling.nearest(parts.count == 2 ? parts[0] + ":" : name, in: known) {
                let meant = near.hasSuffix(":") ? near + (parts.count == 2 ? parts[1] : "name") : near
                throw ConfigurationError("there is no variable `${\(name)}`; did you mean `${\(meant)}`?")
            }
            throw ConfigurationError(
                "there is no variable `${\(name)}`; there are \(words.map(\.name).joined(separator: ", ")), param:<name>, header:<name> and claim:<name>"
            )
        }
    }

    private static func parameter(_ name: String, _ parameters: [String]?) throws(ConfigurationError) -> Int {
        guard let parameters, !parameters.isEmpty else {
            throw ConfigurationError("`${param:\(name)}` belongs to a route that has a `pattern` with {\(name)}")
        }
        if let index = parameters.firstIndex(of: name) { return index }
        if let near = Spelling.nearest(name, in: parameters) {
            throw ConfigurationError("the pattern has no parameter `\(name)`; did you mean `\(near)`?")
        }
        throw ConfigurationError(
            "the pattern has no parameter `\(name)`; there are \(parameters.joined(separator: ", "))")
    }
}
