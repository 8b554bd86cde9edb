import HTTPWire
import NIOCore
import Properties
import Testing

@Suite struct ResponseHeadTests {
    @Test func aHeadIsFoundByItsOffsets() throws {
        let head = try parseResponse("HTTP/1.1 429 Too Many\tRequests\r\nRetry-After: 7\r\nDate: x\r\n\r\n")
        #expect(head.status == 429)
        #expect(head.fields.text(head.reason) == "Too Many\tRequests")
        #expect(head.fields.lines == ["Retry-After: 7", "Date: x"])
        #expect(head.fields.contains(.retryAfter) == true)
        #expect(head.framing == .untilClose)
        #expect(head.keepAlive == false)
        #expect(try parseResponse("HTTP/1.0 200 \r\nContent-Length: 0\r\n\r\n").reason.isEmpty == true)
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", Method.get, Framing.length(5), true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", .get, .none, true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", .get, .chunked, true),
        ("HTTP/1.1 200 OK\r\n", .get, .untilClose, false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n", .get, .length(5), false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n", .get, .length(5), true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n", .get, .length(5), false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", .head, .none, true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", .head, .none, true),
        ("HTTP/1.1 200 OK\r\n", .head, .none, true),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n", .get, .none, true),
        ("HTTP/1.1 204 No Content\r\n", .delete, .none, true),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n", .delete, .none, true),
        ("HTTP/1.1 103 Early Hints\r\nLink: a\r\n", .get, .none, true),
    ])
    func theEndOfABodyIsKnown(head: String, method: HTTPWire.Method, framing: Framing, kept: Bool) throws {
        let head = try parseResponse(head + "\r\n", answering: method)
        #expect(head.framing == framing)
        #expect(head.keepAlive == kept)
    }

    @Test func contentLengthIsRemovedWhereAStatusAllowsNone() throws {
        #expect(
            try parseResponse("HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n").fields.contains(.contentLength) == false)
        #expect(
            try parseResponse("HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n").fields.contains(.contentLength) == true)
    }

    @Test(arguments: [
        ("HTTP/1.1 200\r\n\r\n", WireError.Code.badStatusLine),
        ("HTTP/1.1 20 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 2000 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1  200 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 2x0 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 099 Low\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 600 High\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 200 O\u{0}K\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 200 O\rK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 200 OK\n\r\n", .badLineEnding),
        ("HTTP/2.0 200 OK\r\n\r\n", .versionNotSupported),
        ("http/1.1 200 OK\r\n\r\n", .badStatusLine),
        ("ICY 200 OK\r\n\r\n", .badStatusLine),
        ("\r\nHTTP/1.1 200 OK\r\n\r\n", .badStatusLine),
        (" HTTP/1.1 200 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", .unexpectedUpgrade),
        ("HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", .unexpectedBody),
        ("HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", .unexpectedBody),
        ("HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n", .unexpectedBody),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", .ambiguousLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", .badContentLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n", .badContentLength),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", .transferCodingNotSupported),
        ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .badTransferEncoding),
        ("HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n", .badConnection),
        ("HTTP/1.0 100 Continue\r\n\r\n", .badConnection),
        ("HTTP/1.1 200 OK\r\nX : y\r\n\r\n", .badFieldName),
        ("HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n", .foldedField),
        ("HTTP/1.1 200 OK\r\nX: y\u{0}\r\n\r\n", .badFieldValue),
        ("HTTP/1.1 200 OK\r\nConnection: content-length\r\n\r\n", .badConnection),
    ])
    func aResponseThatIsNot(text: String, code: WireError.Code) {
        for feeding in Feeding.allCases {
            let observation = Observation.ofResponses(Array(text.utf8), feeding)
            #expect(observation.error == code, "\(feeding)")
            #expect(observation.messages.isEmpty)
        }
    }

    @Test(arguments: Feeding.allCases)
    func responsesFollowOneAnother(feeding: Feeding) {
        let text =
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
            + "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nde\r\n0\r\nT: u\r\n\r\n"
            + "HTTP/1.1 200 OK\r\n\r\nto the end"
        let observation = Observation.ofResponses(Array(text.utf8), feeding)
        #expect(observation.error == nil)
        #expect(
            observation.messages.map { String(decoding: $0.body, as: UTF8.self) } == ["", "abc", "de", "to the end"])
        #expect(observation.messages.allSatisfy { $0.isComplete })
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n",
        "HTTP/1.1 200 O",
    ])
    func aResponseThatEndsTooSoonIsTruncated(text: String) {
        #expect(Observation.ofResponses(Array(text.utf8)).error == .truncated)
    }
}
