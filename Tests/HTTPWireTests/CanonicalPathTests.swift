import HTTPWire
import NIOCore
import Properties
import TestSupport
import Testing

@Suite struct CanonicalPathTests {
    static func canonical(_ path: String) throws -> String {
        String(decoding: try CanonicalPath.of(Array(path.utf8)), as: UTF8.self)
    }

    @Test(arguments: [
        ("/", "/"), ("/a", "/a"), ("/a/", "/a/"), ("/a/b.c/..d/...", "/a/b.c/..d/..."),
        ("//", "/"), ("///a//b//", "/a/b/"),
        ("/.", "/"), ("/..", "/"), ("/./a", "/a"), ("/../a", "/a"), ("/a/.", "/a/"), ("/a/..", "/"), ("/a/../", "/"),
        ("/a/b/../c", "/a/c"), ("/a/b/..", "/a/"), ("/a//../b", "/b"), ("/a/./../b/./c/..", "/b/"),
        ("/../../..", "/"), ("/a/../../b", "/b"),
        ("/%61%2D%5f%7E%2e", "/a-_~."), ("/%2e%2E/a", "/a"), ("/a/%2e/b", "/a/b"), ("/a/.%2e/b", "/b"),
        ("/%c3%a9", "/%C3%A9"), ("/%E2%82%AC", "/%E2%82%AC"), ("/a%20b%3b%3F%23", "/a%20b%3B%3F%23"),
        ("/%25", "/%25"), ("/%2541", "/%2541"), ("/100%25", "/100%25"), ("/%25%32", "/%252"),
        ("/a:b@c!$&'()*+,=", "/a:b@c!$&'()*+,="), ("/%e0%a0%80", "/%E0%A0%80"), ("/%f0%90%80%80", "/%F0%90%80%80"),
    ])
    func aPathHasOneForm(path: String, canonical: String) throws {
        #expect(try Self.canonical(path) == canonical)
        #expect(try Self.canonical(canonical) == canonical)
    }

    @Test(arguments: [
        "a", "*", "/%", "/%a", "/%zz", "/%4", "/a%g0", "/%%32e", "/% 20",
        "/%00", "/a%00b", "/%0a", "/%0D", "/%1f", "/%7f", "/%2f", "/a%2Fb", "/%5c", "/%5C", "/..%2f", "/%2e%2e%2fa",
        "/%252e", "/%252E%252e/", "/%252f", "/%255c", "/%255C", "/%2500", "/%252%2565", "/%252%2566a", "/%250%2530",
        "/%25%2532%2565", "/%25%32%66", "/%250a", "/%250D%250A", "/%25250a",
        "/%25252e", "/%2525252F", "/%25%32%65",
        "/%%32%65",
        "/%25%32e", "/%2%35%32e", "/%c0%af", "/%C0%ae%C0%ae/", "/%c1%9c", "/%e0%80%af", "/%e0%9f%bf", "/%f0%80%80%af",
        "/a;b", "/;", "/..;/a", "/a;x=1/../b", "/a\\b", "/a b", "/a#b", "/a?b", "/\u{e9}", "/a\u{0}", "/a\tb", "/a\"b",
    ])
    func aPathThatIsReadInMoreThanOneWayIsRefused(path: String) {
        #expect(throws: WireError(.badPath)) { try Self.canonical(path) }
    }

    @Test func anEmptyPathIsTheRoot() throws { #expect(try Self.canonical("") == "/") }

    @Test func aCanonicalPathIsNotCopied() throws {
        var path = CanonicalPath()
        func resolve(_ target: String, method: String = "GET") throws -> String {
            let head = try parseRequest("\(method) \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
            try path.resolve(head)
            return path.withBytes(of: head) { String(decoding: $0, as: UTF8.self) }
        }
        #expect(try resolve("/a/b?c=/../d") == "/a/b")
        #expect(!path.isRewritten)
        #expect(try resolve("/a/%62?c") == "/a/b")
        #expect(path.isRewritten)
        #expect(try resolve("/%c3%a9".uppercased()) == "/%C3%A9")
        #expect(!path.isRewritten)
        #expect(try resolve("http://a?x") == "/")
        #expect(path.isRewritten)
        #expect(try resolve("*", method: "OPTIONS") == "*")
        #expect(!path.isRewritten)
        #expect(throws: WireError(.badPath)) { try resolve("/a;b") }
    }

    @Test func canonicalFormsAreTheirOwnCanonicalForms() throws {
        let seed = SeededGenerator.seed(for: "canonical paths")
        var random = SeededGenerator(seed: seed)
        let pieces = [
            "/", "//", ".", "..", "/./", "/../", "%2e", "%2E", "%25", "%", "2", "5", "e", "E", "f", "F", "C", "a", "Z",
            "~", "%41",
            "%c3%a9", "%C3", "%e0", "%80", "%af", ":", "@", "%3b", "%20", "-", "_", "%5F",
        ].map { Array($0.utf8) }
        var accepted = 0
        var changed = 0
        for _ in 0..<30_000 {
            var path = [UInt8(ascii: "/")]
            for _ in 0..<Int.random(in: 0...9, using: &random) { path += pieces.randomElement(using: &random)! }
            guard let once = try? CanonicalPath.of(path) else { continue }
            accepted += 1
            if once != path { changed += 1 }
            let text = String(decoding: path, as: UTF8.self)
            try #require((try? CanonicalPath.of(once)) == once, "seed \(seed): \(text)")
            let segments = once.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst()
            let isPlain = segments.allSatisfy { !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) }
            try #require(isPlain && !segments.dropLast().contains([]), "seed \(seed): \(text)")
        }
        #expect(accepted > 3_000 && changed > 2_000)
    }
}
