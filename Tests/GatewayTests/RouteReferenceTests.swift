import Testing
import TestSupport
import WeirConfiguration

@testable import Gateway

/// The same answers by the plainest means: all routes in their order, one after the other.
struct ReferenceRoutes {
    struct Request {
        var method = "GET"
        var host = ""
        var path = "/"
        var fields: [(name: String, value: String)] = []
        var query: [(name: String, value: String)] = []
    }

    private let ordered: [(route: Route, number: Int)]

    init(_ routes: [Route]) {
        ordered = routes.enumerated().map { ($1, $0) }.sorted { Self.comes($0, before: $1) }
    }

    /// Compared one criterion after the other, as they are documented.
    private static func comes(_ a: (route: Route, number: Int), before b: (route: Route, number: Int)) -> Bool {
        if a.route.priority != b.route.priority { return a.route.priority > b.route.priority }
        let hosts = (hostLength(a.route), hostLength(b.route))
        if hosts.0 != hosts.1 { return hosts.0 > hosts.1 }
        let kinds = (kind(a.route), kind(b.route))
        if kinds.0 != kinds.1 { return kinds.0 < kinds.1 }
        switch (a.route.match, b.route.match) {
        case (.pattern(let first), .pattern(let second)):
            if literals(first) != literals(second) { return literals(first) > literals(second) }
            for (one, other) in zip(first.segments, second.segments) where segmentKind(one) != segmentKind(other) {
                return segmentKind(one) < segmentKind(other)
            }
            // No path is taken by both; the order is total nevertheless.
            if first.segments.count != second.segments.count { return first.segments.count > second.segments.count }
        case (.prefix(let first), .prefix(let second)) where first.count != second.count:
            return first.count > second.count
        default: break
        }
        let conditions = (conditionCount(a.route), conditionCount(b.route))
        if conditions.0 != conditions.1 { return conditions.0 > conditions.1 }
        return a.number < b.number
    }

    private static func hostLength(_ route: Route) -> Int {
        guard let host = route.host else { return -1 }
        return host.hasPrefix("*") ? host.count : 1000
    }

    private static func kind(_ route: Route) -> Int {
        switch route.match {
        case .exact: 0
        case .pattern: 1
        case .prefix: 2
        }
    }

    private static func literals(_ pattern: RoutePattern) -> Int { pattern.segments.count { segmentKind($0) == 0 } }

    private static func segmentKind(_ segment: RoutePattern.Segment) -> Int {
        switch segment {
        case .literal: 0
        case .parameter: 1
        case .rest: 2
        }
    }

    private static func conditionCount(_ route: Route) -> Int {
        route.conditions.count + (route.methods.isEmpty ? 0 : 1)
    }

    func find(_ request: Request) -> (number: Int?, allowed: [String]) {
        var allowed: Set<String> = []
        for (route, number) in ordered
        where Self.hostFits(route, request.host) && Self.pathFits(route, request.path)
            && route.conditions.allSatisfy({ Self.holds($0, request) })
        {
            if route.methods.isEmpty || route.methods.contains(request.method) { return (number, []) }
            allowed.formUnion(route.methods)
        }
        return (nil, Route.knownMethods.filter { allowed.contains($0) })
    }

    private static func hostFits(_ route: Route, _ host: String) -> Bool {
        guard let wanted = route.host else { return true }
        guard wanted.hasPrefix("*") else { return wanted == host }
        return host.hasSuffix(wanted.dropFirst()) && host.count > wanted.count - 1
    }

    private static func pathFits(_ route: Route, _ path: String) -> Bool {
        switch route.match {
        case .exact(let wanted): return path == wanted
        case .prefix(let wanted): return wanted == "/" || path == wanted || path.hasPrefix(wanted + "/")
        case .pattern(let pattern):
            let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
            for (index, segment) in pattern.segments.enumerated() {
                guard index < parts.count else { return false }
                switch segment {
                case .literal(let text): guard parts[index] == text else { return false }
                case .parameter: guard !parts[index].isEmpty else { return false }
                case .rest: return !parts[index].isEmpty
                }
            }
            return parts.count == pattern.segments.count
        }
    }

