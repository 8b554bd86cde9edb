import HTTPWire

extension HostileMessage {
    /// A POST with these fields and this rest.
    private static func post(
        _ name: String, _ fields: String, _ rest: String, _ outcome: Outcome, _ forwarded: [String] = []
    ) -> HostileMessage {
        HostileMessage(
            name, bytes: Array("POST /a HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n\(rest)".utf8), outcome, forwarded)
    }

    private static func chunked(_ name: String, _ rest: String, _ outcome: Outcome, _ forwarded: [String] = [])
        -> HostileMessage
    {
        post(name, "Transfer-Encoding: chunked", rest, outcome, forwarded)
    }

    /// Where a body ends.
    static let lengths: [HostileMessage] = [
        post("a length", "Content-Length: 5", "hello", .passed, ["POST /a hello"]),
        post("a length with a zero", "Content-Length: 05", "hello", .passed, ["POST /a hello"]),
        post("two equal lengths", "Content-Length: 5\r\nContent-Length: 5", "hello", .refused(.badContentLength)),
        post("two lengths", "Content-Length: 5\r\nContent-Length: 6", "hello!", .refused(.badContentLength)),
        post(
            "a short length before a long one", "Content-Length: 0\r\nContent-Length: 5", "hello",
            .refused(.badContentLength)),
        post("a list of lengths", "Content-Length: 5, 5", "hello", .refused(.badContentLength)),
        post("a signed length", "Content-Length: +5", "hello", .refused(.badContentLength)),
        post("a negative length", "Content-Length: -5", "hello", .refused(.badContentLength)),
        post("a hexadecimal length", "Content-Length: 0x5", "hello", .refused(.badContentLength)),
        post("a length in two words", "Content-Length: 5 5", "hello", .refused(.badContentLength)),
        post("a length with a fraction", "Content-Length: 5.0", "hello", .refused(.badContentLength)),
        post("no length where one should be", "Content-Length:", "hello", .refused(.badContentLength)),
        post("a length beyond 64 bits", "Content-Length: 18446744073709551621", "hello", .refused(.badContentLength)),
        post("a length and a tab", "Content-Length:\t5", "hello", .refused(.badContentLength)),
        post("a length with an underscore", "Content_Length: 5", "", .passed, ["POST /a"])
            .withholding("Content_Length"),
        post("a space before a length's colon", "Content-Length : 5", "hello", .refused(.badFieldName)),
        post(
            "a length and chunks", "Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n",
            .refused(.ambiguousLength)),
        post(
            "chunks and a length", "Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n",
            .refused(.ambiguousLength)),
        post(
            "chunks and no length", "Transfer-Encoding: chunked\r\nContent-Length: 0", "0\r\n\r\n",
            .refused(.ambiguousLength)),
        post(
            "a coding that is none", "Transfer-Encoding: xchunked", "0\r\n\r\n", .refused(.transferCodingNotSupported)),
        post(
            "chunks, then identity", "Transfer-Encoding: chunked, identity", "0\r\n\r\n",
            .refused(.transferCodingNotSupported)),
        post(
            "identity, then chunks", "Transfer-Encoding: identity, chunked", "0\r\n\r\n",
            .refused(.transferCodingNotSupported)),
        post(
            "identity", "Transfer-Encoding: identity\r\nContent-Length: 5", "hello",
            .refused(.transferCodingNotSupported)),
        post("chunks twice", "Transfer-Encoding: chunked, chunked", "0\r\n\r\n", .refused(.transferCodingNotSupported)),
        post(
            "two codings", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n",
            .refused(.badTransferEncoding)),
        post(
            "two equal codings", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n",
            .refused(.badTransferEncoding)),
        post("no coding", "Transfer-Encoding:", "0\r\n\r\n", .refused(.transferCodingNotSupported)),
        post("a quoted coding", "Transfer-Encoding: \"chunked\"", "0\r\n\r\n", .refused(.transferCodingNotSupported)),
        post(
            "a coding with a parameter", "Transfer-Encoding: chunked;a=b", "0\r\n\r\n",
            .refused(.transferCodingNotSupported)),
        post("a coding after a tab", "Transfer-Encoding:\tchunked", "0\r\n\r\n", .refused(.badTransferEncoding)),
        post("a coding before a space", "Transfer-Encoding: chunked ", "0\r\n\r\n", .refused(.badTransferEncoding)),
        post("a coding after a vertical tab", "Transfer-Encoding: \u{b}chunked", "0\r\n\r\n", .refused(.badFieldValue)),
        post("a coding before NUL", "Transfer-Encoding: chunked\u{0}", "0\r\n\r\n", .refused(.badFieldValue)),
        post("a space before a coding's colon", "Transfer-Encoding : chunked", "0\r\n\r\n", .refused(.badFieldName)),
        post(
            "a coding on the next line", "Transfer-Encoding:\r\n chunked", "0\r\n\r\n",
            .refused(.transferCodingNotSupported)),
        post("a coding behind a line feed", "X: y\nTransfer-Encoding: chunked", "0\r\n\r\n", .refused(.badLineEnding)),
        post(
            "a coding behind a carriage return", "X: y\rTransfer-Encoding: chunked", "0\r\n\r\n",
            .refused(.badFieldValue)),
        post("a coding with an underscore", "Transfer_Encoding: chunked", "", .passed, ["POST /a"])
            .withholding("Transfer_Encoding"),
        HostileMessage(
            "chunks in HTTP/1.0", "POST /a HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            .refused(.badTransferEncoding)),
        HostileMessage(
            "a body of GET", "GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", .passed, "GET /a hello"),
        HostileMessage(
            "a request in a body",
            "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\nX: 12\r\n\r\n",
            .passed, "POST /a GET /b HTTP/1.1\r\nHost: a\r\nX: 12\r\n\r\n"),
    ]

    static let chunks: [HostileMessage] = [
        chunked("chunks", "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", .passed, ["POST /a hello"]),
        post(
            "a coding in capitals", "Transfer-Encoding: CHUNKED", "5\r\nhello\r\n0\r\n\r\n", .passed, ["POST /a hello"]),
        chunked("zeros before a size", "00000005\r\nhello\r\n000\r\n\r\n", .passed, ["POST /a hello"]),
        chunked("capitals in a size", "A\r\n0123456789\r\n0\r\n\r\n", .passed, ["POST /a 0123456789"]),
        chunked("extensions", "5;a=b;c=\"d;\\\"e\"\r\nhello\r\n0;z\r\n\r\n", .passed, ["POST /a hello"]),
        chunked("a trailer", "5\r\nhello\r\n0\r\nX-Trailer: y\r\n\r\n", .passed, ["POST /a hello"]).withholding(
            "X-Trailer"),
        chunked(
            "a request after the last chunk", "0\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n", .passed,
            ["POST /a", "GET /b"]),
        chunked("a signed size", "+5\r\nhello\r\n0\r\n\r\n", .refused(.badChunk)),
        chunked("a negative size", "-5\r\nhello\r\n0\r\n\r\n", .refused(.badChunk)),
        chunked("a size with 0x", "0x5\r\nhello\r\n0\r\n\r\n", .refused(.badChunk)),
        chunked("a size that begins with x", "x5\r\nhello\r\n0\r\n\r\n", .refused(.badChunk)),
        chunked("a size of 64 bits and one", "10000000000000005\r\nhello\r\n0\r\n\r\n", .refused(.badChunk)),
        chunked("a size of 64 bits", "ffffffffffffffff\r\nhello\r\n0\r\n\r\n", .refused(.badChunk)),
        chunked("too many zeros", "00000000000000005\r\nhello\r\n0\r\n\r\n", .refused(.badChunk)),
        chunked("a space before a size", " 5\r\nhello\r\n0\r\n\r\n", .refused(.badChunk)),
        chunked("a space after a size", "5 \r\nhello\r\n0\r\n\r\n", .refused(.badChunk)),
        chunked("a space before an extension", "5 ;a\r\nhello\r\n0\r\n\r\n", .refused(.badChunk)),
        chunked("no size", "\r\nhello\r\n0\r\n\r\n", .refused(.badChunk)),
        chunked("a line feed after a size", "5\nhello\r\n0\r\n\r\n", .refused(.badChunk)),
        chunked("a line feed after data", "5\r\nhello\n0\r\n\r\n", .refused(.badChunk)),
        chunked("line feeds at the end", "5\r\nhello\r\n0\n\n", .refused(.badChunk)),
        chunked("a carriage return after a size", "5\rhello\r\n0\r\n\r\n", .refused(.badChunk)),
        chunked("a line feed in an extension", "5;a\nb\r\nhello\r\n0\r\n\r\n", .refused(.badChunk)),
        chunked("a carriage return in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n", .refused(.badChunk)),
        chunked("a line end in a quoted extension", "5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n", .refused(.badChunk)),
        chunked("NUL in an extension", "5;a=\u{0}\r\nhello\r\n0\r\n\r\n", .refused(.badChunk)),
        chunked("data longer than its size", "3\r\nhello\r\n0\r\n\r\n", .refused(.badChunk)),
        chunked("data shorter than its size", "7\r\nhello\r\n0\r\n\r\n", .refused(.badChunk)),
        chunked("two characters between chunks", "5\r\nhelloXX5\r\nhello\r\n0\r\n\r\n", .refused(.badChunk)),
        chunked("a length in the trailer", "0\r\nContent-Length: 5\r\n\r\nhello", .refused(.badChunk)),
        chunked("a host in the trailer", "0\r\nHost: b\r\n\r\n", .refused(.badChunk)),
        chunked("a folded trailer", "0\r\nX: y\r\n z\r\n\r\n", .refused(.badChunk)),
        chunked("a space before a trailer's colon", "0\r\nX : y\r\n\r\n", .refused(.badChunk)),
        // The request that follows is read as the trailer that has not ended, and is no field.
        chunked("no end after the last chunk", "5\r\nhello\r\n0\r\n", .refused(.badChunk)),
        // The same, as the body of which more is to come.
        post("less than its length", "Content-Length: 500", "hello", .unfinished),
        chunked("less than a chunk's size", "500\r\nhello\r\n", .unfinished),
        chunked("an endless chunk", "fffffffffffffff\r\nhello\r\n", .unfinished),
    ]
}
