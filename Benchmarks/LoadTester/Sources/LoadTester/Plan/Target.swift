/// Where requests go: one replica and a path.
package struct Target: Hashable, Sendable {
    package let isSecure: Bool
    /// Without brackets.
    package let host: String
    package let port: Int
    /// With the query, begins with a slash. `{tenant}` in it is replaced.
    package let path: String

    /// What the Host field says.
    package var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    package var description: String { "\(isSecure ? "https" : "http")://\(authority)\(path)" }

    package var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }

    package init(parsing text: String) throws(LoadError) {
        func wrong(_ why: String) -> LoadError {
            .usage("`\(text)` \(why); write targets like http://127.0.0.1:8080/payment")
        }
        let scheme: String
        if text.hasPrefix("http://") {
            scheme = "http://"
        } else if text.hasPrefix("https://") {
            scheme = "https://"
        } else {
            throw wrong("does not begin with http:// or https://")
        }
        isSecure = scheme == "https://"
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        var path = rest.dropFirst(authority.count).prefix { $0 != "#" }
        if path.isEmpty || path.first == "?" { path = "/" + path }
        guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw wrong("has a path with characters that must be percent-encoded")
        }
        guard !authority.contains("@") else { throw wrong("has credentials; give them with --header instead") }
        var port = authority[authority.endIndex...]
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { throw wrong("has an open bracket") }
            host = String(authority[authority.index(after: authority.startIndex)..<end])
            port = authority[authority.index(after: end)...]
            guard port.isEmpty || port.hasPrefix(":") else { throw wrong("has no port after the bracket") }
        } else {
            host = String(authority.prefix { $0 != ":" })
            port = authority.dropFirst(host.count)
        }
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { throw wrong("has no host") }
        if port.isEmpty {
            self.port = isSecure ? 443 : 80
        } else {
            guard let number = Int(port.dropFirst()), (1...65_535).contains(number) else {
                throw wrong("has a port that is not between 1 and 65535")
            }
            self.port = number
        }
        self.path = String(path)
    }
}
