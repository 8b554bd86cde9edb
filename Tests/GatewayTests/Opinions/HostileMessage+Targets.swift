import HTTPWire

extension HostileMessage {
    private static func target(_ target: String, _ outcome: Outcome, _ forwarded: String...) -> HostileMessage {
        HostileMessage(
            target, bytes: Array("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n".utf8), outcome,
            forwarded.map { "GET \($0)" })
    }

    static let targets: [HostileMessage] =
        [
            target("/a/../b", .passed, "/b"), target("/a/./b/", .passed, "/a/b/"), target("//a///b", .passed, "/a/b"),
            target("/a/%2e%2E/b", .passed, "/b"), target("/a/.%2e/b/%2e", .passed, "/b/"),
            target("/%61%7E", .passed, "/a~"),
            target("/a%20b?c=%2e%2e/../d", .passed, "/a%20b?c=%2e%2e/../d"), target("/%c3%a9", .passed, "/%C3%A9"),
            target("/a/...", .passed, "/a/..."), target("/a?//b/../c", .passed, "/a?//b/../c"),
            target("//evil.example/a", .passed, "/evil.example/a"), target("/a//../b", .passed, "/b"),
            target("/..", .passed, "/"), target("/a/../../b", .passed, "/b"), target("/a%3Bb", .passed, "/a%3Bb"),
            target("/100%25", .passed, "/100%25"),
        ]
        + [
            "/a%2fb", "/a%5cb", "/a%00b", "/a%0d%0aX:y", "/a%7f", "/%252e%252e/", "/%25252e", "/%250d%250a", "/%252f",
            "/..%2f",
            "/..%5c",
            "/..%c0%af", "/%c0%ae%c0%ae/", "/%e0%80%af", "/%f0%80%80%af", "/..;/a", "/a;b", "/;/../a", "/%", "/%4",
            "/%zz",
            "/%%32e", "/%u002e",
        ].map { target($0, .refused(.badPath)) }
        + [
            "/a\\b", "/..\\b", "/a#b", "/a?b#c", "/a\"b", "/a<b", "/a{b}", "/a|b", "/a^b", "/a`b", "/\u{e9}",
            "/a\u{7f}", "/a\u{1}",
            "a", "a/b", "?a", "*", "a:80", "http:", "http:/a/b", "http://", "http:///a", "ftp://a/b",
            "file:///etc/passwd",
            "http://a b/", "http://a%2fb/", "javascript:1",
        ].map { target($0, .refused(.badTarget)) }

    private static func line(_ line: String, _ outcome: Outcome, _ forwarded: String...) -> HostileMessage {
        HostileMessage(line, bytes: Array("\(line)\r\nHost: a\r\n\r\n".utf8), outcome, forwarded)
    }

    /// Methods, versions and other protocols.
    static let startLines: [HostileMessage] = [
        line("get /a HTTP/1.1", .refused(.methodNotSupported)), line("GeT /a HTTP/1.1", .refused(.methodNotSupported)),
        line("FOO /a HTTP/1.1", .refused(.methodNotSupported)),
        line("TRACE /a HTTP/1.1", .refused(.methodNotSupported)),
        line("CONNECT a:80 HTTP/1.1", .refused(.methodNotSupported)),
        line("CONNECT /a HTTP/1.1", .refused(.methodNotSupported)), line("G\u{0}T /a HTTP/1.1", .refused(.badMethod)),
        line("GET, /a HTTP/1.1", .refused(.badMethod)), line("GET  /a HTTP/1.1", .refused(.badTarget)),
        line("GET /a  HTTP/1.1", .refused(.badTarget)), line("GET /a HTTP/1.1 ", .refused(.badRequestLine)),
        line("GET\t/a HTTP/1.1", .refused(.badMethod)), line("GET /a\tHTTP/1.1", .refused(.badRequestLine)),
        line("GET /a b HTTP/1.1", .refused(.badTarget)), line("GET /a", .refused(.badRequestLine)),
        line("GET", .refused(.badRequestLine)), line("GET /a HTTP/0.9", .refused(.versionNotSupported)),
        line("GET /a HTTP/1.2", .refused(.versionNotSupported)),
        line("GET /a HTTP/2.0", .refused(.versionNotSupported)),
        line("GET /a HTTP/2", .refused(.badRequestLine)), line("GET /a HTTP/1.10", .refused(.badRequestLine)),
        line("GET /a HTTP/01.1", .refused(.badRequestLine)), line("GET /a http/1.1", .refused(.badRequestLine)),
        line("GET /a HTTP/1.1x", .refused(.badRequestLine)), line("GET /a HTTPS/1.1", .refused(.badRequestLine)),
        line("GET /a ICY/1.1", .refused(.badRequestLine)), line("HTTP/1.1 200 OK", .refused(.badMethod)),
        HostileMessage("HTTP/0.9", "GET /a\r\n", .refused(.badRequestLine)),
        HostileMessage("the start of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .refused(.versionNotSupported)),
        HostileMessage(
            "the start of TLS", bytes: [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 0x0d, 0x0a], .refused(.badRequestLine)),
        HostileMessage(
            "the start of PROXY", "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n",
            .refused(.badRequestLine)),
        HostileMessage("a command of SMTP", "EHLO a\r\n", .refused(.badRequestLine)),
        HostileMessage("a command of Redis", "*1\r\n$4\r\nPING\r\n", .refused(.badRequestLine)),
    ]

    private static let get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"

    /// What comes behind a message.
    static let sequences: [HostileMessage] = [
        HostileMessage("three at once", get + get + get, .passed, "GET /a", "GET /a", "GET /a"),
        HostileMessage("an empty line between", get + "\r\n" + get, .passed, "GET /a", "GET /a"),
        HostileMessage("two empty lines between", get + "\r\n\r\n" + get, .refused(.badRequestLine), "GET /a"),
        HostileMessage(
            "an error between", get + "GET /b HTTP/1.1\r\nX : y\r\n\r\n" + get, .refused(.badFieldName), "GET /a"),
        HostileMessage(
            "a bad path between", get + "GET /b;c HTTP/1.1\r\nHost: a\r\n\r\n" + get, .refused(.badPath), "GET /a"),
        HostileMessage(
            "a bad chunk between",
            get + "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n" + get, .refused(.badChunk),
            "GET /a"),
        HostileMessage(
            "more than is announced", "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhiho" + get,
            .refused(.methodNotSupported),
            "POST /a hi"),
        HostileMessage(
            "a request after the last one", "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + get,
            .passedAndClosed, "GET /a"),
        HostileMessage(
            "a request after the last one of HTTP/1.0", "GET /a HTTP/1.0\r\nHost: a\r\n\r\n" + get, .passedAndClosed,
            "GET /a"),
        HostileMessage(
            "keep-alive in HTTP/1.0", "GET /a HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", .passed, "GET /a"),
        HostileMessage(
            "close and keep-alive", "GET /a HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n" + get,
            .passedAndClosed, "GET /a"),
    ]

    static let all = lengths + chunks + lines + hosts + hops + expectations + targets + startLines + sequences
}
