/// How upstreams are looked up.
package struct DNSSettings: Hashable, Sendable {
    /// Each with an address and a port; empty: the system's, of /etc/resolv.conf.
    package var servers: [ListenAddress] = []
    /// Answers are used for their time to live, but never shorter than this and never longer than the next.
    package var minimumTTL = Duration.seconds(1)
    package var maximumTTL = Duration.seconds(300)
    /// For one answer of one server; whole seconds.
    package var timeout = Duration.seconds(2)

    package static let mostServers = 3

    package init() {}
}
