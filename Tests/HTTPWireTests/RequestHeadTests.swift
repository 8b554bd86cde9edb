import HTTPWire
import NIOCore
import Properties
import Testing

@Suite struct RequestHeadTests {
    @Test func aHeadIsFoundByItsOffsets() throws {
        let head = try parseRequest(
            "POST /payment/42?full=1 HTTP/1.1\r\nHost: api.example:8080\r\nX-Tenant: \t acme \t\r\n"
                + "Content-Length: 12\r\nEmpty:\r\n\r\n")
        #expect(head.method == .post)
        #expect(head.version == .http11)
        #expect(head.fields.text(head.target) == "/payment/42?full=1")
        #expect(head.fields.text(head.path) == "/payment/42")
        #expect(head.fields.text(head.query) == "?full=1")
        #expect(head.targetForm == .origin)
        #expect(head.authority.isEmpty == true)
        #expect(head.framing == .length(12))
        #expect(head.keepAlive == true)
        #expect(head.expectsContinue == false)
        #expect(head.fields.lines == ["Host: api.example:8080", "X-Tenant: acme", "Content-Length: 12", "Empty: "])
        #expect(head.fields[0].known == .host)
        #expect(head.fields[1].known == .other)
        #expect(head.fields[2].known == .contentLength)
    }

    @Test func anAbsoluteTargetIsTakenApart() throws {
        let head = try parseRequest("GET HTTP://a.example:80/x?y HTTP/1.1\r\nHost: A.example:80\r\n\r\n")
        #expect(head.targetForm == .absolute)
        #expect(head.fields.text(head.authority) == "a.example:80")
        #expect(head.fields.text(head.path) == "/x")
        #expect(head.fields.text(head.query) == "?y")
        let bare = try parseRequest("GET https://a.example?y HTTP/1.1\r\nHost: a.example\r\n\r\n")
        #expect(bare.path.isEmpty == true)
        #expect(bare.fields.text(bare.query) == "?y")
    }

    @Test(arguments: [
        ("HTTP/1.1", "", true),
        ("HTTP/1.1", "Connection: close\r\n", false),
        ("HTTP/1.1", "Connection: Keep-Alive\r\n", true),
        ("HTTP/1.1", "Connection: x-a, ,CLOSE\r\n", false),
        ("HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n", false),
        ("HTTP/1.0", "", false),
        ("HTTP/1.0", "Connection: keep-alive\r\n", true),
        ("HTTP/1.0", "Connection: keep-alive, close\r\n", false),
    ])
    func aConnectionIsKeptAsTheFieldsSay(version: String, fields: String, kept: Bool) throws {
        #expect(try parseRequest("GET / \(version)\r\nHost: a\r\n\(fields)\r\n").keepAlive == kept)
    }

    @Test func contentLengthZeroMeansThatNoBodyFollows() throws {
        #expect(try parseRequest("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").framing == .none)
        #expect(
            try parseRequest("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ChunkeD\r\n\r\n").framing == .chunked)
        #expect(
            try parseRequest("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999999999\r\n\r\n").framing
                == .length(999_999_999_999_999_999))
    }

    @Test func onlyAClientOfHTTP11WaitsForContinue() throws {
        let fields = "Host: a\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n"
        #expect(try parseRequest("PUT / HTTP/1.1\r\n" + fields).expectsContinue == true)
        #expect(try parseRequest("PUT / HTTP/1.0\r\n" + fields).expectsContinue == false)
    }

    @Test(arguments: Method.allCases)
    func everyMethodOfTheListIsFound(method: HTTPWire.Method) throws {
        #expect(try parseRequest("\(method.name) / HTTP/1.1\r\nHost: a\r\n\r\n").method == method)
    }

    @Test func oneEmptyLineBeforeARequestIsSkipped() throws {
        #expect(try parseRequest("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").method == .get)
        #expect(throws: WireError(.badRequestLine)) {
            _ = try parseRequest("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
        }
    }

    @Test func aHeadMayComeByteByByteAndTheBufferIsLeftAloneUntilItIsComplete() throws {
        let text = "GET /a?b HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n"
        var buffer = ByteBuffer()
        var head = RequestHead()
        var parser = HeadParser()
        for byte in text.utf8.dropLast() {
            buffer.writeInteger(byte)
            #expect(try !parser.parse(&buffer, into: &head))
            #expect(parser.isWithinHead)
        }
        #expect(buffer.readableBytes == text.utf8.count - 1)
        buffer.writeInteger(text.utf8.last!)
        buffer.writeString("rest")
        #expect(try parser.parse(&buffer, into: &head))
        #expect(!parser.isWithinHead)
        #expect(String(buffer: buffer) == "rest")
        #expect(String(buffer: head.bytes) == text)
        #expect(head.fields.lines == ["Host: a", "Accept: */*"])
    }

    @Test func oneHeadServesManyRequests() throws {
        var buffer = ByteBuffer(
            string: "GET http://b/ HTTP/1.0\r\nExpect: 100-continue\r\n\r\nPOST /2 HTTP/1.1\r\nHost: c\r\n"
                + "Transfer-Encoding: chunked\r\n\r\nGET /3 HTTP/1.1\r\nHost: c\r\n\r\n")
        var head = RequestHead()
        var parser = HeadParser()
        #expect(try parser.parse(&buffer, into: &head))
        #expect(head.version == .http10)
        #expect(head.keepAlive == false)
        #expect(try parser.parse(&buffer, into: &head))
        #expect(head.framing == .chunked)
        #expect(head.keepAlive == true)
        #expect(head.authority.isEmpty == true)
        #expect(try parser.parse(&buffer, into: &head))
        #expect(head.framing == .none)
        #expect(head.fields.contains(.transferEncoding) == false)
        #expect(head.fields.lines == ["Host: c"])
        #expect(try !parser.parse(&buffer, into: &head))
    }

    @Test func aHeadThatIsTooLargeIsRefusedAsSoonAsItIs() throws {
        let limits = HeadLimits(maxHeadBytes: 200, maxFields: 3, maxTargetBytes: 50)
        func code(_ text: String) -> WireError.Code? {
            var buffer = ByteBuffer(string: text)
            var head = RequestHead()
            var parser = HeadParser(limits: limits)
            do {
                _ = try parser.parse(&buffer, into: &head)
                return nil
            } catch { return error.code }
        }
        let line = "GET / HTTP/1.1\r\n"
        #expect(code("GET /" + String(repeating: "a", count: 50) + " HTTP/1.1\r\n") == .targetTooLong)
        #expect(code("GET /" + String(repeating: "a", count: 49) + " HTTP/1.1\r\n") == nil)
        #expect(code("GET /" + String(repeating: "a", count: 90)) == .targetTooLong)
        #expect(code(line + "A: " + String(repeating: "b", count: 300)) == .headTooLarge)
        #expect(code(line + "Host: a\r\nA: " + String(repeating: "b", count: 169) + "\r\n\r\n") == .headTooLarge)
        #expect(code(line + "Host: a\r\nA: " + String(repeating: "b", count: 168) + "\r\n\r\n") == nil)
        #expect(code(line + "Host: a\r\nA:\r\nB:\r\n\r\n") == nil)
        #expect(code(line + "Host: a\r\nA:\r\nB:\r\nC:\r\n") == .tooManyFields)
    }
}
