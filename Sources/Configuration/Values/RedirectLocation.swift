/// Where redirects lead: to another authority that the configuration alone names, or to a path of this one.
enum RedirectLocation {
    private static let someHost = "weir-host.invalid"
    private static let somethingElse = "\u{1}"

    /// No value of a request can change the authority: there, only text and a lone `${host}` may stand.
    static func parse(_ text: String, parameters: [String]?) throws(ConfigurationError) -> Template {
        let template = try Template(parsing: text, parameters: parameters)
        try checkCharacters(template, text)
        let example = template.example(host: someHost, other: somethingElse)
        var rest = example[...]
        if let scheme = ["https://", "http://"].first(where: { rest.hasPrefix($0) }) {
            rest = rest.dropFirst(scheme.count)
            let authority = rest.prefix { $0 != "/" && $0 != "?" }
            guard !authority.contains(somethingElse) else {
                throw ConfigurationError(
                    "a variable would choose the host in `\(text)`; only text or ${host} may stand before the path, which begins with `/` or ${path}"
                )
            }
            guard authority.contains(someHost) else { return try checked(template, authority) }
            guard authority == someHost || authority.hasPrefix(someHost + ":") else {
                throw ConfigurationError(
                    "`${host}` in `\(text)` is not the whole host; write it alone, or leave it out")
            }
            return try checked(template, authority)
        }
        // Not every request has a value for each variable.
        let shortest = template.example(host: "", other: "")
        guard rest.hasPrefix("/") else {
            throw ConfigurationError("`\(text)` does not start with https://, http://, `/` or ${path}")
        }
        guard !rest.hasPrefix("//") else {
            throw ConfigurationError("`\(text)` begins with `//`, behind which stands a host; leave one `/` out")
        }
        guard !shortest.hasPrefix("//") else {
            throw ConfigurationError(
                "`\(text)` begins with `//` where a variable is empty, and behind that stands a host; write text between them"
            )
        }
        return template
    }

    private static func checked(
        _ template: Template, _ authority: some StringProtocol
    ) throws(ConfigurationError) -> Template {
        try checkHost(String(authority))
        return template
    }

    /// `host` or `host:port`.
    static func checkHost(_ text: String) throws(ConfigurationError) {
        do {
            _ = try HostPort(parsing: text, ports: 1...65_535)
        } catch {
            throw ConfigurationError("\(error.message); write the host like new.example.com")
        }
    }

    private static func checkCharacters(_ template: Template, _ text: String) throws(ConfigurationError) {
        for case .text(let literal) in template.pieces {
            for byte in literal.utf8 where byte <= 0x20 || byte >= 0x7f || "\"#<>\\^`{|}".utf8.contains(byte) {
                let character = byte < 0x7f ? "`\(Character(Unicode.Scalar(byte)))`" : "a character that is not ASCII"
                throw ConfigurationError(
                    "`\(text)` has \(character), which cannot stand in a location; percent-encode it")
            }
        }
    }
}

extension Template {
    /// With values in place of its variables.
    func example(host: String? = nil, other: String) -> String {
        pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .variable(.path), .variable(.pathBelow): "/x"
            case .variable(.host): host ?? other
            case .variable: other
            }
        }.joined()
    }

    var hasQuery: Bool { pieces.contains { if case .text(let text) = $0 { text.contains("?") } else { false } } }
}
