package import HTTPWire
import NIOCore
package import WeirConfiguration

/// Which route a request takes, by its host, its canonical path, and what else routes ask for. `RouteOrder` says which one of
/// several that would take it.
///
/// A look-up is one pass over the host, and one over the path for each host that matches: the name itself, wildcards, and none.
/// It does not depend on how many routes there are, but for those of one host and path, which differ in their methods and
/// conditions alone and are tried one after the other; and it allocates nothing.
package struct RouteTable: ~Copyable, Sendable {
    /// A service's index and the index of one of its routes.
    package struct Place: Hashable, Sendable {
        package let service: Int
        package let route: Int
    }

    package enum Outcome: Hashable, Sendable {
        case found(Place)
        /// Routes would take the request, had it one of these methods.
        case notAllowed(MethodSet)
        case none
    }

    /// Numbers of roots; below zero: there are no such routes.
    private struct HostRoots: Sendable {
        var whole: Int32 = -1
        var below: Int32 = -1
    }

    private let tree: RouteTree
    /// By the host's name from its end to its start, so that all its endings are found in one pass.
    private let hosts: ByteTable
    private let roots: [HostRoots]
    private let rootOfAnyHost: Int32

    package init(_ services: [Service]) {
        var declared: [(route: Route, place: Place, order: RouteOrder)] = []
        for (service, definition) in services.enumerated() {
            for (index, route) in definition.routes.enumerated() {
                let order = RouteOrder(route, declared: declared.count)
                declared.append((route, Place(service: service, route: index), order))
            }
        }
        declared.sort { $0.order.comes(before: $1.order) }
        var numbers: [String?: Int] = [:]
        let hostOfRoute = declared.map { entry in
            let host = entry.route.host?.lowercased()
            if let known = numbers[host] { return known }
            numbers[host] = numbers.count
            return numbers.count - 1
        }
        var roots = Array(repeating: Int32(0), count: numbers.count)
        tree = RouteTree(declared.map { ($0.route, $0.place) }, hosts: hostOfRoute, roots: &roots)
        rootOfAnyHost = numbers[nil].map { roots[$0] } ?? -1
        var rootsOfName: [String: HostRoots] = [:]
        for case (let host?, let number) in numbers {
            if host.hasPrefix("*.") {
                rootsOfName[String(host.dropFirst(2)), default: HostRoots()].below = roots[number]
            } else {
                rootsOfName[host, default: HostRoots()].whole = roots[number]
            }
        }
        let names = rootsOfName.keys.sorted()
        hosts = ByteTable(names.enumerated().map { (Array($1.utf8.reversed()), $0) })
        self.roots = names.compactMap { rootsOfName[$0] }
    }

    /// `host` is a Host field's value, with or without a port, in any case; `path` is canonical.
    package func find(
        host: UnsafeRawBufferPointer, path: UnsafeRawBufferPointer, for head: borrowing RequestHead
    ) -> Outcome {
        var search = RouteTree.Search()
        if !hosts.isEmpty { find(host, path, head, &search) }
        if rootOfAnyHost >= 0 { tree.search(from: rootOfAnyHost, path, head, &search) }
        if let place = tree.place(search) { return .found(place) }
        return search.allowed.isEmpty ? .none : .notAllowed(search.allowed)
    }

    /// DNS names end at 253 bytes; no longer one is looked up.
    private static let longestHost = 255

    private func find(
        _ host: UnsafeRawBufferPointer, _ path: UnsafeRawBufferPointer, _ head: borrowing RequestHead,
        _ search: inout RouteTree.Search
    ) {
        let length = Self.nameLength(host)
        guard length > 0, length <= Self.longestHost else { return }
        withUnsafeTemporaryAllocation(byteCount: length, alignment: 1) { reversed in
            var hash = ByteTable.Hash()
            for index in 0..<length {
                let byte = host[length - 1 - index]
                if byte == UInt8(ascii: "."), index + 1 < length, let found = find(reversed, index, hash),
                    found.below >= 0
                {
                    tree.search(from: found.below, path, head, &search)
                }
                reversed[index] = byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
                hash.add(reversed[index])
            }
            if let found = find(reversed, length, hash), found.whole >= 0 {
                tree.search(from: found.whole, path, head, &search)
            }
        }
    }

    private func find(
        _ reversed: UnsafeMutableRawBufferPointer, _ length: Int, _ hash: ByteTable.Hash
    ) -> HostRoots? {
        hosts.find(UnsafeRawBufferPointer(rebasing: reversed[..<length]), hash: hash).map { roots[$0] }
    }

    /// Without port, and without the dot that may end a name.
    static func nameLength(_ host: UnsafeRawBufferPointer) -> Int {
        // An IPv6 address has colons of its own, within brackets.
        let portStart = host.first == UInt8(ascii: "[") ? host.firstIndex(of: UInt8(ascii: "]")) ?? 0 : 0
        let end = host[portStart...].firstIndex(of: UInt8(ascii: ":")) ?? host.count
        return end > 1 && host[end - 1] == UInt8(ascii: ".") ? end - 1 : end
    }
}

extension RouteTable {
    /// Where a request would go, given as clients would write it: `path` maybe with a query, `fields` as lines without their ends.
    /// nil: it is refused before it is routed.
    package func find(method: String, host: String, path: String, fields: [String] = []) -> Outcome? {
        let lines = ["\(method) \(path) HTTP/1.1", "Host: \(host.isEmpty ? "-" : host)"] + fields + ["", ""]
        var buffer = ByteBuffer(string: lines.joined(separator: "\r\n"))
        var reader = RequestReader()
        var canonical = CanonicalPath()
        guard case .head? = try? reader.next(&buffer), buffer.readableBytes == 0,
            (try? canonical.resolve(reader.head)) != nil
        else { return nil }
        return Array(host.utf8).withUnsafeBytes { host in
            canonical.withBytes(of: reader.head) { find(host: host, path: $0, for: reader.head) }
        }
    }
}
