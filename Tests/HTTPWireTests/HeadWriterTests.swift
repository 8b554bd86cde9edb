import HTTPWire
import NIOCore
import Properties
import Testing

@Suite struct HeadWriterTests {
    static func forward(_ text: String, removing: [KnownField] = []) throws -> String {
        var head = try parseRequest(text)
        for known in removing { head.fields.remove(known) }
        var path = CanonicalPath()
        try path.resolve(head)
        var out = ByteBuffer()
        head.writeRequestLine(into: &out, path: path)
        head.fields.write(into: &out)
        out.writeString("x-weir-tenant: acme\r\n")
        out.writeCRLF()
        return String(buffer: out)
    }

    @Test func aHeadIsForwardedWithoutWhatIsForThisHop() throws {
        let request =
            "GET /a?b HTTP/1.0\r\nConnection: close, X-B\r\nHost: h\r\nX-A:  1 \t\r\nX-B: 2\r\nKeep-Alive: 3\r\nAccept: */*\r\n"
            + "X-Weir-Tenant: evil\r\nX-C:\r\nTE: x \r\n\r\n"
        #expect(
            try Self.forward(request, removing: [.xWeirTenant, .cookie])
                == "GET /a?b HTTP/1.1\r\nHost: h\r\nX-A:  1 \t\r\nAccept: */*\r\nX-C:\r\nx-weir-tenant: acme\r\n\r\n")
    }

    @Test(arguments: [
        ("POST /a/%2e%2E/%62?c=%2e HTTP/1.1\r\nHost: h\r\n\r\n", "POST /b?c=%2e HTTP/1.1\r\nHost: h\r\n"),
        ("GET http://h HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\n"),
        ("GET http://h/x?y HTTP/1.1\r\nHost: h\r\n\r\n", "GET /x?y HTTP/1.1\r\nHost: h\r\n"),
        ("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: h\r\n"),
        ("GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\n"),
    ])
    func theTargetIsForwardedInItsCanonicalForm(request: String, forwarded: String) throws {
        #expect(try Self.forward(request) == forwarded + "x-weir-tenant: acme\r\n\r\n")
    }

    @Test func whatIsWithheldIsFoundAndNotWritten() throws {
        var head = try parseRequest("GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx_a: 2\r\nX-B: 3\r\nx-a: 4\r\n\r\n")
        let name = try #require(FieldName("x-a"))
        head.fields.withhold(named: name)
        head.fields.withhold(.host)
        var out = ByteBuffer()
        head.fields.write(into: &out)
        #expect(String(buffer: out) == "X-B: 3\r\n")
        let first = head.fields.firstIndex(named: name)
        let next = head.fields.firstIndex(named: name, from: 2)
        let hasHost = head.fields.contains(.host)
        #expect(first == 1 && next == 4 && hasHost)
    }

    @Test func aForwardedHeadIsReadAgainAsItWas() throws {
        let request = "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nConnection: close\r\nX: \u{e9}\r\n\r\n"
        let head = try parseRequest(try Self.forward(request))
        #expect(head.framing == .length(5))
        #expect(head.keepAlive == true)
        #expect(head.fields.lines == ["Host: h", "Content-Length: 5", "X: \u{e9}", "x-weir-tenant: acme"])
    }

    @Test func aResponseHeadIsForwarded() throws {
        func forward(_ text: String) throws -> String {
            var head = try parseResponse(text)
            head.fields.remove(.rateLimit)
            var out = ByteBuffer()
            head.writeStatusLine(into: &out)
            head.fields.write(into: &out)
            out.writeString("ratelimit-limit: 10\r\n")
            out.writeCRLF()
            return String(buffer: out)
        }
        #expect(
            try forward("HTTP/1.1 200 Fine\r\nRateLimit: 1\r\nA: b\r\nConnection: close\r\n\r\n")
                == "HTTP/1.1 200 Fine\r\nA: b\r\nratelimit-limit: 10\r\n\r\n")
        #expect(try forward("HTTP/1.0 404 Gone\r\n\r\n") == "HTTP/1.1 404 Not Found\r\nratelimit-limit: 10\r\n\r\n")
    }

    @Test func numbersAreWritten() {
        func written(_ write: (inout ByteBuffer) -> Void) -> String {
            var out = ByteBuffer()
            write(&out)
            return String(buffer: out)
        }
        for number in [0, 1, 15, 16, 255, 4096, 0xdead_beef, UInt64.max] {
            #expect(written { $0.writeHexadecimal(number) } == String(number, radix: 16))
        }
        #expect(written { $0.writeStatusLine(200) } == "HTTP/1.1 200 OK\r\n")
        #expect(written { $0.writeStatusLine(429) } == "HTTP/1.1 429 Too Many Requests\r\n")
        #expect(written { $0.writeStatusLine(599) } == "HTTP/1.1 599 \r\n")
    }

    @Test func writtenChunksAreReadAgain() throws {
        var out = ByteBuffer()
        for text in ["hello", String(repeating: "x", count: 300)] {
            out.writeChunkSize(text.utf8.count)
            out.writeString(text)
            out.writeCRLF()
        }
        out.writeLastChunk()
        let decoded = try ChunkedDecoderTests.decode(String(buffer: out), yielding: .payload)
        #expect(decoded.text == "hello" + String(repeating: "x", count: 300))
        #expect(decoded.isAtEnd)
    }

    @Test func textIsReadAsBytes() {
        func on<Result>(_ text: String, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
            Array(text.utf8).withUnsafeBytes(body)
        }
        #expect(on("9223372036854775807") { $0.decimal } == Int64.max)
        #expect(on("9223372036854775808") { $0.decimal } == nil)
        #expect(on("") { $0.decimal } == nil)
        #expect(on("1x") { $0.decimal } == nil)
        #expect(on("") { $0.equalsLowercase("") })
        #expect(on("Chunked") { $0.equalsLowercase("chunked") })
        #expect(!on("chunkeD ") { $0.equalsLowercase("chunked") })
        #expect(on("a-b") { $0.isToken })
        #expect(!on("a b") { $0.isToken })
    }
}
