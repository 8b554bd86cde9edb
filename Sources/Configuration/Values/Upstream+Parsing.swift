import LimiterCore

extension Upstream {
    /// Whether the host is an address already.
    package var isAddress: Bool { ClientAddress(parsing: host) != nil }

    /// Reads `http://host[:port]` and `https://host[:port]`.
    package init(parsing url: String) throws(ConfigurationError) {
        let form = "write it like http://127.0.0.1:9001"
        let usesTLS: Bool
        var rest: Substring
        if url.hasPrefix("http://") {
            (usesTLS, rest) = (false, url.dropFirst(7))
        } else if url.hasPrefix("https://") {
            (usesTLS, rest) = (true, url.dropFirst(8))
        } else {
            throw ConfigurationError("the upstream `\(url)` does not start with http:// or https://; \(form)")
        }
        guard !rest.contains("@") else {
            throw ConfigurationError("an upstream's URL has no user and no password; remove what stands before the @")
        }
        guard !rest.contains("?"), !rest.contains("#") else {
            throw ConfigurationError("the upstream `\(url)` has a query or a fragment; \(form)")
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard !rest.contains("/") else {
            throw ConfigurationError(
                "the upstream `\(url)` has a path, but requests keep their own; leave it out")
        }
        do {
            let address = try HostPort(parsing: String(rest), ports: 1...65_535)
            self.init(usesTLS: usesTLS, host: address.host, port: address.port ?? (usesTLS ? 443 : 80))
        } catch {
            throw ConfigurationError("the upstream `\(url)` is wrong: \(error.message); \(form)")
        }
    }
}
