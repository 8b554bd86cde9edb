import LimiterCore

/// A host and a port as they stand in addresses and URLs: `host`, `host:port`, `[::1]:port`.
struct HostPort {
    /// Lowercase; IPv6 addresses without brackets.
    var host: String
    var port: Int?

    /// `range` is that of the ports that may be.
    init(parsing text: String, ports range: ClosedRange<Int>) throws(ConfigurationError) {
        var rest = text[...]
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else {
                throw ConfigurationError("`[` in the address `\(text)` has no `]`")
            }
            let address = rest[rest.index(after: rest.startIndex)..<end]
            guard address.contains(":"), ClientAddress(parsing: String(address)) != nil else {
                throw ConfigurationError("`\(address)` is not an IPv6 address")
            }
            host = address.lowercased()
            rest = rest[rest.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else {
                throw ConfigurationError("only `:port` may follow the brackets in `\(text)`")
            }
        } else {
            let name = rest.prefix { $0 != ":" }
            rest = rest.dropFirst(name.count)
            guard !rest.dropFirst().contains(":") else {
                throw ConfigurationError("`\(text)` has several colons; write an IPv6 address in brackets, like [::1]")
            }
            guard !name.isEmpty else { throw ConfigurationError("`\(text)` has no host") }
            guard Self.isHostName(name) else { throw ConfigurationError("`\(name)` is not a host's name or address") }
            host = name.lowercased()
        }
        port = nil
        guard !rest.isEmpty else { return }
        let digits = rest.dropFirst()
        guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(digits),
            range.contains(number)
        else {
            throw ConfigurationError(
                "`\(digits)` is not a port; use a number from \(range.lowerBound) to \(range.upperBound)")
        }
        port = number
    }

    /// Names of RFC 1123 with underscores, which some clusters' names have; and IPv4 addresses, of which all four parts must be there.
    static func isHostName(_ name: some StringProtocol) -> Bool {
        guard (1...253).contains(name.utf8.count) else { return false }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        let isNumeric = labels.last?.allSatisfy { $0.isASCII && $0.isNumber } ?? false
        if isNumeric { return ClientAddress(parsing: String(name)) != nil }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
        }
    }
}

extension ListenAddress {
    /// Reads `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`; port 0 takes a free one.
    package init(parsing text: String) throws(ConfigurationError) {
        let example = "write it like 127.0.0.1:8080 or [::1]:8080"
        if text.hasPrefix(":"), !text.hasPrefix("::") {
            throw ConfigurationError(
                "the address `\(text)` has no host; write 127.0.0.1\(text) for this machine alone, or 0.0.0.0\(text) for all"
            )
        }
        if !text.isEmpty, text.allSatisfy({ $0.isASCII && $0.isNumber }) {
            throw ConfigurationError("the address `\(text)` has no host; write 127.0.0.1:\(text)")
        }
        let address: HostPort
        do {
            address = try HostPort(parsing: text, ports: 0...65_535)
        } catch {
            throw ConfigurationError("\(error.message); \(example)")
        }
        guard let port = address.port else { throw ConfigurationError("the address `\(text)` has no port; \(example)") }
        self.init(host: address.host, port: port)
    }
}
