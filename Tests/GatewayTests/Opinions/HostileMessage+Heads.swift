import HTTPWire

extension HostileMessage {
    private static func get(
        _ name: String, _ fields: String, _ outcome: Outcome, _ forwarded: [String] = []
    ) -> HostileMessage {
        HostileMessage(name, bytes: Array("GET /a HTTP/1.1\r\n\(fields)\r\n\r\n".utf8), outcome, forwarded)
    }

    /// Lines and fields.
    static let lines: [HostileMessage] = [
        HostileMessage("an empty line before", "\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n", .passed, "GET /a"),
        HostileMessage("line feeds alone", "GET /a HTTP/1.1\nHost: a\n\n", .refused(.badLineEnding)),
        HostileMessage(
            "a line feed after the start line", "GET /a HTTP/1.1\nHost: a\r\n\r\n", .refused(.badLineEnding)),
        HostileMessage("carriage returns alone", "GET /a HTTP/1.1\rHost: a\r\r\n\r\n", .refused(.badRequestLine)),
        HostileMessage("a line feed before", "\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badRequestLine)),
        HostileMessage("a space before", " GET /a HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badRequestLine)),
        HostileMessage("a folded start line", "GET /a HTTP/1.1\r\n X: y\r\nHost: a\r\n\r\n", .refused(.foldedField)),
        get("a line feed between fields", "Host: a\nX: y", .refused(.badLineEnding)),
        get("a line feed at the end", "Host: a\r\n\nX: y", .refused(.badLineEnding)),
        get("a carriage return in a value", "Host: a\r\nX: y\rz", .refused(.badFieldValue)),
        get("two carriage returns", "Host: a\r\nX: y\r", .refused(.badFieldValue)),
        get("a folded field", "Host: a\r\nX: y\r\n z", .refused(.foldedField)),
        get("a field folded with a tab", "Host: a\r\nX: y\r\n\tz", .refused(.foldedField)),
        get("a line of a space", "Host: a\r\n ", .refused(.foldedField)),
        get("NUL in a value", "Host: a\r\nX: y\u{0}z", .refused(.badFieldValue)),
        get("NUL in a name", "Host: a\r\nX\u{0}: y", .refused(.badFieldName)),
        get("DEL in a value", "Host: a\r\nX: \u{7f}", .refused(.badFieldValue)),
        get("an escape in a value", "Host: a\r\nX: \u{1b}[2J", .refused(.badFieldValue)),
        get("a space before a colon", "Host: a\r\nX : y", .refused(.badFieldName)),
        get("a tab before a colon", "Host: a\r\nX\t: y", .refused(.badFieldName)),
        get("no colon", "Host: a\r\nXy", .refused(.badFieldName)),
        get("no name", "Host: a\r\n: y", .refused(.badFieldName)),
        get("brackets in a name", "Host: a\r\nX[y]: z", .refused(.badFieldName)),
        get("a name beyond ASCII", "Host: a\r\nX\u{e9}: y", .refused(.badFieldName)),
        get("a value beyond ASCII", "Host: a\r\nX: \u{e9}", .passed, ["GET /a"]),
    ]

    static let hosts: [HostileMessage] = [
        get("a host and port", "Host: a.example:8080", .passed, ["GET /a"]),
        get("an address", "Host: [::1]:80", .passed, ["GET /a"]),
        get("no host", "X: y", .refused(.badHost)),
        get("an empty host", "Host:", .refused(.badHost)),
        get("two hosts", "Host: a\r\nHost: b", .refused(.badHost)),
        get("two equal hosts", "Host: a\r\nHost: a", .refused(.badHost)),
        get("a list of hosts", "Host: a, b", .refused(.badHost)),
        get("a user", "Host: a@b", .refused(.badHost)),
        get("a host before spaces", "Host: a  ", .passed, ["GET /a"]),
        get("a host after a tab", "Host:\ta", .refused(.badHost)),
        get("a host before a tab", "Host: a\t", .refused(.badHost)),
        get("a port beyond ports", "Host: a:99999", .refused(.badHost)),
        get("a port that is a name", "Host: a:http", .refused(.badHost)),
        get("no port after a colon", "Host: a:", .refused(.badHost)),
        get("a path in a host", "Host: a/b", .refused(.badHost)),
        get("a query in a host", "Host: a?b", .refused(.badHost)),
        get("a fragment in a host", "Host: a#b", .refused(.badHost)),
        get("a backslash in a host", "Host: a\\b", .refused(.badHost)),
        get("a space in a host", "Host: a b", .refused(.badHost)),
        get("an escape in a host", "Host: a%00.b", .refused(.badHost)),
        get("a host that is a URL", "Host: http://a", .refused(.badHost)),
        get("an open bracket", "Host: [::1", .refused(.badHost)),
        get("a host with an underscore for a hyphen", "Host: a\r\nHo_st: b", .passed, ["GET /a"]),
        HostileMessage(
            "another host in the target", "GET http://b/a HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.authorityMismatch)),
        HostileMessage(
            "another port in the target", "GET http://a:81/a HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.authorityMismatch)),
        HostileMessage("a user in the target", "GET http://a@b/a HTTP/1.1\r\nHost: b\r\n\r\n", .refused(.badTarget)),
        HostileMessage("the host in the target alone", "GET http://a/a HTTP/1.1\r\n\r\n", .refused(.badHost)),
        HostileMessage("the same host twice", "GET http://A/a?b HTTP/1.1\r\nHost: a\r\n\r\n", .passed, "GET /a?b"),
    ]

    /// Connection names what must not be taken away, or what is for this hop alone.
    static let hops: [HostileMessage] =
        [
            "X-Forwarded-For", "x-weir-tenant", "Authorization", "Content-Length", "Host", "Transfer-Encoding",
            "Cookie",
            "X-Api-Key", "Forwarded", "X-Real-Ip", "X-Request-Id", "Via", "Date", "X-Forwarded-Proto",
        ].map { get("Connection names \($0)", "Host: a\r\n\($0): 0\r\nConnection: close, \($0)", .refused(hop($0))) }
        + [
            get("a list that is none", "Host: a\r\nConnection: close; x", .refused(.badConnection)),
            get("a quoted option", "Host: a\r\nConnection: \"close\"", .refused(.badConnection)),
            get("an option after a tab", "Host: a\r\nConnection:\tclose", .refused(.badConnection)),
            get("a field for this hop", "Host: a\r\nX-Mine: 1\r\nConnection: x-mine", .passed, ["GET /a"])
                .withholding("X-Mine", "Connection"),
            get(
                "aliases with underscores",
                "Host: a\r\nX_Weir_Tenant: root\r\nX_Forwarded_For: 1.1.1.1\r\nX-Forwarded_Proto: https\r\nProxy_Connection: x\r\nAuthorization_: 1",
                .passed, ["GET /a"]
            ).withholding("X_Weir_Tenant", "X-Weir-Tenant", "X_Forwarded_For", "X-Forwarded_Proto", "Proxy_Connection"),
            get(
                "Connection names an alias", "Host: a\r\nX_Forwarded_For: 1.1.1.1\r\nConnection: x_forwarded_for",
                .passed,
                ["GET /a"]
            ).withholding("X_Forwarded_For"),
            get(
                "a protocol to switch to",
                "Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x",
                .passed, ["GET /a"]
            ).withholding("Upgrade", "Connection"),
            get(
                "a switch to HTTP/2",
                "Host: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
                .passed, ["GET /a"]
            ).withholding("Upgrade", "HTTP2-Settings", "Connection"),
            get("codings that are taken", "Host: a\r\nTE: trailers\r\nConnection: TE", .passed, ["GET /a"]).withholding(
                "TE"),
        ]

    private static func hop(_ name: String) -> WireError.Code {
        switch name {
        case "Content-Length": .badConnection
        case "Host": .badHost
        case "Transfer-Encoding": .transferCodingNotSupported
        default: .badConnection
        }
    }

    static let expectations: [HostileMessage] = [
        HostileMessage(
            "an expectation", "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
            .passed,
            "POST /a hi"
        ).withholding("Expect"),
        HostileMessage(
            "an expectation of HTTP/1.0",
            "POST /a HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi", .passedAndClosed,
            "POST /a hi"
        ).withholding("Expect"),
        get("an expectation without a body", "Host: a\r\nExpect: 100-continue", .passed, ["GET /a"]).withholding(
            "Expect"),
        get("another expectation", "Host: a\r\nExpect: 200-ok", .refused(.badExpectation)),
        get("two expectations", "Host: a\r\nExpect: 100-continue\r\nExpect: 100-continue", .refused(.badExpectation)),
        get("a list of expectations", "Host: a\r\nExpect: 100-continue, x", .refused(.badExpectation)),
    ]
}
