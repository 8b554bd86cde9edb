import HTTPWire
import NIOCore
import Properties
import Testing

/// What must be refused, and why.
@Suite struct RefusedRequestTests {
    struct Refused: CustomTestStringConvertible {
        let bytes: [UInt8]
        let code: WireError.Code

        init(_ text: String, _ code: WireError.Code) {
            bytes = Array(text.utf8)
            self.code = code
        }

        init(bytes: [UInt8], _ code: WireError.Code) {
            self.bytes = bytes
            self.code = code
        }

        var testDescription: String { "\(code.rawValue): \(String(decoding: bytes, as: UTF8.self).debugDescription)" }
    }

    static func check(_ refused: Refused) {
        for feeding in Feeding.allCases {
            let observation = Observation.ofRequests(refused.bytes, feeding)
            #expect(observation.error == refused.code, "\(feeding)")
            #expect(observation.messages.isEmpty)
        }
    }

    @Test(arguments: [
        Refused(" GET / HTTP/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
        Refused("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        Refused("GET /  HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        Refused("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", .badMethod),
        Refused("GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
        Refused("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", .badRequestLine),
        Refused("GET / \r\nHost: a\r\n\r\n", .badRequestLine),
        Refused("GET /\r\n\r\n", .badRequestLine),
        Refused("GET\r\n\r\n", .badRequestLine),
        Refused("GET HTTP/1.1\r\n\r\n", .badRequestLine),
        Refused("GET  HTTP/1.1\r\n\r\n", .badRequestLine),
        Refused("G\u{1}T / HTTP/1.1\r\nHost: a\r\n\r\n", .badMethod),
        Refused("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", .badMethod),
        Refused("get / HTTP/1.1\r\nHost: a\r\n\r\n", .methodNotSupported),
        Refused("FETCH / HTTP/1.1\r\nHost: a\r\n\r\n", .methodNotSupported),
        Refused("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", .methodNotSupported),
        Refused("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", .methodNotSupported),
        Refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .versionNotSupported),
        Refused("GET / HTTP/1.2\r\nHost: a\r\n\r\n", .versionNotSupported),
        Refused("GET / HTTP/0.9\r\nHost: a\r\n\r\n", .versionNotSupported),
        Refused("GET / HTTP/2.0\r\nHost: a\r\n\r\n", .versionNotSupported),
        Refused("GET / http/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
        Refused("GET / HTTP/1.10\r\nHost: a\r\n\r\n", .badRequestLine),
        Refused("GET / HTTP/11\r\nHost: a\r\n\r\n", .badRequestLine),
        Refused("GET / HTTP/1,1\r\nHost: a\r\n\r\n", .badRequestLine),
        Refused("GET / HTTPS/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
        Refused("GET / HTTP/1.1\nHost: a\r\n\r\n", .badLineEnding),
        Refused("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", .badRequestLine),
        Refused("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
        Refused("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", .badLineEnding),
        Refused("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
        Refused("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", .badRequestLine),
    ])
    func aStartLineThatIsNot(refused: Refused) { Self.check(refused) }

    @Test(arguments: [
        "a", "a/b", "?a", "#a", "/a#b", "/a?b#c", "/a b", "/a\"b", "/a<b>", "/a{b}", "/a|b", "/a\\b", "/a^b", "/a`b",
        "/[b]",
        "/\u{e9}", "/a\u{7f}", "/a\u{1}", "/?a\"", "/?<a>", "/?\u{e9}", "*", "/a?b\u{0}", "//\u{0}",
        "ftp://a/", "http:/a/", "http//a/", "http://", "http:///x", "http://?x", "http://u@a/", "http://u:p@a/",
        "http://a:/",
        "http://a:123456/", "http://a:8x/", "http://a b/", "http://[::1/", "http://a#b", "http://a%2fb/",
        "javascript:1",
    ])
    func aTargetThatIsNot(target: String) {
        let bytes = Array("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        Self.check(Refused(bytes: bytes, .badTarget))
    }

    @Test(arguments: ["GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n"])
    func anAbsoluteTargetForAnotherHost(text: String) { Self.check(Refused(text, .authorityMismatch)) }

    @Test(arguments: [
        Refused("Host : a\r\n\r\n", .badFieldName),
        Refused("Host\t: a\r\n\r\n", .badFieldName),
        Refused(": a\r\n\r\n", .badFieldName),
        Refused("Host\r\n\r\n", .badFieldName),
        Refused("Host: a\r\nX Y: b\r\n\r\n", .badFieldName),
        Refused("Host: a\r\nX@: b\r\n\r\n", .badFieldName),
        Refused("Host: a\r\n\u{0}X: b\r\n\r\n", .badFieldName),
        Refused("Host: a\r\nX\u{e9}: b\r\n\r\n", .badFieldName),
        Refused("Host: a\r\nX\"Y\": b\r\n\r\n", .badFieldName),
        Refused("Host: a\r\n X: b\r\n\r\n", .foldedField),
        Refused("Host: a\r\nX: b\r\n\tc\r\n\r\n", .foldedField),
        Refused("Host: a\r\nX: b\r\n \r\n\r\n", .foldedField),
        Refused("Host: a\nX: b\r\n\r\n", .badLineEnding),
        Refused("Host: a\r\nX: b\n\r\n", .badLineEnding),
        Refused("Host: a\r\nX: b\r\n\n", .badLineEnding),
        Refused("Host: a\r\nX: b\r\n\r\r\n", .badFieldName),
        Refused("Host: a\r\nX: b\rc\r\n\r\n", .badFieldValue),
        Refused("Host: a\r\nX: b\r\r\n\r\n", .badFieldValue),
        Refused("Host: a\r\nX: b\u{0}\r\n\r\n", .badFieldValue),
        Refused("Host: a\r\nX: 12345678\u{1}\r\n\r\n", .badFieldValue),
        Refused("Host: a\r\nX: \u{b}b\r\n\r\n", .badFieldValue),
        Refused("Host: a\r\nX: b\u{7f}\r\n\r\n", .badFieldValue),
        Refused("Host: a\r\nX: 1234567890123\u{1b}4567890\r\n\r\n", .badFieldValue),
        Refused("\r\n", .badHost),
        Refused("Host:\r\n\r\n", .badHost),
        Refused("Host: a\r\nHost: a\r\n\r\n", .badHost),
        Refused("Host: a\r\nhOST: b\r\n\r\n", .badHost),
        Refused("Host: a, b\r\n\r\n", .badHost),
        Refused("Host: a b\r\n\r\n", .badHost),
        Refused("Host: a/b\r\n\r\n", .badHost),
        Refused("Host: u@a\r\n\r\n", .badHost),
        Refused("Host: a:\r\n\r\n", .badHost),
        Refused("Host: a:x\r\n\r\n", .badHost),
        Refused("Host: a:1:2\r\n\r\n", .badHost),
        Refused("Host: a:123456\r\n\r\n", .badHost),
        Refused("Host: a:65536\r\n\r\n", .badHost),
        Refused("Host:\ta\r\n\r\n", .badHost),
        Refused("Host: a\t\r\n\r\n", .badHost),
        Refused("Host: [::1\r\n\r\n", .badHost),
        Refused("Host: []\r\n\r\n", .badHost),
        Refused("Host: [::1]x\r\n\r\n", .badHost),
        Refused("Host: [fe80::1%25eth0]\r\n\r\n", .badHost),
        Refused("Host: a%2fb\r\n\r\n", .badHost),
        Refused("Host: http://a\r\n\r\n", .badHost),
        Refused("Host: \u{e9}\r\n\r\n", .badHost),
        Refused("Host: a\r\nExpect: 200-ok\r\n\r\n", .badExpectation),
        Refused("Host: a\r\nExpect: 100-continue, x\r\n\r\n", .badExpectation),
        Refused("Host: a\r\nExpect: 100-continue\r\nExpect: 100-continue\r\n\r\n", .badExpectation),
    ])
    func aFieldThatIsNot(refused: Refused) {
        Self.check(Refused(bytes: Array("GET / HTTP/1.1\r\n".utf8) + refused.bytes, refused.code))
    }

    @Test(arguments: [
        Refused("Content-Length:\r\n\r\n", .badContentLength),
        Refused("Content-Length: -1\r\n\r\n", .badContentLength),
        Refused("Content-Length: +1\r\n\r\n", .badContentLength),
        Refused("Content-Length: 1 2\r\n\r\n", .badContentLength),
        Refused("Content-Length: 1,1\r\n\r\n", .badContentLength),
        Refused("Content-Length: 1, 2\r\n\r\n", .badContentLength),
        Refused("Content-Length: 0x5\r\n\r\n", .badContentLength),
        Refused("Content-Length: 5.0\r\n\r\n", .badContentLength),
        Refused("Content-Length: \"5\"\r\n\r\n", .badContentLength),
        Refused("Content-Length: 1234567890123456789\r\n\r\n", .badContentLength),
        Refused("Content-Length: 18446744073709551617\r\n\r\n", .badContentLength),
        Refused("Content-Length: 5\r\nContent-Length: 5\r\n\r\n", .badContentLength),
        Refused("Content-Length: 5\r\ncontent-length: 6\r\n\r\n", .badContentLength),
        Refused("Content-Length : 5\r\n\r\n", .badFieldName),
        Refused("Content-Length: \u{661}\r\n\r\n", .badContentLength),
        Refused("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", .ambiguousLength),
        Refused("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", .ambiguousLength),
        Refused("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", .ambiguousLength),
        Refused("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", .badTransferEncoding),
        Refused("Content-Length: 5 \r\n\r\n", .badContentLength),
        Refused("Content-Length:\t5\r\n\r\n", .badContentLength),
        Refused("Transfer-Encoding: chunked\t\r\n\r\n", .badTransferEncoding),
        Refused("Transfer-Encoding:\tchunked\r\n\r\n", .badTransferEncoding),
        Refused("Transfer-Encoding: chunked, chunked\r\n\r\n", .transferCodingNotSupported),
        Refused("Transfer-Encoding: gzip, chunked\r\n\r\n", .transferCodingNotSupported),
        Refused("Transfer-Encoding: chunked, identity\r\n\r\n", .transferCodingNotSupported),
        Refused("Transfer-Encoding: identity\r\n\r\n", .transferCodingNotSupported),
        Refused("Transfer-Encoding:\r\n\r\n", .transferCodingNotSupported),
        Refused("Transfer-Encoding: \"chunked\"\r\n\r\n", .transferCodingNotSupported),
        Refused("Transfer-Encoding: xchunked\r\n\r\n", .transferCodingNotSupported),
        Refused("Transfer-Encoding: chunked;q=1\r\n\r\n", .transferCodingNotSupported),
        Refused("Transfer-Encoding: ,chunked\r\n\r\n", .transferCodingNotSupported),
        Refused("Transfer-Encoding: \u{b}chunked\r\n\r\n", .badFieldValue),
        Refused("Transfer-Encoding: chunked\r\n , identity\r\n\r\n", .foldedField),
        Refused("Transfer-Encoding\u{0}: chunked\r\n\r\n", .badFieldName),
        Refused("Connection: close\t\r\n\r\n", .badConnection),
        Refused("Connection: a b\r\n\r\n", .badConnection),
        Refused("Connection: \"close\"\r\n\r\n", .badConnection),
        Refused("Connection: close; q=1\r\n\r\n", .badConnection),
        Refused("Connection: keep-alive, Content-Length\r\n\r\n", .badConnection),
        Refused("Connection: host\r\n\r\n", .badConnection),
        Refused("Connection: Transfer-Encoding\r\n\r\n", .badConnection),
        Refused("Connection: X-Weir-Tenant\r\n\r\n", .badConnection),
        Refused("Connection: authorization\r\n\r\n", .badConnection),
        Refused("Connection: close, X-Forwarded-For\r\n\r\n", .badConnection),
    ])
    func aFramingThatIsNotCertain(refused: Refused) {
        Self.check(Refused(bytes: Array("POST / HTTP/1.1\r\nHost: a\r\n".utf8) + refused.bytes, refused.code))
    }

    @Test func transferEncodingIsRefusedInHTTP10() {
        Self.check(
            Refused("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", .badTransferEncoding))
    }

    @Test(arguments: WireError.Code.allCases)
    func everyErrorHasAStatusAndASentence(code: WireError.Code) {
        let error = WireError(code)
        #expect([400, 414, 417, 431, 501, 505].contains(error.status))
        #expect(!error.message.isEmpty && !error.message.hasSuffix("."))
    }
}
