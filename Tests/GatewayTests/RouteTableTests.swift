import Testing
import TestSupport
import WeirConfiguration

@testable import Gateway

struct RouteTableTests {
    private func table(_ routes: [(path: String, host: String?)]) -> RouteTable {
        RouteTable(
            routes.map { route in
                Service(
                    name: route.path, routes: [Route(name: route.path, path: route.path, host: route.host)],
                    upstreams: [])
            })
    }

    private func find(_ table: borrowing RouteTable, _ path: String, host: String = "weir.test") -> Int? {
        Array(host.utf8).withUnsafeBytes { host in
            Array(path.utf8).withUnsafeBytes { table.find(host: host, path: $0)?.service }
        }
    }

    @Test(arguments: [
        ("/", nil), ("/product", 0), ("/product/", 0), ("/product/7", 0), ("/products", nil), ("/produc", nil),
        ("/product/deep", 1), ("/product/deep/er", 1), ("/product/deeper", 0), ("/payment", 2), ("", nil), ("*", nil),
        ("/directory", nil), ("/directory/", 3), ("/directory/x", 3),
    ])
    func pathsMatchByWholeSegmentsLongestFirst(path: String, service: Int?) {
        let routes = table([("/product", nil), ("/product/deep", nil), ("/payment", nil), ("/directory/", nil)])
        #expect(find(routes, path) == service)
    }

    @Test func theRootTakesWhateverIsLeft() {
        let routes = table([("/", nil), ("/a", nil)])
        #expect(find(routes, "/b") == 0)
        #expect(find(routes, "/a/b") == 1)
    }

    @Test(arguments: [
        ("a.test", 0), ("A.TEST", 0), ("a.test:8080", 0), ("a.test.", 0), ("b.test", 1), ("", 1), ("[::1]:80", 2),
        ("[::1]", 2), (":80", 1), ("a.test.b", 1),
    ])
    func hostsAreComparedWithoutCaseAndPort(host: String, service: Int) {
        let routes = table([("/x", "a.test"), ("/x/long", nil), ("/x", "[::1]")])
        #expect(find(routes, "/x/long", host: host) == service)
    }

    @Test func ofEqualRoutesTheFirstCounts() {
        #expect(find(table([("/a", nil), ("/a", nil)]), "/a") == 0)
    }

    @Test func aLargeTableFindsWhatALinearSearchFinds() {
        var random = SeededGenerator()
        let segments = ["a", "b", "cc", "d-d", "e"]
        func path(_ depth: Int) -> String {
            (0..<depth).map { _ in "/" + segments.randomElement(using: &random)! }.joined()
        }
        let paths = Array(Set((0..<300).map { _ in path(.random(in: 1...5, using: &random)) })).sorted()
        let routes = table(paths.map { ($0, nil) })
        for _ in 0..<2000 {
            let asked = path(.random(in: 1...7, using: &random))
            let expected = paths.indices.filter { asked == paths[$0] || asked.hasPrefix(paths[$0] + "/") }
                .max { paths[$0].utf8.count < paths[$1].utf8.count }
            #expect(find(routes, asked) == expected, "\(asked)")
        }
    }
}
