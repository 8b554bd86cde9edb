import Gateway
import WeirConfiguration

/// The way of one path among those of many services.
final class RouteMatching: Exercise {
    private let table: RouteTable
    private let host = Array("api.example.com".utf8)
    private let path: [UInt8]
    private var place: RouteTable.Place?

    init(routes: Int) {
        table = RouteTable(
            (0..<routes).map { number in
                let path = "/service-\(number)/items"
                return Service(
                    name: "service-\(number)", routes: [Route(name: path, path: path, host: nil)], upstreams: [])
            })
        path = Array("/service-\(routes / 2)/items/81734/detail".utf8)
    }

    func run(calls: Int) {
        for _ in 0..<calls {
            place = host.withUnsafeBytes { host in path.withUnsafeBytes { table.find(host: host, path: $0) } }
        }
    }

    var outcome: String { place.map { "service \($0.service), route \($0.route)" } ?? "none" }
}
