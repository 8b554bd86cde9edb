import Testing
import WeirConfiguration

/// What is wrong with routes and with what they change.
@Suite struct RouteFaultTests {
    /// Routes, one a line from line 4 on, of a service with an upstream.
    private static func routes(_ lines: String...) -> String {
        "services:\n  - name: s\n    routes:\n" + lines.map { "      - \($0)\n" }.joined()
            + "    upstreams: [http://127.0.0.1:1]\n"
    }

    private func check(_ yaml: String, _ line: Int, _ fragment: String) {
        let found = faults(of: yaml)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.line == line, "\(found)")
        #expect(found.first?.message.contains(fragment) == true, "\(found)")
    }

    @Test(arguments: [
        ("{path: /a, exact: /b}", "`path` and `exact`"), ("{exact: a}", "write /a"), ("{exact: //}", "empty segment"),
        ("{path: \"/a/{id}\"}", "write `pattern: /a/{id}`"), ("{exact: /a/../b}", "dot segment"),
        ("{exact: /a%2fb}", "cannot stand in a route's path"), ("{pattern: \"a/{id}\"}", "write /a/{id}"),
        ("{pattern: /a}", "write `exact: /a`"), ("{pattern: \"/a/x{id}\"}", "not a whole segment"),
        ("{pattern: \"/{a}/{a}\"}", "two parameters of one name"), ("{pattern: \"/{a...}/b\"}", "must be last"),
        ("{pattern: \"/{a b}\"}", "no good name"), ("{pattern: \"/{}\"}", "no good name"),
        ("{pattern: \"//{a}\"}", "empty segment"), ("{pattern: \"/a;b/{c}\"}", "`;`"),
        ("{pattern: \"/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}\"}", "more than 8 parameters"),
        ("{pattern: \"/%7e/{a}\"}", "is decoded in requests"),
        ("{path: /a, host: \"*\"}", "has a wildcard elsewhere"),
        ("{path: /a, host: \"a.*.b\"}", "has a wildcard elsewhere"),
        ("{path: /a, host: \"*.10.0.0.1\"}", "wildcard before an address"),
        ("{path: /a, methods: GET}", "should be a list of methods"), ("{path: /a, methods: []}", "`methods` is empty"),
        ("{path: /a, methods: [get]}", "did you mean GET?"), ("{path: /a, methods: [CONNECT]}", "is not a method"),
        ("{path: /a, methods: [GET, GET]}", "listed twice"),
        ("{path: /a, headers: [X]}", "should be a mapping"), ("{path: /a, headers: {\"X Y\": 1}}", "header's name"),
        ("{path: /a, headers: {Connection: true}}", "do not look at `Connection`"),
        ("{path: /a, headers: {Host: x}}", "do not look at `Host`"),
        ("{path: /a, headers: {X: 1, x: 2}}", "named twice"), ("{path: /a, headers: {X: [1]}}", "true (it is there)"),
        ("{path: /a, query: {q: {}}}", "true (it is there)"), ("{path: /a, priority: high}", "whole number"),
        ("{path: /a, priority: 2000000}", "between"), ("{path: /a, prioritiy: 1}", "did you mean `priority`?"),
    ])
    func whatARouteCannotMatch(route: String, fragment: String) { check(Self.routes(route), 4, fragment) }

    @Test(arguments: [
        ("{exact: /a}", "{exact: /a}", "the exact path `/a` has a route already, on line 4"),
        ("{pattern: \"/{a}/b\"}", "{pattern: \"/{c}/b\", name: n}", "has a route already, on line 4"),
        ("{path: /a, methods: [GET, PUT]}", "{path: /a, methods: [PUT, GET], name: n}", "the same methods"),
        ("{path: /a, headers: {X: 1, Y: 2}}", "{path: /a, headers: {y: 2, x: 1}, name: n}", "the same methods"),
        ("{path: /a, host: \"*.x\"}", "{path: /a, host: \"*.X\", name: n}", "a route already"),
        ("{path: /a}", "{exact: /a}", "give this one a `name`"),
        ("{path: /a}", "{path: /a, methods: [GET]}", "a `name`"),
    ])
    func routesThatCannotBeToldApart(first: String, second: String, fragment: String) {
        check(Self.routes(first, second), 5, fragment)
    }

    @Test func routesThatCanBeToldApart() throws {
        let yaml = Self.routes(
            "{path: /a}", "{exact: /a, name: e}", "{path: /a, methods: [GET], name: m}",
            "{path: /a, headers: {X: \"true\"}, name: h}", "{path: /a, headers: {X: true}, name: p}",
            "{path: /a, query: {X: true}, name: q}", "{path: /a, priority: 1, name: o}",
            "{path: /a, host: \"*.x\", name: w}", "{pattern: \"/{a}\"}", "{pattern: \"/{a...}\"}")
        let routes = try Configuration.parse(yaml, file: "weir.yaml").services[0].routes
        #expect(
            routes.map(\.name) == ["/a", "e", "m", "h", "p", "q", "o", "w", "/{a}", "/{a...}"])
        #expect(routes[3].conditions == [RouteCondition(.header("x"), .equals("true"))])
        #expect(routes[4].conditions == [RouteCondition(.header("x"), .isPresent)])
    }

    @Test func placesHaveABoundedNumberOfRoutes() {
        let many = (0...64).map { "{path: /a, name: n\($0), headers: {X: \"\($0)\"}}" }
        let text = "services:\n  - name: s\n    upstreams: [http://127.0.0.1:1]\n    routes:\n"
        check(text + many.map { "      - \($0)\n" }.joined(), 69, "more than 64 routes")
        #expect(faults(of: text + many.dropLast().map { "      - \($0)\n" }.joined()).isEmpty)
    }

    @Test func patternsHaveABoundedNumberOfShapes() {
        let many = (1...258).map { bits in
            let parts = (0..<9).map { bits >> $0 & 1 == 1 && $0 < 8 || bits > 255 && $0 == 8 ? "{p\($0)}" : "a" }
            return "      - {pattern: \"/\(parts.joined(separator: "/"))/\(bits == 256 ? "{z}" : "z")\"}\n"
        }
        let text = "services:\n  - name: s\n    upstreams: [http://127.0.0.1:1]\n    routes:\n"
        #expect(faults(of: text + many.prefix(256).joined()).isEmpty)
        check(text + many.joined(), 4 + 257, "in more than 256 ways")
    }

    @Test(arguments: [
        ("{exact: /a, strip_prefix: true}", "belongs to a route with a `path`"),
        ("{path: /a, strip_prefix: yes}", "true or false"), ("{path: /a, add_prefix: v2}", "write /v2"),
        ("{path: /a, add_prefix: /}", "changes nothing"), ("{path: /a, add_prefix: /v2/}", "ends in `/`"),
        ("{path: /a, rewrite: /b, add_prefix: /c}", "has no effect"),
        ("{path: /a, rewrite: \"/b/${param:id}\"}", "belongs to a route that has a `pattern`"),
        ("{pattern: \"/a/{id}\", rewrite: \"/b/${param:ix}\"}", "did you mean `id`?"),
        ("{path: /a, rewrite: \"/b/${tenat}\"}", "did you mean `${tenant}`?"),
        ("{path: /a, rewrite: \"/b/${heder:X}\"}", "did you mean `${header:X}`?"),
        ("{path: /a, rewrite: \"/b/${claim:sub}\"}", "none without `identity.jwt`"),
        ("{path: /a, rewrite: \"/b$\"}", "write `$$`"),
        ("{path: /a, rewrite: \"/b/${tenant\"}", "has no `}`"),
        ("{path: /a, rewrite: \"b/${tenant}\"}", "does not start"),
        ("{path: /a, rewrite: \"/b/${path}\"}", "empty segment"), ("{path: /a, rewrite: \"/b?c\"}", "a query"),
        ("{path: /a, redirect: {to: \"https://x${query}\"}}", "would choose the host"),
        ("{path: /a, redirect: {to: \"https://${header:X-Host}/\"}}", "would choose the host"),
        ("{path: /a, redirect: {to: \"https://x.${host}/\"}}", "not the whole host"),
        ("{path: /a, redirect: {to: \"https://${host}.evil/\"}}", "not the whole host"),
        ("{path: /a, redirect: {to: \"//x${path}\"}}", "begins with `//`"),
        ("{path: /a, redirect: {to: \"/${path}\"}}", "begins with `//`"),
        ("{path: /a, redirect: {to: \"/${header:X}/b\"}}", "where a variable is empty"),
        ("{path: /a, redirect: {to: \"/${header:X}${path}\"}}", "where a variable is empty"),
        ("{path: /a, redirect: {to: \"/${host}/b\"}}", "where a variable is empty"),
        ("{path: /a, redirect: {to: \"${query}\"}}", "does not start with"),
        ("{path: /a, redirect: {to: \"ftp://x/\"}}", "does not start with"),
        ("{path: /a, redirect: {to: \"https:///x\"}}", "has no host"),
        ("{path: /a, redirect: {to: \"/x\\\\y\"}}", "cannot stand in a location"),
        ("{path: /a, redirect: {to: \"/a b\"}}", "cannot stand in a location"),
        ("{path: /a, redirect: {to: /b, host: x}}", "has no effect"), ("{path: /a, redirect: {}}", "goes nowhere"),
        ("{path: /a, redirect: {to: /b, status: 300}}", "`300` is no value"),
        ("{exact: /a, redirect: {prefix: /b}}", "belongs to a route with a `path`"),
        ("{path: /a, redirect: {to: /b}, strip_prefix: true}", "nothing is"),
        ("{path: /a, redirect: {to: /b}, respond: {}}", "remove `redirect` or `respond`"),
        ("{path: /a, respond: {status: 100}}", "between"), ("{path: /a, respond: {status: 304}}", "304 says"),
        ("{path: /a, respond: {status: 204, body: x}}", "has no body"),
        ("{path: /a, respond: {content_type: text}}", "media type"),
        ("{path: /a, respond: {headers: {Content-Type: x/y}}}", "stands in `content_type`"),
        ("{path: /a, respond: {headers: {Content-Length: 1}}}", "how the message is framed"),
        ("{path: /a, respond: {body: x}, response: {headers: {remove: [A]}}}", "nothing is"),
    ])
    func whatARouteCannotDo(route: String, fragment: String) { check(Self.routes(route), 4, fragment) }

    @Test(arguments: [
        ("request: {headers: {remove: [Content-Length]}}", "framed"), ("request: {headers: {set: {TE: x}}}", "framed"),
        ("request: {headers: {set: {transfer_encoding: x}}}", "framed"),
        ("request: {headers: {rename: {X: Connection}}}", "framed"),
        ("request: {headers: {set: {Host: x}}}", "use `request: {host"),
        ("request: {headers: {add: {X-Weir-Tenant: x}}}", "written by Weir alone"),
        ("request: {headers: {add: {X_Forwarded-For: x}}}", "written by Weir alone"),
        ("request: {headers: {set: {X-Request-Id: x}}}", "written by Weir itself"),
        ("request: {headers: {set: {X-API-Key: x}}}", "says who asks"),
        ("request: {headers: {rename: {A: x_api_key}}}", "says who asks"),
        ("request: {headers: {rename: {X-API-Key: A}}}", "says who asks"),
        ("request: {headers: {set: {A: \"${header:x-api-key}\"}}}", "says who asks"),
        ("request: {query: {set: {A: \"${header:X_API_Key}\"}}}", "says who asks"),
        ("response: {headers: {add: {A: \"${header:X-API-Key}\"}}}", "says who asks"),
        ("request: {headers: {set: {\"A B\": x}}}", "header's name"),
        ("request: {headers: {set: {A: \"x\\ny\"}}}", "control character"),
        ("request: {headers: {set: {A: [x]}}}", "should be a text"),
        ("request: {headers: {set: {A: \"${nobody}\"}}}", "there is no variable"),
        ("request: {headers: {set: {A: \"${param:id}\"}}}", "a `pattern`"),
        ("request: {headers: {delete: [A]}}", "is not a key"),
        ("request: {headers: {rename: {A: [x]}}}", "should be a word"),
        ("request: {headers: {remove: A}}", "a list of names"),
        ("request: {query: {set: {\"\": x}}}", "parameter's name"), ("request: {host: \"a b\"}", "not a host's name"),
        ("request: {header: {}}", "did you mean `headers`?"), ("response: {query: {}}", "is not a key"),
        ("response: {headers: {set: {Date: x}}}", "written by Weir itself"),
        ("response: {headers: {set: {RateLimit: x}}}", "removed or renamed"),
        ("response: {headers: {add: {X-RateLimit-Limit: x}}}", "removed or renamed"),
        ("response: {headers: {remove: [X-Request-Id]}}", "cannot be changed"),
        ("response: {headers: {set: {Content-Length: 1}}}", "framed"),
    ])
    func whatCannotBeChanged(line: String, fragment: String) {
        let hash = String(repeating: "0a", count: 32)
        let keys = "identity: {api_keys: {header: X-API-Key, keys: [{tenant: t, sha256: \"\(hash)\"}]}}\n"
        check(Self.routes("{path: /a}") + "    \(line)\n" + keys, 6, fragment)
    }

    @Test func credentialsAreOneNameWithHyphensAndUnderscores() {
        let hash = String(repeating: "0a", count: 32)
        let keys = "identity: {api_keys: {header: my_key, keys: [{tenant: t, sha256: \"\(hash)\"}]}}\n"
        for line in ["set: {My-Key: x}", "set: {my_key: x}", "set: {A: \"${header:my_key}\"}"] {
            check(Self.routes("{path: /a}") + "    request: {headers: {\(line)}}\n" + keys, 6, "says who asks")
        }
    }

    @Test func aServiceWhoseRoutesAllAnswerNeedsNoUpstreams() throws {
        let text = """
            services:
              - name: s
                routes:
                  - {path: /old, redirect: {to: "https://new.example.com${path}"}}
                  - {exact: /health, respond: {body: ok}}
            """
        let service = try Configuration.parse(text, file: "weir.yaml").services[0]
        #expect(service.upstreams.isEmpty)
        #expect(service.routes.map(\.answersItself) == [true, true])
        check(text + "\n      - {path: /a}\n", 2, "has no upstreams")
    }
}
