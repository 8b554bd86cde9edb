import HTTPWire
import Testing
import WeirConfiguration

@testable import Gateway

/// A service with one route for each of these.
func routeTable(_ routes: [Route]) -> RouteTable {
    RouteTable(routes.map { Service(name: $0.name, routes: [$0], upstreams: []) })
}

extension RouteTable {
    /// The number of the route that a request takes, or nil.
    func number(
        _ path: String, host: String = "weir.test", method: String = "GET", fields: [String] = []
    ) -> Int? {
        guard case .found(let place)? = find(method: method, host: host, path: path, fields: fields) else { return nil }
        return place.service
    }
}

struct RouteTableTests {
    private func table(_ routes: [(path: String, host: String?)]) -> RouteTable {
        routeTable(routes.map { Route(name: $0.path, path: $0.path, host: $0.host) })
    }

    private func pattern(_ text: String, host: String? = nil) throws -> Route {
        Route(name: text, match: .pattern(try RoutePattern(parsing: text)), host: host)
    }

    @Test(arguments: [
        ("/", nil), ("/product", 0), ("/product/", 0), ("/product/7", 0), ("/products", nil), ("/produc", nil),
        ("/product/deep", 1), ("/product/deep/er", 1), ("/product/deeper", 0), ("/payment", 2), ("*", nil),
    ])
    func prefixesMatchByWholeSegmentsLongestFirst(path: String, service: Int?) {
        let routes = table([("/product", nil), ("/product/deep", nil), ("/payment", nil)])
        #expect(routes.number(path) == service)
    }

    @Test func theRootTakesWhateverIsLeft() {
        let routes = table([("/", nil), ("/a", nil)])
        #expect(routes.number("/") == 0)
        #expect(routes.number("/b") == 0)
        #expect(routes.number("/a/b") == 1)
        #expect(routes.number("*", method: "OPTIONS") == 0)
    }

    @Test(arguments: [
        ("a.test", 0), ("A.TEST", 0), ("a.test:8080", 0), ("a.test.", 0), ("b.test", 1), ("", 1), ("[::1]:80", 2),
        ("[::1]", 2), ("a.test.b", 1),
    ])
    func hostsAreComparedWithoutCaseAndPort(host: String, service: Int) {
        let routes = table([("/x", "a.test"), ("/x/long", nil), ("/x", "[::1]")])
        #expect(routes.number("/x/long", host: host) == service)
    }

    @Test(arguments: [
        ("a.example.com", 0), ("b.example.com", 1), ("B.EXAMPLE.COM.:80", 1), ("c.b.example.com", 1),
        ("d.deep.example.com", 2), ("example.com", 3), (".example.com", 3), ("xexample.com", 3),
        ("deep.example.com", 1),
        ("a.example.com.evil", 3), ("example.com.", 3),
    ])
    func aWildcardStandsForOneOrMoreLabelsAndLongerOnesComeFirst(host: String, service: Int) {
        let routes = table([("/", "a.example.com"), ("/", "*.example.com"), ("/", "*.deep.example.com"), ("/", nil)])
        #expect(routes.number("/x", host: host) == service)
    }

    @Test(arguments: [
        ("/a", 0), ("/a/", 1), ("/a/b", 1), ("/", 2), ("/b", nil), ("/c/", 3), ("/c", nil), ("/c/d", nil),
    ])
    func anExactPathIsThatPathAlone(path: String, service: Int?) {
        let routes = routeTable([
            Route(name: "0", match: .exact("/a")), Route(name: "1", match: .prefix("/a")),
            Route(name: "2", match: .exact("/")), Route(name: "3", match: .exact("/c/")),
        ])
        #expect(routes.number(path) == service)
    }

    @Test(arguments: [
        ("/users/7/orders", 0), ("/users/7/orders/", nil), ("/users/7/orders/1", nil), ("/users//orders", 1),
        ("/users/7", 1), ("/users/", nil), ("/users", nil), ("/users/me", 2), ("/users/me/orders", 3),
        ("/users/me/x", nil), ("/files/a", 4), ("/files/a/b/", 4), ("/files/", nil), ("/files", nil),
        ("/files/x/edit", 5), ("/files/x/y/edit", 4),
    ])
    func aPatternTakesWholeSegmentsAndLiteralsComeFirst(path: String, service: Int?) throws {
        let routes = routeTable([
            try pattern("/users/{id}/orders"), try pattern("/users/{id}"),
            Route(name: "me", match: .exact("/users/me")),
            try pattern("/{kind}/me/orders"), try pattern("/files/{path...}"), try pattern("/files/{name}/edit"),
        ])
        let expected = path == "/users/me/orders" ? 0 : service
        #expect(routes.number(path) == expected, "earlier literals come first")
    }

    @Test func moreLiteralsComeBeforeEarlierOnes() throws {
        let routes = routeTable([try pattern("/a/{x}/{y}"), try pattern("/{x}/b/c")])
        #expect(routes.number("/a/b/c") == 1)
        #expect(routes.number("/a/b/d") == 0)
    }

