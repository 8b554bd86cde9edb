import HTTPWire
import NIOCore
import Properties
import Testing

@Suite struct ChunkedDecoderTests {
    struct Decoded: Equatable {
        var text = ""
        var slices = 0
        var isAtEnd = false
        var rest = ""
    }

    static func decode(
        _ text: String, yielding output: ChunkedDecoder.Output, _ feeding: Feeding = .whole
    ) throws -> Decoded {
        var decoder = ChunkedDecoder(yielding: output)
        var buffer = ByteBuffer()
        var decoded = Decoded()
        for piece in feeding.pieces(of: Array(text.utf8)) {
            buffer.writeBytes(piece)
            while let slice = try decoder.next(&buffer) {
                decoded.text += String(buffer: slice)
                decoded.slices += 1
            }
        }
        decoded.isAtEnd = decoder.isAtEnd
        decoded.rest = String(buffer: buffer)
        return decoded
    }

    @Test(arguments: Feeding.allCases)
    func theDataIsYieldedAndWhatFollowsIsLeft(feeding: Feeding) throws {
        let text = "5\r\nhello\r\n00B;a;b=c;d=\"e;\\\"\u{e9}\"\r\n, wide worl\r\n1\r\nd\r\n0\r\nX: y\r\nZ:\r\n\r\nGET /"
        let payload = try Self.decode(text, yielding: .payload, feeding)
        #expect(payload.text == "hello, wide world")
        #expect(payload.isAtEnd)
        #expect(payload.rest == "GET /")
        let framing = try Self.decode(text, yielding: .framing, feeding)
        #expect(framing.text == "5\r\nhello\r\n00B\r\n, wide worl\r\n1\r\nd\r\n0\r\n\r\n")
        #expect(framing.isAtEnd)
    }

    @Test func plainChunksAreForwardedAsOneSlice() throws {
        let text = "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
        #expect(
            try Self.decode(text, yielding: .framing) == Decoded(text: text, slices: 1, isAtEnd: true, rest: ""))
    }

    @Test func theDataIsCounted() throws {
        var decoder = ChunkedDecoder(yielding: .framing)
        var buffer = ByteBuffer(string: "a;x=y\r\n0123456789\r\n3\r\nabc\r\n0\r\n\r\n")
        while try decoder.next(&buffer) != nil {}
        #expect(decoder.payloadBytes == 13)
    }

    @Test(arguments: [
        "\r\n", "g\r\n", " 5\r\n", "5 \r\n", "5\n", "5\r5", "+5\r\n", "-5\r\n", "0x5\r\n", "5 ;a\r\n", ";a\r\n",
        "1000000000000000\r\n", "0000000000000005\r\n", "ffffffffffffffff\r\n",
        "5;\r\n", "5; a\r\n", "5;a \r\n", "5;a=\r\n", "5;=b\r\n", "5;a=b c\r\n", "5;a=\"b\r\n", "5;a=\"b\"c\r\n",
        "5;a\n",
        "5;a=\"\u{0}\"\r\n", "5;a\u{0}\r\n", "5;a=\"\\\r\n", "5;a;;b\r\n",
        "5\r\nhelloX", "5\r\nhello\n", "5\r\nhello\rX", "5\r\nhello\r\n\r\n", "5\r\nhello5\r\n",
        "0\r\n\n", "0\r\n\rX", "0\r\n X: y\r\n", "0\r\nX\r\n", "0\r\n: y\r\n", "0\r\nX : y\r\n", "0\r\nX: y\n",
        "0\r\nX: \u{0}\r\n",
        "0\r\nX: y\rz", "0\r\nX: y\r\n z\r\n", "0\r\nContent-Length: 5\r\n", "0\r\ntransfer-encoding: chunked\r\n",
        "0\r\nHost: b\r\n", "0\r\nCONNECTION: x\r\n",
    ])
    func chunksThatAreNot(text: String) {
        for feeding in Feeding.allCases {
            for output in [ChunkedDecoder.Output.framing, .payload] {
                #expect(throws: WireError(.badChunk)) { try Self.decode(text, yielding: output, feeding) }
            }
        }
    }

    @Test func whatIsDroppedIsBounded() throws {
        let long = String(repeating: "x", count: 1023)
        #expect(throws: WireError(.trailersTooLarge)) {
            try Self.decode("1;\(long)xx\r\na\r\n", yielding: .payload)
        }
        #expect(try Self.decode("1;\(long)\r\na\r\n0\r\n\r\n", yielding: .payload).isAtEnd)
        let chunk = "1;abcdefgh\r\na\r\n"
        #expect(throws: WireError(.trailersTooLarge)) {
            try Self.decode(String(repeating: chunk, count: 200), yielding: .payload)
        }
        #expect(throws: WireError(.trailersTooLarge)) {
            try Self.decode("0\r\n" + String(repeating: "X: \(long)\r\n", count: 9), yielding: .payload)
        }
    }

    @Test func aBodyReaderTakesWhatTheFramingSays() throws {
        var buffer = ByteBuffer(string: "hello world")
        var body = BodyReader(.length(5))
        guard case .bytes(let bytes) = try body.next(&buffer) else {
            Issue.record("no bytes")
            return
        }
        #expect(String(buffer: bytes) == "hello")
        #expect(body.isAtEnd)
        #expect(body.payloadBytes == 5)
        guard case .end = try body.next(&buffer) else {
            Issue.record("no end")
            return
        }
        #expect(String(buffer: buffer) == " world")
        var empty = BodyReader(.none)
        #expect(empty.isAtEnd)
        #expect(throws: Never.self) { try empty.inputClosed() }
        var untilClose = BodyReader(.untilClose)
        #expect(!untilClose.isAtEnd)
        #expect(throws: Never.self) { try untilClose.inputClosed() }
        #expect(untilClose.isAtEnd)
        var cut = BodyReader(.length(1))
        #expect(throws: WireError(.truncated)) { try cut.inputClosed() }
    }
}
