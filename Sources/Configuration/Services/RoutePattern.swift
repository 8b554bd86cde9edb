/// A path with parameters: `/users/{id}/orders`, `/files/{path...}`.
package struct RoutePattern: Hashable, Sendable, CustomStringConvertible {
    package enum Segment: Hashable, Sendable {
        case literal(String)
        /// One segment that is not empty.
        case parameter(String)
        /// All segments from here on, at least one; the last one alone.
        case rest(String)
    }

    package static let maximumParameters = 8
    package static let maximumSegments = 32

    package var segments: [Segment]

    /// Literals in the form in which requests are routed; a last one that is empty stands for a `/` at the end.
    package init(_ segments: [Segment]) { self.segments = segments }

    package init(parsing text: String) throws(ConfigurationError) {
        guard text.hasPrefix("/") else {
            throw ConfigurationError("the pattern `\(text)` does not start with `/`; write /\(text)")
        }
        guard text.utf8.count <= 2048 else { throw ConfigurationError("the pattern is longer than 2048 bytes") }
        let parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= Self.maximumSegments else {
            throw ConfigurationError("the pattern `\(text)` has more than \(Self.maximumSegments) segments")
        }
        segments = []
        for (index, part) in parts.enumerated() {
            segments.append(try Self.segment(String(part), isLast: index == parts.count - 1, of: text))
        }
        let names = parameters
        guard !names.isEmpty else {
            throw ConfigurationError("the pattern `\(text)` has no parameter like {id}; write `exact: \(text)` instead")
        }
        guard names.count <= Self.maximumParameters else {
            throw ConfigurationError("the pattern `\(text)` has more than \(Self.maximumParameters) parameters")
        }
        guard Set(names).count == names.count else {
            throw ConfigurationError("the pattern `\(text)` has two parameters of one name; give each its own")
        }
    }

    private static func segment(_ part: String, isLast: Bool, of text: String) throws(ConfigurationError) -> Segment {
        guard part.contains("{") || part.contains("}") else {
            if part.isEmpty, isLast { return .literal("") }
            guard !part.isEmpty else {
                throw ConfigurationError(
                    "the pattern `\(text)` has an empty segment; requests' `//` are merged, so write one `/`")
            }
            try RoutePath.check("/" + part)
            return .literal(part)
        }
        guard part.hasPrefix("{"), part.hasSuffix("}") else {
            throw ConfigurationError(
                "`\(part)` in the pattern `\(text)` is not a whole segment; a parameter is one, like /{id}/")
        }
        var name = String(part.dropFirst().dropLast())
        let isRest = name.hasSuffix("...")
        if isRest { name.removeLast(3) }
        guard isName(name) else {
            throw ConfigurationError(
                "`{\(name)}` in the pattern `\(text)` has no good name; use up to 32 letters, digits and underscores")
        }
        guard isRest else { return .parameter(name) }
        guard isLast else {
            throw ConfigurationError("`{\(name)...}` takes all that is left, so it must be last in `\(text)`")
        }
        return .rest(name)
    }

    private static func isName(_ text: String) -> Bool {
        (1...32).contains(text.utf8.count)
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    }

    /// Names, in their order.
    package var parameters: [String] {
        segments.compactMap { segment in
            switch segment {
            case .literal: nil
            case .parameter(let name), .rest(let name): name
            }
        }
    }

    package var description: String {
        text {
            "{\($0)}"
        } rest: {
            "{\($0)...}"
        }
    }

    /// The same for two patterns that take the same paths.
    package var withoutNames: String {
        text { _ in
            "{}"
        } rest: { _ in
            "{...}"
        }
    }

    private func text(_ parameter: (String) -> String, rest: (String) -> String) -> String {
        segments.map { segment in
            switch segment {
            case .literal(let text): "/" + text
            case .parameter(let name): "/" + parameter(name)
            case .rest(let name): "/" + rest(name)
            }
        }.joined()
    }
}
