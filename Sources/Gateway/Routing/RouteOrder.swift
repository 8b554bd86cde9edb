import WeirConfiguration

/// The order in which routes that take the same request come, as numbers: the lexicographically smaller comes first.
///
/// Higher priority; a host before a wildcard, longer ones first, before none; an exact path before a pattern before a prefix;
/// of patterns, more literal segments, then earlier ones; longer prefixes; more conditions, the methods being one; and, of
/// those that are left, the one that is declared first.
struct RouteOrder {
    let numbers: [Int]

    init(_ route: Route, declared: Int) {
        var numbers = [-route.priority]
        switch route.host {
        case nil: numbers += [2, 0]
        case let host? where host.hasPrefix("*."): numbers += [1, -host.utf8.count]
        case .some: numbers += [0, 0]
        }
        switch route.match {
        case .exact: numbers += [0]
        case .pattern(let pattern): numbers += [1] + Self.numbers(pattern)
        case .prefix(let path): numbers += [2, -path.utf8.count]
        }
        numbers += [-(route.conditions.count + (route.methods.isEmpty ? 0 : 1)), declared]
        self.numbers = numbers
    }

    /// As many for all patterns.
    private static func numbers(_ pattern: RoutePattern) -> [Int] {
        var kinds = pattern.segments.map { segment in
            switch segment {
            case .literal: 0
            case .parameter: 1
            case .rest: 2
            }
        }
        let literals = kinds.count { $0 == 0 }
        kinds += Array(repeating: 3, count: max(0, RoutePattern.maximumSegments - kinds.count))
        return [-literals] + kinds
    }

    func comes(before other: RouteOrder) -> Bool { numbers.lexicographicallyPrecedes(other.numbers) }
}
