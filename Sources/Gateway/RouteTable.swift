import HTTPWire
package import WeirConfiguration

/// Which route a request takes, by its host and canonical path.
///
/// Routes with a host come before those without, longer paths before shorter ones, and a path ends where a segment ends.
/// A look-up is one pass over host and path, however many routes there are, and allocates nothing.
package struct RouteTable: ~Copyable, Sendable {
    /// A service's index and the index of one of its routes.
    package struct Place: Hashable, Sendable {
        package let service: Int
        package let route: Int
    }

    private struct Paths: Sendable {
        private let table: ByteTable
        private let root: Int?
        private let longest: Int
        /// Whether a route's path ends in `/`, so that it matches only what goes on behind it.
        private let hasDirectories: Bool

        init(_ routes: [(path: String, number: Int)]) {
            root = routes.first { $0.path == "/" }?.number
            let others = routes.filter { $0.path != "/" }
            table = ByteTable(others.map { (Array($0.path.utf8), $0.number) })
            longest = others.map(\.path.utf8.count).max() ?? 0
            hasDirectories = others.contains { $0.path.utf8.last == UInt8(ascii: "/") }
        }

        func longestMatch(_ path: UnsafeRawBufferPointer) -> Int? {
            var match = root
            var hash = ByteTable.Hash()
            let end = min(path.count, longest)
            for index in 0..<end {
                let byte = path[index]
                guard byte == UInt8(ascii: "/") else {
                    hash.add(byte)
                    continue
                }
                if let found = find(path, index, hash) { match = found }
                hash.add(byte)
                if hasDirectories, let found = find(path, index + 1, hash) { match = found }
            }
            if end == path.count || path[end] == UInt8(ascii: "/"), let found = find(path, end, hash) { match = found }
            return match
        }

        private func find(_ path: UnsafeRawBufferPointer, _ length: Int, _ hash: ByteTable.Hash) -> Int? {
            table.find(UnsafeRawBufferPointer(rebasing: path[..<length]), hash: hash)
        }
    }

    private let places: [Place]
    private let hosts: ByteTable
    private let pathsOfHost: [Paths]
    private let pathsOfAnyHost: Paths

    package init(_ services: [Service]) {
        var places: [Place] = []
        var names: [String] = []
        var ofHost: [String: [(path: String, number: Int)]] = [:]
        var ofAnyHost: [(path: String, number: Int)] = []
        for (service, definition) in services.enumerated() {
            for (route, definition) in definition.routes.enumerated() {
                let entry = (path: definition.path, number: places.count)
                places.append(Place(service: service, route: route))
                if let host = definition.host {
                    if ofHost[host] == nil { names.append(host) }
                    ofHost[host, default: []].append(entry)
                } else {
                    ofAnyHost.append(entry)
                }
            }
        }
        self.places = places
        hosts = ByteTable(names.enumerated().map { (Array($1.lowercased().utf8), $0) })
        pathsOfHost = names.map { Paths(ofHost[$0] ?? []) }
        pathsOfAnyHost = Paths(ofAnyHost)
    }

    /// `host` is a Host field's value, with or without a port, in any case.
    package func find(host: UnsafeRawBufferPointer, path: UnsafeRawBufferPointer) -> Place? {
        if !hosts.isEmpty, let index = index(ofHost: host), let found = pathsOfHost[index].longestMatch(path) {
            return places[found]
        }
        return pathsOfAnyHost.longestMatch(path).map { places[$0] }
    }

    /// Where a request for this path goes that is written as clients may write it, and maybe with a query; nil: nowhere, or it is refused.
    package func find(host: String, path: String) -> Place? {
        guard let path = try? CanonicalPath.of(Array(path.prefix { $0 != "?" }.utf8)) else { return nil }
        return Array(host.utf8).withUnsafeBytes { host in path.withUnsafeBytes { find(host: host, path: $0) } }
    }

    /// DNS names end at 253 bytes; no longer one is looked up.
    private static let longestHost = 255

    private func index(ofHost host: UnsafeRawBufferPointer) -> Int? {
        // An IPv6 address has colons of its own, within brackets.
        let portStart = host.first == UInt8(ascii: "[") ? host.firstIndex(of: UInt8(ascii: "]")) ?? 0 : 0
        var end = host[portStart...].firstIndex(of: UInt8(ascii: ":")) ?? host.count
        if end > 1, host[end - 1] == UInt8(ascii: ".") { end -= 1 }
        guard end > 0, end <= Self.longestHost else { return nil }
        return withUnsafeTemporaryAllocation(byteCount: end, alignment: 1) { lowercase in
            var hash = ByteTable.Hash()
            for index in 0..<end {
                let byte = host[index]
                lowercase[index] = byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
                hash.add(lowercase[index])
            }
            return hosts.find(UnsafeRawBufferPointer(lowercase), hash: hash)
        }
    }
}
