/// An upstream with its part in a service.
package struct Endpoint: Hashable, Sendable {
    package var upstream: Upstream
    /// 0: it is a spare, which gets requests only where no other of the service can take them.
    package var weight: Int
    /// Endpoints of a greater one get requests only where none of a smaller one can take them.
    package var priority: Int

    package init(_ upstream: Upstream, weight: Int = 1, priority: Int = 0) {
        self.upstream = upstream
        self.weight = weight
        self.priority = priority
    }

    package static let weights = 0...1000
}

/// What an entry of a service's `upstreams` names.
package enum UpstreamSource: Hashable, Sendable, CustomStringConvertible {
    case fixed(Endpoint)
    /// Every address of the name is an endpoint.
    case dns(Upstream, weight: Int)
    case srv(ServiceRecordName)
    /// A file's path.
    case file(String)

    package var isFixed: Bool { if case .fixed = self { true } else { false } }

    /// Whether its endpoints may be spoken to over TLS.
    package var mayUseTLS: Bool {
        switch self {
        case .fixed(let endpoint): endpoint.upstream.usesTLS
        case .dns(let upstream, _): upstream.usesTLS
        case .srv(let name): name.usesTLS
        case .file: true
        }
    }

    package var description: String {
        switch self {
        case .fixed(let endpoint): endpoint.upstream.description
        case .dns(let upstream, _): "dns \(upstream)"
        case .srv(let name): "srv \(name.name)"
        case .file(let path): "file \(path)"
        }
    }
}

/// A name like `_http._tcp.orders.service.consul`, whose SRV records say which hosts and ports serve it.
package struct ServiceRecordName: Hashable, Sendable {
    package var name: String
    package var usesTLS: Bool

    package init(name: String, usesTLS: Bool) {
        self.name = name
        self.usesTLS = usesTLS
    }

    /// The name without its labels of service and protocol: what Host, SNI and the certificate call its endpoints (RFC 6125, 6.2.1).
    package var host: String {
        name.split(separator: ".").drop { $0.hasPrefix("_") }.joined(separator: ".")
    }
}
