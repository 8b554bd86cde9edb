/// Where requests can be sent: a host by name or address, or one address of a name that discovery has looked up.
package struct Upstream: Hashable, Sendable, CustomStringConvertible {
    package var usesTLS: Bool
    /// What Host, SNI and the certificate call it.
    package var host: String
    package var port: Int
    /// The IPv4 or IPv6 address to connect to; nil: `host` is one, or is looked up at each connect.
    package var address: String?

    package init(usesTLS: Bool, host: String, port: Int, address: String? = nil) {
        self.usesTLS = usesTLS
        self.host = host
        self.port = port
        self.address = address
    }

    /// What a connection is opened to.
    package var destination: String { address ?? host }

    package var description: String {
        let name = "\(usesTLS ? "https" : "http")://\(Self.bracketed(destination)):\(port)"
        return address == nil ? name : "\(name) (\(host))"
    }

    /// What a Host field calls it.
    package var authority: String { "\(Self.bracketed(host)):\(port)" }

    private static func bracketed(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }
}
