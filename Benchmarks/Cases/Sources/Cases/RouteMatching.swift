import Gateway
import HTTPWire
import NIOCore
import WeirConfiguration

/// The way of one path among those of many services.
final class RouteMatching: Exercise {
    enum Kind {
        case prefixes
        /// Patterns of some shapes, exact paths and prefixes, with hosts, wildcards and without.
        case mixed
    }

    private let table: RouteTable
    private let host: [UInt8]
    private let path: [UInt8]
    private var reader = RequestReader()
    private var outcomeOfLast = RouteTable.Outcome.none

    /// The path is that of the one in the middle: `routes` is a multiple of 10.
    init(routes: Int, _ kind: Kind = .prefixes) throws {
        let middle = routes / 2
        switch kind {
        case .prefixes:
            table = RouteTable(
                (0..<routes).map { number in
                    let path = "/service-\(number)/items"
                    return Service(
                        name: "service-\(number)", routes: [Route(name: path, path: path, host: nil)], upstreams: [])
                })
            host = Array("api.example.com".utf8)
            path = Array("/service-\(middle)/items/81734/detail".utf8)
        case .mixed:
            table = RouteTable((0..<routes).map { Self.service($0) })
            host = Array("api.example.com".utf8)
            path = Array("/service-\(middle)/users/81734/orders/5".utf8)
        }
        var request = ByteBuffer(string: "GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n")
        _ = try reader.next(&request)
    }

    private static func service(_ number: Int) -> Service {
        let host = ["api.example.com", "*.example.com", nil][number % 3]
        let base = "/service-\(number)"
        let match: Route.Match =
            switch number % 5 {
            case 0:
                .pattern(
                    RoutePattern([
                        .literal("service-\(number)"), .literal("users"), .parameter("id"), .literal("orders"),
                        .parameter("order"),
                    ]))
            case 1: .pattern(RoutePattern([.literal("service-\(number)"), .parameter("id"), .literal("orders")]))
            case 2: .pattern(RoutePattern([.literal("service-\(number)"), .rest("path")]))
            case 3: .exact(base + "/health")
            default: .prefix(base + "/items")
            }
        return Service(name: "service-\(number)", routes: [Route(name: base, match: match, host: host)], upstreams: [])
    }

    func run(calls: Int) {
        for _ in 0..<calls {
            outcomeOfLast = host.withUnsafeBytes { host in
                path.withUnsafeBytes { table.find(host: host, path: $0, for: reader.head) }
            }
        }
    }

    var outcome: String {
        if case .found(let place) = outcomeOfLast { "service \(place.service), route \(place.route)" } else { "none" }
    }
}