    private static func holds(_ condition: RouteCondition, _ request: Request) -> Bool {
        let value: String? =
            switch condition.source {
            case .header(let name): request.fields.first { $0.name == name }?.value
            case .query(let name): request.query.first { $0.name == name }?.value
            }
        return switch condition.test {
        case .equals(let wanted): value == wanted
        case .isPresent: value != nil
        case .isAbsent: value == nil
        }
    }
}

/// The table against the reference, on routes and requests that are made at random of few parts, so that they meet often.
struct RouteReferenceTests {
    private var random = SeededGenerator(for: "RouteReferenceTests")

    private mutating func pick<Element>(_ list: [Element]) -> Element { list.randomElement(using: &random)! }
    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
    private mutating func path(upTo depth: Int) -> String {
        (0..<Int.random(in: 1...depth, using: &random)).map { _ in "/" + pick(["a", "b", "cc", "a-b"]) }.joined()
    }

    private mutating func pattern() -> RoutePattern {
        while true {
            let depth = Int.random(in: 1...4, using: &random)
            var segments: [RoutePattern.Segment] = (0..<depth).map { index in
                chance(50) ? .parameter("p\(index)") : .literal(pick(["a", "b", "cc"]))
            }
            if chance(30) { segments[depth - 1] = .rest("rest") }
            if chance(10) { segments.append(.literal("")) }
            if case .rest? = segments.dropLast().last { continue }
            let pattern = RoutePattern(segments)
            if !pattern.parameters.isEmpty { return pattern }
        }
    }

    private mutating func route(_ number: Int) -> Route {
        let match: Route.Match =
            switch Int.random(in: 0..<3, using: &random) {
            case 0: .prefix(chance(10) ? "/" : path(upTo: 4))
            case 1: .exact(path(upTo: 4) + (chance(20) ? "/" : ""))
            default: .pattern(pattern())
            }
        var route = Route(name: "\(number)", match: match)
        route.host = pick([nil, nil, "x.test", "y.x.test", "*.test", "*.x.test"])
        if chance(30) { route.methods = pick([["GET"], ["GET", "HEAD"], ["POST"]]) }
        let test: RouteCondition.Test = pick([.equals("1"), .isPresent, .isAbsent])
        if chance(20) { route.conditions.append(RouteCondition(.header("x-a"), test)) }
        if chance(20) { route.conditions.append(RouteCondition(.query("q"), test)) }
        if chance(10) { route.priority = Int.random(in: -2...2, using: &random) }
        return route
    }

    private mutating func request() -> ReferenceRoutes.Request {
        var request = ReferenceRoutes.Request()
        request.path = path(upTo: 6) + (chance(20) ? "/" : "")
        request.host = pick(["x.test", "y.x.test", "z.y.x.test", "w.test", "test", "other"])
        request.method = pick(["GET", "HEAD", "POST", "PUT"])
        if chance(40) { request.fields = [("x-a", pick(["1", "2"]))] }
        if chance(40) { request.query = [("q", pick(["1", "2", ""])), ("q", "1")] }
        return request
    }

    @Test func theTableFindsWhatALinearSearchInTheDocumentedOrderFinds() {
        var tests = self
        for size in [1, 3, 10, 30, 100, 300] {
            for _ in 0..<12 {
                let routes = (0..<size).map { tests.route($0) }
                let table = routeTable(routes)
                let reference = ReferenceRoutes(routes)
                for _ in 0..<150 {
                    let request = tests.request()
                    let expected = reference.find(request)
                    let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
                    let found = table.find(
                        method: request.method, host: request.host,
                        path: request.path + (query.isEmpty ? "" : "?" + query),
                        fields: request.fields.map { "\($0.name): \($0.value)" })
                    let outcome: RouteTable.Outcome =
                        if let number = expected.number {
                            .found(RouteTable.Place(service: number, route: 0))
                        } else if expected.allowed.isEmpty {
                            .none
                        } else {
                            .notAllowed(MethodSet(expected.allowed))
                        }
                    #expect(
                        found == outcome,
                        "\(request) among \(routes.map { "\($0.name): \($0.host ?? "") \($0.path) \($0.methods) \($0.conditions)" })"
                    )
                }
            }
        }
    }
}
