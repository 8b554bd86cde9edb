/// Paths of routes: they must already have the one form in which requests are routed.
enum RoutePath {
    /// `isWhole`: nothing continues it, so that it may end in `/`.
    static func check(_ path: String, isWhole: Bool = false) throws(ConfigurationError) {
        guard path.hasPrefix("/") else {
            throw ConfigurationError("the path `\(path)` does not start with `/`; write /\(path)")
        }
        guard path.utf8.count <= 2048 else { throw ConfigurationError("the path is longer than 2048 bytes") }
        guard path == "/" || isWhole || !path.hasSuffix("/") else {
            throw ConfigurationError(
                "the path `\(path)` ends in `/`; leave that out: a route takes all that continues it after a `/`")
        }
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        guard path == "/" || !segments.dropLast(path.hasSuffix("/") ? 1 : 0).contains("") else {
            throw ConfigurationError(
                "the path `\(path)` has an empty segment; requests' `//` are merged, so write one `/`")
        }
        guard !segments.contains("."), !segments.contains("..") else {
            throw ConfigurationError(
                "the path `\(path)` has a dot segment, which is resolved in requests; write it without")
        }
        if path.hasSuffix("*"), !isWhole {
            throw ConfigurationError(
                "the path `\(path)` has a wildcard; leave it out: a route takes all that continues it after a `/`")
        }
        var rest = Array(path.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"): try checkEscape(rest.prefix(2), path)
            case UInt8(ascii: "?"), UInt8(ascii: "#"):
                throw ConfigurationError(
                    "the path `\(path)` has a query or a fragment; routes are chosen by path alone")
            default:
                guard isAllowed(byte) else {
                    let character =
                        byte < 0x80 ? "`\(Character(Unicode.Scalar(byte)))`" : "a character that is not ASCII"
                    throw ConfigurationError(
                        "the path `\(path)` has \(character), which cannot stand in a request's path; percent-encode it"
                    )
                }
            }
        }
    }

    private static func checkEscape(_ digits: ArraySlice<UInt8>, _ path: String) throws(ConfigurationError) {
        guard digits.count == 2, let high = hexValue(digits.first!), let low = hexValue(digits.last!) else {
            throw ConfigurationError("a `%` in the path `\(path)` is not followed by two hexadecimal digits")
        }
        let byte = high << 4 | low
        let text = String(decoding: digits, as: UTF8.self)
        if isUnreserved(byte) {
            throw ConfigurationError(
                "`%\(text)` in the path `\(path)` is decoded in requests; write `\(Character(Unicode.Scalar(byte)))`")
        }
        guard byte >= 0x20, byte != 0x7F, byte != UInt8(ascii: "/"), byte != UInt8(ascii: "\\"),
            byte != UInt8(ascii: "%"),
            byte != 0xC0, byte != 0xC1
        else {
            throw ConfigurationError("`%\(text)` cannot stand in a route's path like `\(path)`; choose another path")
        }
        guard text == text.uppercased() else {
            throw ConfigurationError("write `%\(text)` in the path `\(path)` in capitals: `%\(text.uppercased())`")
        }
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~".utf8.contains(byte)
        }
    }

    /// RFC 3986's `pchar` and `/`, without `;`, which requests' paths must not have.
    private static func isAllowed(_ byte: UInt8) -> Bool { isUnreserved(byte) || "/!$&'()*+,=:@".utf8.contains(byte) }
}
