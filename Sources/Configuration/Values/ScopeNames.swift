/// Scopes of RFC 6749 §3.3.
enum ScopeNames {
    /// A list of scopes; nil where the key is missing or not a list.
    static func read(_ key: String, _ section: Section) -> [String]? {
        guard let list = section.list(key, of: "scopes like orders:read") else { return nil }
        var scopes: [String] = []
        for element in list {
            guard case .scalar(let text, _) = element.content, isValid(text) else {
                section.faults.add(
                    "\(element.kind) in `\(section.title(key))` is not a scope; use visible ASCII characters without spaces, quotes and backslashes",
                    element.position)
                continue
            }
            if !scopes.contains(text) { scopes.append(text) }
        }
        return scopes
    }

    private static func isValid(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
            }
    }
}
