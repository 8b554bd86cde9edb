package struct Upstream: Hashable, Sendable, CustomStringConvertible {
    package var usesTLS: Bool
    package var host: String
    package var port: Int

    package init(usesTLS: Bool, host: String, port: Int) {
        self.usesTLS = usesTLS
        self.host = host
        self.port = port
    }

    package var description: String {
        "\(usesTLS ? "https" : "http")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }
}
