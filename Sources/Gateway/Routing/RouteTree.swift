import HTTPWire
import WeirConfiguration

/// The routes' paths, segment by segment: one tree a host, all in one.
///
/// A path is followed from the root. Where both a literal and a parameter go on, both ways are followed, the literal first, but
/// none that holds only routes which come after the one found already. So a look-up costs one hash a segment where no pattern is
/// in the way. At worst it follows, at each segment, as many ways as the host's patterns have shapes (orders of literals and
/// parameters), which the configuration bounds, whatever the path is.
struct RouteTree: Sendable {
    /// Routes by rank: their place in the order of all routes. The lower one comes first.
    struct Ranked: Sendable {
        let place: RouteTable.Place
        let conditions: RouteConditions
        let needsNothing: Bool
    }

    /// What was found so far.
    struct Search {
        var rank = Int32.max
        /// The methods of routes that take the request but for its own.
        var allowed = MethodSet.none
    }

    private struct Slot: Sendable {
        var start: Int32 = 0
        var end: Int32 = 0

        var isEmpty: Bool { start == end }
    }

    private struct Node: Sendable {
        /// Prefixes that end here.
        var below = Slot()
        /// Exact paths and patterns that end here.
        var end = Slot()
        /// Patterns of which all segments from here on are the rest.
        var rest = Slot()
        var parameter: Int32 = -1
        var hasLiterals = false
        /// The lowest rank here and further on.
        var best = Int32.max
    }

    private var nodes: [Node] = []
    private var literals: SegmentTable
    private let ranked: [Ranked]
    /// The ranks of each slot, in order.
    private var ranks: [Int32] = []

    /// `routes` by rank; `roots` has for each the number of its host, and gets that host's root.
    init(_ routes: [(route: Route, place: RouteTable.Place)], hosts: [Int], roots: inout [Int32]) {
        ranked = routes.map { route, place in
            let conditions = RouteConditions(route)
            return Ranked(place: place, conditions: conditions, needsNothing: conditions.areNone)
        }
        literals = SegmentTable([])
        var builder = Builder(hosts: roots.count)
        for (rank, route) in routes.enumerated() { builder.insert(route.route.match, Int32(rank), hosts[rank]) }
        roots = builder.roots
        literals = SegmentTable(builder.children.map { ($0.key.node, $0.key.segment, $0.value) })
        nodes = builder.nodes
        for (key, list) in builder.lists.sorted(by: { $0.key.node < $1.key.node }) {
            let slot = Slot(start: Int32(ranks.count), end: Int32(ranks.count + list.count))
            ranks += list
            nodes[Int(key.node)][keyPath: key.slot] = slot
        }
    }

    func place(_ search: Search) -> RouteTable.Place? {
        search.rank == .max ? nil : ranked[Int(search.rank)].place
    }

    /// Looks for routes that come before what was found already.
    func search(
        from root: Int32, _ path: UnsafeRawBufferPointer, _ head: borrowing RequestHead, _ search: inout Search
    ) {
        guard path.first == UInt8(ascii: "/") else {
            // The asterisk: what is about the server as a whole goes where everything goes.
            return consider(nodes[Int(root)].below, head, &search)
        }
        follow(root, 0, path, head, &search)
    }

    /// `start`: the offset of the slash behind the segment that led to the node, or the path's end.
    private func follow(
        _ start: Int32, _ startOffset: Int, _ path: UnsafeRawBufferPointer, _ head: borrowing RequestHead,
        _ search: inout Search
    ) {
        var number = start
        var offset = startOffset
        while true {
            let node = nodes[Int(number)]
            guard node.best < search.rank else { return }
            if !node.below.isEmpty { consider(node.below, head, &search) }
            guard offset < path.count else {
                if !node.end.isEmpty { consider(node.end, head, &search) }
                return
            }
            let segment = offset + 1
            if !node.rest.isEmpty, segment < path.count { consider(node.rest, head, &search) }
            guard node.hasLiterals || node.parameter >= 0 else { return }
            var hash = SegmentTable.Hash(number)
            offset = segment
            while offset < path.count, path[offset] != UInt8(ascii: "/") {
                hash.add(path[offset])
                offset &+= 1
            }
            let literal =
                node.hasLiterals
                ? literals.find(number, UnsafeRawBufferPointer(rebasing: path[segment..<offset]), hash) : -1
            let parameter = offset > segment ? node.parameter : -1
            if literal >= 0, parameter >= 0 {
                follow(literal, offset, path, head, &search)
                number = parameter
            } else {
                number = max(literal, parameter)
                guard number >= 0 else { return }
            }
        }
    }

    private func consider(_ slot: Slot, _ head: borrowing RequestHead, _ search: inout Search) {
        for index in Int(slot.start)..<Int(slot.end) {
            let rank = ranks[index]
            guard rank < search.rank else { return }
            if !ranked[Int(rank)].needsNothing {
                guard ranked[Int(rank)].conditions.hold(for: head) else { continue }
                let methods = ranked[Int(rank)].conditions.methods
                guard methods.contains(head.method) else {
                    search.allowed.formUnion(methods)
                    continue
                }
            }
            search.rank = rank
            return
        }
    }

    // MARK: Building

    private struct Builder {
        struct Child: Hashable {
            let node: Int32
            let segment: [UInt8]
        }

        struct List: Hashable {
            let node: Int32
            let slot: WritableKeyPath<Node, Slot>
        }

        var nodes: [Node] = []
        var roots: [Int32] = []
        var children: [Child: Int32] = [:]
        var lists: [List: [Int32]] = [:]

        init(hosts: Int) {
            for _ in 0..<hosts { roots.append(newNode()) }
        }

        private mutating func newNode() -> Int32 {
            nodes.append(Node())
            return Int32(nodes.count - 1)
        }

        private mutating func literal(_ node: Int32, _ segment: [UInt8]) -> Int32 {
            let key = Child(node: node, segment: segment)
            if let known = children[key] { return known }
            let child = newNode()
            children[key] = child
            nodes[Int(node)].hasLiterals = true
            return child
        }

        private mutating func parameter(_ node: Int32) -> Int32 {
            if nodes[Int(node)].parameter < 0 { nodes[Int(node)].parameter = newNode() }
            return nodes[Int(node)].parameter
        }

        mutating func insert(_ match: Route.Match, _ rank: Int32, _ host: Int) {
            var segments: [RoutePattern.Segment]
            var slot: WritableKeyPath<Node, Slot> = \.end
            switch match {
            case .prefix("/"): (segments, slot) = ([], \.below)
            case .prefix(let path): (segments, slot) = (Self.literals(path), \.below)
            case .exact(let path): segments = Self.literals(path)
            case .pattern(let pattern): segments = pattern.segments
            }
            if case .rest? = segments.last {
                segments.removeLast()
                slot = \.rest
            }
            var node = roots[host]
            note(rank, at: node)
            for segment in segments {
                if case .literal(let text) = segment {
                    node = literal(node, Array(text.utf8))
                } else {
                    node = parameter(node)
                }
                note(rank, at: node)
            }
            lists[List(node: node, slot: slot), default: []].append(rank)
        }

        private mutating func note(_ rank: Int32, at node: Int32) {
            nodes[Int(node)].best = min(nodes[Int(node)].best, rank)
        }

        private static func literals(_ path: String) -> [RoutePattern.Segment] {
            path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map { .literal(String($0)) }
        }
    }
}