    @Test func methodsDecideAndWhatIsNotAllowedIsSaid() {
        var read = Route(name: "read", match: .prefix("/a"))
        read.methods = ["GET", "HEAD"]
        var write = Route(name: "write", match: .exact("/a/b"))
        write.methods = ["PUT"]
        let routes = routeTable([read, write])
        #expect(routes.number("/a/b") == 0)
        #expect(routes.number("/a/b", method: "PUT") == 1)
        #expect(
            routes.find(method: "POST", host: "x", path: "/a/b") == .notAllowed(MethodSet(["GET", "HEAD", "PUT"])))
        #expect(routes.find(method: "POST", host: "x", path: "/a/c") == .notAllowed(MethodSet(["GET", "HEAD"])))
        #expect(routes.find(method: "POST", host: "x", path: "/c") == RouteTable.Outcome.none)
    }

    @Test(arguments: [
        ("/a", [], nil), ("/a", ["X-Version: 2"], 0), ("/a", ["x-version: 2"], 0), ("/a", ["X-Version: 3"], nil),
        ("/a", ["X-Version: 2", "X-Version: 3"], 0), ("/a", ["X-Version: 3", "X-Version: 2"], nil),
        ("/a", ["X-Version: 2", "X-Old: y"], nil), ("/a", ["X-Version: 2", "Connection: X-Version"], nil),
        ("/b", [], nil), ("/b?beta=1", [], nil), ("/b?beta=1&trace", [], 1), ("/b?beta=%31&trace=", [], 1),
        ("/b?b%65ta=1&trace=7", [], 1), ("/b?beta=2&beta=1&trace", [], nil), ("/b?beta=1&beta=2&trace", [], 1),
        ("/b?beta=1&trace&off=0", [], nil), ("/b?beta=1;trace", [], nil), ("/b?Beta=1&trace", [], nil),
        ("/c?q=a+b%26c", [], 2), ("/c?q=a b", [], nil), ("/c?q=a+b%26", [], nil), ("/c?q=a+b&c", [], nil),
    ])
    func conditionsAskForFieldsAndDecodedParametersOfWhichTheFirstCounts(
        path: String, fields: [String], service: Int?
    ) {
        var versioned = Route(name: "0", match: .prefix("/a"))
        versioned.conditions = [
            RouteCondition(.header("x-version"), .equals("2")), RouteCondition(.header("x-old"), .isAbsent),
        ]
        var beta = Route(name: "1", match: .prefix("/b"))
        beta.conditions = [
            RouteCondition(.query("beta"), .equals("1")), RouteCondition(.query("trace"), .isPresent),
            RouteCondition(.query("off"), .isAbsent),
        ]
        var search = Route(name: "2", match: .prefix("/c"))
        search.conditions = [RouteCondition(.query("q"), .equals("a b&c"))]
        #expect(routeTable([versioned, beta, search]).number(path, fields: fields) == service)
    }

    @Test func aPriorityComesBeforeEverythingElse() {
        var high = Route(name: "high", match: .prefix("/"))
        high.priority = 1
        high.conditions = [RouteCondition(.header("x-all"), .isPresent)]
        let routes = routeTable([Route(name: "exact", match: .exact("/a"), host: "weir.test"), high])
        #expect(routes.number("/a") == 0)
        #expect(routes.number("/a", fields: ["X-All: 1"]) == 1)
    }

    @Test func ofEqualRoutesTheOneWithMoreConditionsCountsThenTheFirst() {
        var picky = Route(name: "picky", match: .prefix("/a"))
        picky.methods = ["GET"]
        let routes = routeTable([Route(name: "1", match: .prefix("/a")), Route(name: "2", match: .prefix("/a")), picky])
        #expect(routes.number("/a") == 2)
        #expect(routes.number("/a", method: "PUT") == 0)
    }

    @Test func parametersAreFoundInThePath() throws {
        func values(_ text: String, _ path: String) throws -> [String] {
            let pattern = try RoutePattern(parsing: text)
            var parameters = PathParameters()
            return Array(path.utf8).withUnsafeBytes { bytes in
                parameters.locate(ParameterPlaces(pattern), in: bytes)
                return pattern.parameters.indices.map { String(decoding: bytes[parameters[$0]], as: UTF8.self) }
            }
        }
        #expect(try values("/users/{id}/orders/{order}", "/users/7/orders/a%20b") == ["7", "a%20b"])
        #expect(try values("/{a}/{rest...}", "/x/y/z/") == ["x", "y/z/"])
        #expect(
            try values("/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}", "/1/2/3/4/5/6/7/88") == [
                "1", "2", "3", "4", "5", "6", "7", "88",
            ])
    }

    @Test func theConfigurationKnowsTheMethodsOfTheWire() {
        #expect(Route.knownMethods == Method.allCases.map { "\($0.name)" })
    }

    /// Each segment may be a literal or a parameter, in all ways: as many as the configuration lets be.
    @Test func aPathThatManyPatternsBeginLikeIsStillDecided() throws {
        let shapes = try (1..<256).map { bits in
            try pattern("/" + (0..<8).map { bits >> $0 & 1 == 1 ? "{p\($0)}" : "a" }.joined(separator: "/") + "/z")
        }
        let routes = routeTable(shapes)
        #expect(routes.number("/b/a/a/a/a/a/a/a/z") == 0)
        #expect(routes.number("/a/a/a/a/a/a/a/a/z") == 127, "the first literals come first")
        #expect(routes.number("/b/b/b/b/b/b/b/b/z") == 254)
        #expect(routes.number("/" + String(repeating: "a/", count: 3000)) == nil)
    }
}
